"""The gate's rules for events beside a sale, beside those of the contract."""

from include.datasets.engagement import ACTIVITY_TYPES
from include.quality.rules import MeasureRule, RowRule
from include.quality.shared_rules import (
    BETWEEN,
    EVENT_DAYS,
    IN_SET,
    NOTHING_LOST,
    freshness,
    known,
    not_negative,
    usable,
)

SUITE = (
    usable("interaction_id"),
    RowRule(
        "activity_type_known",
        "activity_type",
        IN_SET,
        "One of the activity types there are.",
        {"value_set": list(ACTIVITY_TYPES)},
    ),
    *EVENT_DAYS,
    not_negative("count", "event_count"),
    not_negative("cost", "cost_amount"),
    RowRule("nps_in_range", "nps_score", BETWEEN, "0 to 10.", {"min_value": 0, "max_value": 10}),
    RowRule("sentiment_in_range", "sentiment_score", BETWEEN, "-1 to 1.", {"min_value": -1, "max_value": 1}),
    known("customer"),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows a day over the median of the firm's months before; campaigns come in waves, so it only warns.",
        warn_below=0.2,
        warn_above=10,
    ),
    NOTHING_LOST,
    freshness("event", fail_above=None),
)
