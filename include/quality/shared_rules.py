"""Rules that the suites of several datasets hold in the same words."""

from __future__ import annotations

from datetime import date

from include.periods import EARLIEST
from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
MATCH = "expect_column_values_to_match_regex"
NULL = "expect_column_values_to_be_null"

EVENT_DAYS = (
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
)
MONTH_VOLUME = MeasureRule(
    "volume",
    "",
    "volume_ratio",
    "Rows a day over the median of the firm's months before.",
    warn_below=0.5,
    warn_above=3,
    fail_below=0.1,
    fail_above=10,
)
SNAPSHOT_VOLUME = MeasureRule(
    "volume",
    "",
    "volume_ratio",
    "Rows over the median of the firm's snapshots before.",
    warn_below=0.9,
    warn_above=1.5,
    fail_below=0.1,
    fail_above=10,
)
NOTHING_LOST = MeasureRule(
    "nothing_lost",
    "",
    "kept_ratio",
    "Rows over those of the same month when it was last read.",
    warn_below=0.95,
    fail_below=0.5,
)

FEW_REJECTED = (
    MeasureRule(
        "rejected_rows",
        "",
        "rejected_rows",
        "Share of the source's rows that cannot be used.",
        warn_above=0.01,
        fail_above=0.2,
    ),
    MeasureRule(
        "rejected_money",
        "net_amount",
        "rejected_money",
        "Share of the source's money in rows that cannot be used.",
        warn_above=0.01,
        fail_above=0.2,
    ),
)


def usable(column: str) -> RowRule:
    """A key is any text but the empty one and NUL, which Postgres cannot hold."""
    return RowRule(
        f"{column}_usable", column, MATCH, "Not empty, no NUL character.", {"regex": r"^[^\x00]+$"}
    )


def not_negative(what: str, column: str, *, fail_above: float | None = 0.0) -> RowRule:
    """``what`` is short for the column in the rule's name."""
    return RowRule(
        f"{what}_not_negative", column, BETWEEN, "Zero or more.", {"min_value": 0}, fail_above=fail_above
    )


def before_as_of(
    what: str, column: str, *, since: int, warn_above: float = 0.0, fail_above: float | None = 0.0
) -> RowRule:
    """A day from the year ``since`` on, before the snapshot's."""
    return RowRule(
        f"{what}_before_as_of",
        column,
        BETWEEN,
        f"From {since} to as_of, which is excluded.",
        {"min_value": date(since, 1, 1), "max_value": "as_of", "strict_max": True},
        warn_above=warn_above,
        fail_above=fail_above,
    )


def known(what: str, *, or_null: bool = True) -> RowRule:
    """``known("customer")``: customer_id is a key of customers."""
    return RowRule(
        f"{what}_known",
        f"{what}_id",
        NULL,
        f"A key of {what}s{', or null' if or_null else ''}.",
        of=f"unknown_in_{what}s",
        fail_above=0.05,
    )


def usual_amount(name: str, column: str, what: str) -> MeasureRule:
    """The median of a column is near that of the months before."""
    return MeasureRule(
        name,
        column,
        "amount_ratio",
        f"The median {what} over that of the firm's months before.",
        warn_below=1 / 3,
        warn_above=3,
        fail_below=0.1,
        fail_above=10,
    )


def freshness(event: str, *, fail_above: float | None) -> MeasureRule:
    """The firm has not been silent for longer than it ever is."""
    return MeasureRule(
        "freshness",
        "order_date",
        "silence_ratio",
        f"Days from the last {event} to as_of over the firm's longest usual gap.",
        warn_above=1,
        fail_above=fail_above,
    )
