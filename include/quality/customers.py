"""The gate's rules for customers, beside those of the contract."""

from datetime import date

from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"
MATCH = "expect_column_values_to_match_regex"

OLDEST = date(1900, 1, 1)

SUITE = (
    RowRule(
        "customer_id_usable",
        "customer_id",
        MATCH,
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule(
        "joined_before_as_of",
        "joined_date",
        BETWEEN,
        "From 1900 to as_of, which is excluded.",
        {"min_value": OLDEST, "max_value": "as_of", "strict_max": True},
        fail_above=0.05,
    ),
    RowRule(
        "born_before_as_of",
        "birth_date",
        BETWEEN,
        "From 1900 to as_of, which is excluded.",
        {"min_value": OLDEST, "max_value": "as_of", "strict_max": True},
        warn_above=0.01,
        fail_above=None,
    ),
    RowRule(
        "email_has_an_at",
        "email",
        MATCH,
        "Text on both sides of an @.",
        {"regex": r"^[^@\s]+@[^@\s]+$"},
        warn_above=0.05,
        fail_above=None,
    ),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows over the median of the firm's snapshots before.",
        warn_below=0.9,
        warn_above=1.5,
        fail_below=0.1,
        fail_above=10,
    ),
)
