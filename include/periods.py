"""Dates: an exclusive ``as_of`` day, months of events, and days in the firm's time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EARLIEST = date(1990, 1, 1)
LATEST = date(2101, 1, 1)  # exclusive: the warehouse calendar ends on the day before


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in the firm's time zone: events are read and replaced by month."""

    year: int
    month: int

    def __str__(self) -> str:
        """Text form ``2026-11``, used in paths and messages."""
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that contains ``day``."""
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
        """The following month."""
        return Month.of(self.first + timedelta(days=31))

    @property
    def end(self) -> date:
        """The first day of the following month."""
        return self.next.first


def parse_as_of(text: str | date) -> date:
    """Parse an as_of; ValueError for another format or a day before ``EARLIEST``."""
    if isinstance(text, date):
        day = text
    else:
        try:
            day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).date()
        except (ValueError, AttributeError):
            raise ValueError(
                f"as_of {text!r} is not a date; write it like 2026-11-21 (exclusive: data before that day)"
            ) from None
    if day < EARLIEST:
        raise ValueError(f"as_of {day} is before {EARLIEST}, the earliest day Firmament accepts")
    return day


def as_of_of_interval(end: datetime, zone: str) -> date:
    """The as_of of a run: the date in the firm's time zone when its data interval ends."""
    return end.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The instant (UTC) at which ``day`` starts in ``zone``; after the gap if clocks skip midnight."""
    local = datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def months_between(first: Month, before: date) -> Iterator[Month]:
    """Months from ``first`` on that start before the day ``before``."""
    month = first
    while month.first < before:
        yield month
        month = month.next


def is_closed(month: Month, read_as_of: date, *, lookback_days: int) -> bool:
    """Whether a month read at ``read_as_of`` was closed: it ended before the lookback window."""
    return read_as_of >= month.end + timedelta(days=lookback_days)


def months_to_read(
    first: Month, as_of: date, read: dict[Month, date], *, lookback_days: int, full: bool = False
) -> list[Month]:
    """Months a run must read: missing months, and months that were not closed when last read.

    ``read`` maps each month in the handoff to the as_of it was read at. A month read at a later as_of
    contains all data this run may use, so a backfill over existing months reads nothing. ``full`` reads every
    month.
    """
    return [
        month
        for month in months_between(first, as_of)
        if full
        or month not in read
        or (read[month] <= as_of and not is_closed(month, read[month], lookback_days=lookback_days))
    ]


def anchor_of(as_of: date, *, every_months: int) -> date:
    """The latest anchor (training date) on or before ``as_of``: the first of every ``every_months``-th month.

    Months are counted from year 0, so anchors do not depend on the day a firm was added.
    """
    months = as_of.year * 12 + as_of.month - 1
    year, month = divmod(months - months % every_months, 12)
    return date(year, month + 1, 1)
