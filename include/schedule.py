"""When a firm runs, and how every run gets its ``as_of``.

A firm runs every ``working_day_period`` days at ``schedule_hour`` and ``schedule_minute`` in its time zone.
Days are counted from a Monday, so a weekly firm runs on Mondays, and no schedule depends on the day a firm
was added.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from include.firms import FirmShape
from include.periods import as_of_of_interval, parse_as_of

DAILY, WEEKLY = 1, 7


class AsOfError(ValueError):
    """A run's as_of is invalid; a retry cannot succeed."""


def is_scheduled(firm: FirmShape) -> bool:
    """Whether the firm has a schedule. An inactive or paused firm has none and runs only manually."""
    return firm.working_day_period > 0 and not firm.is_paused


def cron(firm: FirmShape) -> str | None:
    """The schedule as a cron expression in the firm's time zone; None if cron cannot express it."""
    days = {DAILY: "*", WEEKLY: "1"}.get(firm.working_day_period)
    return f"{firm.schedule_minute} {firm.schedule_hour} * * {days}" if days else None


def run_day(day: date, *, every_days: int) -> date:
    """The latest scheduled day on or before ``day``."""
    # date.min, ordinal 1, is a Monday.
    return day - timedelta(days=(day.toordinal() - 1) % every_days)


def instant_of(day: date, *, hour: int, minute: int = 0, zone: str) -> datetime:
    """The instant (UTC) at which the run of ``day`` is due."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due_at(at: datetime, *, every_days: int, hour: int, minute: int = 0, zone: str) -> datetime:
    """The latest due instant on or before ``at``."""
    day = run_day(at.astimezone(ZoneInfo(zone)).date(), every_days=every_days)
    due = instant_of(day, hour=hour, minute=minute, zone=zone)
    if due <= at:
        return due
    return instant_of(day - timedelta(days=every_days), hour=hour, minute=minute, zone=zone)


def firm_due_at(firm: FirmShape, at: datetime) -> datetime:
    """The latest instant on or before ``at`` at which a run of the firm was due; it must have a schedule."""
    return due_at(
        at,
        every_days=firm.working_day_period,
        hour=firm.schedule_hour,
        minute=firm.schedule_minute,
        zone=firm.timezone,
    )


def last_due(firm: FirmShape, at: datetime) -> date | None:
    """The as_of of the latest run due at ``at``; None for a firm without a schedule."""
    if not is_scheduled(firm):
        return None
    return as_of_of_interval(firm_due_at(firm, at), firm.timezone)


def as_of_of_run(context: Mapping[str, Any], zone: str) -> date:
    """The as_of of an Airflow run: its parameter ``as_of`` if given, else the end of its data interval.

    A run without a logical date has no interval; its as_of is the firm's date when the run was due. AsOfError
    for an invalid date, a date in the future, or a parameter given to a backfill.
    """
    run = context["dag_run"]
    today = as_of_of_interval(run.run_after, zone)
    asked = context["params"].get("as_of")
    if asked is None:
        end = run.data_interval_end
        return as_of_of_interval(end, zone) if end is not None else today
    if getattr(run.run_type, "value", run.run_type) == "backfill":
        raise AsOfError(
            "a backfill takes no as_of: each of its runs uses the end of its own interval. "
            "Start it again without the parameter"
        )
    try:
        as_of = parse_as_of(asked)
    except ValueError as error:
        raise AsOfError(str(error)) from None
    if as_of > today:
        raise AsOfError(
            f"as_of {as_of} is in the future: today is {today} in {zone}. "
            f"Start the run with {today} or earlier"
        )
    return as_of
