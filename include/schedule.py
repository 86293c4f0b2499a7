"""When a firm runs, and the one rule that gives every run its ``as_of``.

A firm runs every ``working_day_period`` days at ``schedule_hour`` in its own zone. The days are counted
from a Monday, so a weekly firm runs on Mondays and no firm's rhythm hangs on the day it was added.
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
    """A run's as_of cannot be used; trying again would not help."""


def is_scheduled(firm: FirmShape) -> bool:
    """Whether the firm runs by itself; an inactive or paused one runs only when somebody starts it."""
    return firm.working_day_period > 0 and not firm.is_paused


def cron(firm: FirmShape) -> str | None:
    """The firm's rhythm as a cron expression in its zone; None when cron has no word for it."""
    days = {DAILY: "*", WEEKLY: "1"}.get(firm.working_day_period)
    return f"0 {firm.schedule_hour} * * {days}" if days else None


def run_day(day: date, *, every_days: int) -> date:
    """The latest day of the rhythm that is not after ``day``."""
    # date.min, ordinal 1, is a Monday.
    return day - timedelta(days=(day.toordinal() - 1) % every_days)


def moment(day: date, *, hour: int, zone: str) -> datetime:
    """The instant, in UTC, at which a run of ``day`` is due."""
    return datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due_at(at: datetime, *, every_days: int, hour: int, zone: str) -> datetime:
    """The latest due instant that is not after ``at``."""
    day = run_day(at.astimezone(ZoneInfo(zone)).date(), every_days=every_days)
    due = moment(day, hour=hour, zone=zone)
    return due if due <= at else moment(day - timedelta(days=every_days), hour=hour, zone=zone)


def last_due(firm: FirmShape, at: datetime) -> date | None:
    """The as_of of the latest snapshot that was due at ``at``; None for a firm that is not scheduled."""
    if not is_scheduled(firm):
        return None
    due = due_at(at, every_days=firm.working_day_period, hour=firm.schedule_hour, zone=firm.timezone)
    return as_of_of_interval(due, firm.timezone)


def as_of_of_run(context: Mapping[str, Any], zone: str) -> date:
    """The as_of of an Airflow run: the ``as_of`` it was started with, else its interval's end.

    A run started without a logical date has no interval: it is as of the firm's own date at
    the moment the run was due. AsOfError for a date that is no date or lies ahead of the run.
    """
    run = context["dag_run"]
    today = as_of_of_interval(run.run_after, zone)
    asked = context["params"].get("as_of")
    if asked is None:
        end = run.data_interval_end
        return as_of_of_interval(end, zone) if end is not None else today
    if getattr(run.run_type, "value", run.run_type) == "backfill":
        raise AsOfError(
            "as_of cannot be given to a backfill: each of its runs takes the end of its own interval. "
            "Start it again without the parameter"
        )
    try:
        as_of = parse_as_of(asked)
    except ValueError as error:
        raise AsOfError(str(error)) from None
    if as_of > today:
        raise AsOfError(
            f"as_of {as_of} lies ahead: it is {today} in {zone}, and nothing after that has happened. "
            f"Start the run with {today} or earlier"
        )
    return as_of
