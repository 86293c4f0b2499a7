"""The gate's rules for points earned and spent, beside those of the contract."""

from include.quality.shared_rules import (
    EVENT_DAYS,
    MONTH_VOLUME,
    NOTHING_LOST,
    freshness,
    known,
    not_negative,
    usable,
    usual_amount,
)

SUITE = (
    usable("movement_id"),
    *EVENT_DAYS,
    not_negative("earned", "points_earned"),
    not_negative("used", "points_used"),
    known("customer", or_null=False),
    usual_amount("usual_points", "points_earned", "earning"),
    MONTH_VOLUME,
    NOTHING_LOST,
    freshness("movement", fail_above=None),
)
