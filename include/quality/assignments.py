"""The gate's rules for assignments made elsewhere, beside those of the contract."""

from include.quality.rules import MeasureRule, RowRule
from include.quality.shared_rules import (
    BETWEEN,
    EVENT_DAYS,
    NOTHING_LOST,
    freshness,
    known,
    not_negative,
    usable,
)

SUITE = (
    usable("assignment_id"),
    usable("action_code"),
    *EVENT_DAYS,
    not_negative("cost", "cost_amount"),
    RowRule("control_share_in_range", "control_share", BETWEEN, "0 to 1.", {"min_value": 0, "max_value": 1}),
    known("customer", or_null=False),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows a day over the median of the firm's months before; campaigns come in waves, so it only warns.",
        warn_below=0.2,
        warn_above=10,
    ),
    NOTHING_LOST,
    freshness("assignment", fail_above=None),
)
