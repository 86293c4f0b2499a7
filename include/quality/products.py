"""The gate's rules for products, beside those of the contract."""

from include.quality.rules import MeasureRule, RowRule

SUITE = (
    RowRule(
        "product_id_usable",
        "product_id",
        "expect_column_values_to_match_regex",
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule(
        "cost_not_negative",
        "unit_cost",
        "expect_column_values_to_be_between",
        "Zero or more.",
        {"min_value": 0},
        fail_above=0.05,
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
