"""Time as Firmament counts it: an exclusive ``as_of`` day, months of events, days in the firm's zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EARLIEST = date(1990, 1, 1)
LATEST = date(2101, 1, 1)  # exclusive: the warehouse's calendar ends the day before


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in the firm's time zone: the unit in which events are read and replaced."""

    year: int
    month: int

    def __str__(self) -> str:
        """``2026-11``, the form used in paths and messages."""
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def of(cls, day: date) -> Month:
        """The month a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``2026-11``; ValueError for anything else."""
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
            raise ValueError(f"{text!r} is not a month; write it like 2026-11")
        return cls(int(text[:4]), int(text[5:]))

    @property
    def first(self) -> date:
        """The month's first day."""
        return date(self.year, self.month, 1)

    @property
    def next(self) -> Month:
        """The month after."""
        return Month.of(self.first + timedelta(days=31))

    @property
    def end(self) -> date:
        """The day after the month's last."""
        return self.next.first


def parse_as_of(text: str | date) -> date:
    """An as_of from a person or a run's conf; ValueError says how to write it."""
    if isinstance(text, date):
        day = text
    else:
        try:
            day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).date()
        except (ValueError, AttributeError):
            raise ValueError(
                f"as_of {text!r} is not a date; write it like 2026-11-21 (nothing on or after it is known)"
            ) from None
    if day < EARLIEST:
        raise ValueError(f"as_of {day} is before {EARLIEST}, the earliest day Firmament accepts")
    return day


def as_of_of_interval(end: datetime, zone: str) -> date:
    """The as_of of a run: the firm's own date at the moment its data interval ends."""
    return end.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which a day begins in a zone (after the gap where clocks skip it)."""
    local = datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def months_between(first: Month, before: date) -> Iterator[Month]:
    """Months from ``first`` that begin before the day ``before``."""
    month = first
    while month.first < before:
        yield month
        month = month.next


def is_settled(month: Month, read_as_of: date, *, lookback_days: int) -> bool:
    """Whether a month read at ``read_as_of`` lies wholly behind the look-back, so needs no more reading."""
    return read_as_of >= month.end + timedelta(days=lookback_days)


def months_to_read(
    first: Month, as_of: date, read: dict[Month, date], *, lookback_days: int, full: bool = False
) -> list[Month]:
    """The months a run must read: those missing, in the look-back, or current.

    ``read`` maps each month already kept to the as_of it was read at. A month read at a later
    as_of holds everything this one may see, so a backfill over kept months reads nothing.
    """
    return [
        month
        for month in months_between(first, as_of)
        if full
        or month not in read
        or (read[month] <= as_of and not is_settled(month, read[month], lookback_days=lookback_days))
    ]


def anchor_of(as_of: date, *, every_months: int) -> date:
    """The latest anchor on or before ``as_of``: the first of every ``every_months``-th month.

    Months are counted from year 0, so no firm's anchors hang on the day it was added.
    """
    months = as_of.year * 12 + as_of.month - 1
    year, month = divmod(months - months % every_months, 12)
    return date(year, month + 1, 1)
