"""The gate's rules for points earned and spent, beside those of the contract."""

from include.periods import EARLIEST
from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"

SUITE = (
    RowRule(
        "movement_id_usable",
        "movement_id",
        "expect_column_values_to_match_regex",
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule(
        "occurred_before_as_of",
        "occurred_at",
        BETWEEN,
        "From 1990 to as_of, which is excluded.",
        {"min_value": EARLIEST, "max_value": "as_of_instant", "strict_max": True},
    ),
    RowRule(
        "day_in_month",
        "order_date",
        BETWEEN,
        "In the slice's month and before as_of.",
        {"min_value": "month_first", "max_value": "month_end", "strict_max": True},
    ),
    RowRule(
        "day_is_local",
        "order_date",
        BETWEEN,
        "The day of occurred_at in the firm's time zone.",
        {"min_value": 0, "max_value": 0},
        of="day_gap",
        fail_above=0.05,
    ),
    RowRule("earned_not_negative", "points_earned", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("used_not_negative", "points_used", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule(
        "customer_known",
        "customer_id",
        "expect_column_values_to_be_null",
        "A key of customers.",
        of="unknown_in_customers",
        fail_above=0.05,
    ),
    MeasureRule(
        "usual_points",
        "points_earned",
        "amount_ratio",
        "The median earning over that of the firm's months before.",
        warn_below=1 / 3,
        warn_above=3,
        fail_below=0.1,
        fail_above=10,
    ),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows a day over the median of the firm's months before.",
        warn_below=0.5,
        warn_above=3,
        fail_below=0.1,
        fail_above=10,
    ),
    MeasureRule(
        "nothing_lost",
        "",
        "kept_ratio",
        "Rows over those of the same month when it was last read.",
        warn_below=0.95,
        fail_below=0.5,
    ),
    MeasureRule(
        "freshness",
        "order_date",
        "silence_ratio",
        "Days from the last movement to as_of over the firm's longest usual gap.",
        warn_above=1,
        fail_above=None,
    ),
)
