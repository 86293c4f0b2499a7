"""The gate's rules for events beside a sale, beside those of the contract."""

from include.datasets.engagement import ACTIVITY_TYPES
from include.periods import EARLIEST
from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"

SUITE = (
    RowRule(
        "interaction_id_usable",
        "interaction_id",
        "expect_column_values_to_match_regex",
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule(
        "activity_type_known",
        "activity_type",
        "expect_column_values_to_be_in_set",
        "One of the activity types there are.",
        {"value_set": list(ACTIVITY_TYPES)},
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
    RowRule("count_not_negative", "event_count", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("cost_not_negative", "cost_amount", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("nps_in_range", "nps_score", BETWEEN, "0 to 10.", {"min_value": 0, "max_value": 10}),
    RowRule("sentiment_in_range", "sentiment_score", BETWEEN, "-1 to 1.", {"min_value": -1, "max_value": 1}),
    RowRule(
        "customer_known",
        "customer_id",
        "expect_column_values_to_be_null",
        "A key of customers, or null.",
        of="unknown_in_customers",
        fail_above=0.05,
    ),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows a day over the median of the firm's months before; campaigns come in waves, so it only warns.",
        warn_below=0.2,
        warn_above=10,
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
        "Days from the last event to as_of over the firm's longest usual gap.",
        warn_above=1,
        fail_above=None,
    ),
)
