"""Numbers measured on a slice as a whole and set against the firm's own past.

Each is a ratio, 1 being usual, so that one pair of limits suits a kiosk and a chain. A firm without
a past has nothing to be compared with and passes.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from include.datasets import Dataset
from include.periods import Month
from include.quality.report import Slice

MONTHS_BACK = 12  # how far "usual" looks back
LEAST_ROWS = 20  # fewer rows than this expected, or this times ten found, prove nothing
LEAST_DAYS = 7  # a month that has just begun proves nothing
LEAST_AMOUNTS = 50  # nor does a median of a handful
KNOWN_LONG = timedelta(days=180)  # a past that has seen its holidays
NOT_YET_STALE_DAYS = 14  # with a shorter past, silence up to here only warns
DORMANT_DAYS = 90  # after so long a silence the firm has stopped, not its source
BINS = 100  # to a factor of ten: amounts within 2.3 % share a bin


@dataclass(frozen=True)
class Measurement:
    """A number (None: nothing to compare), in words what was seen, and whether it can be critical."""

    value: float | None
    observed: str
    may_fail: bool = True
    samples: tuple[str, ...] = ()


@dataclass
class Profile:
    """What is kept of a slice for later checks: its days with events and a histogram of its amounts."""

    days: set[date] = field(default_factory=set)
    bins: Counter[int] = field(default_factory=Counter)
    amount: float | None = None

    def add_amounts(self, amounts: Iterable[float]) -> None:
        """Count positive amounts by their logarithm: bounded however many rows there are."""
        import numpy as np

        values = np.asarray(list(amounts) if not hasattr(amounts, "__array__") else amounts, dtype=float)
        positive = values[values > 0]
        keys, counts = np.unique(np.floor(np.log10(positive) * BINS).astype(int), return_counts=True)
        self.bins.update(dict(zip(keys.tolist(), counts.tolist(), strict=True)))

    @property
    def usual_amount(self) -> float | None:
        """The median positive amount, to 2.3 %; None when there are too few."""
        total = self.bins.total()
        if total < LEAST_AMOUNTS:
            return self.amount
        seen = 0
        for key in sorted(self.bins):
            seen += self.bins[key]
            if 2 * seen >= total:
                return float(10 ** ((key + 0.5) / BINS))
        raise AssertionError("a histogram has a median")

    def text(self) -> str:
        """The profile as one line of JSON, for ``control.quality``."""
        amount = self.usual_amount
        return json.dumps(
            {
                "days": sorted(day.isoformat() for day in self.days),
                "usual_amount": None if amount is None else float(f"{amount:.4g}"),
            }
        )

    @classmethod
    def parse(cls, given: object) -> Profile:
        """A profile from an earlier check; an empty one from anything else."""
        row = json.loads(given) if isinstance(given, str) else given
        if not isinstance(row, Mapping):
            return cls()
        return cls(days={date.fromisoformat(d) for d in row.get("days", ())}, amount=row.get("usual_amount"))


@dataclass(frozen=True)
class Past:
    """The firm's earlier slices of one dataset, latest reading of each."""

    rows: Mapping[str, tuple[int, date]]
    profiles: Mapping[str, Profile]

    @classmethod
    def of(cls, history: Sequence[Mapping[str, object]]) -> Past:
        """From rows of ``slice, rows, as_of`` and, where it was kept, ``profile``."""
        rows: dict[str, tuple[int, date]] = {}
        profiles: dict[str, Profile] = {}
        for row in history:
            key = str(row["slice"])
            given = row["as_of"]
            as_of = given if isinstance(given, date) else date.fromisoformat(str(given))
            if key not in rows or rows[key][1] <= as_of:
                rows[key] = (int(str(row["rows"])), as_of)
                profiles[key] = Profile.parse(row.get("profile"))
        return cls(rows, profiles)


@dataclass(frozen=True)
class Unchanged:
    """A slice of the run that passed the gate before: its rows, and the profile that was kept of it."""

    rows: int
    profile: Profile


def elapsed_days(key: str, known_before: date) -> int:
    """Days of a month that had passed; 1 for a snapshot, whose rows are not spread over days."""
    if len(key) != 7:
        return 1
    month = Month.parse(key)
    return max((min(month.end, known_before) - month.first).days, 0)


def volume_ratio(part: Slice, past: Past, known_before: date, dataset: Dataset) -> Measurement:
    """Rows a day over the median of earlier slices."""
    by_month = dataset.by == "month"
    days = elapsed_days(part.text, known_before)
    if not past.rows:
        return Measurement(None, f"{part.rows:,} rows; a first extraction, nothing to compare with")
    rates = [
        rows / elapsed_days(key, as_of)
        for key, (rows, as_of) in sorted(past.rows.items())
        if key < part.text and elapsed_days(key, as_of) >= (LEAST_DAYS if by_month else 1)
    ][-MONTHS_BACK:]
    if not rates or not days:
        return Measurement(None, f"{part.rows:,} rows; nothing earlier to compare with")
    wanted = median(rates) * days
    if not wanted:
        return Measurement(None, f"{part.rows:,} rows; there were usually none before")
    over = f" over {days} days" if by_month else ""
    observed = f"{part.rows:,} rows{over}, usually about {wanted:,.0f}"
    enough = part.rows >= 10 * LEAST_ROWS if part.rows > wanted else wanted >= LEAST_ROWS
    return Measurement(part.rows / wanted, observed, enough and (not by_month or days >= LEAST_DAYS))


def kept_ratio(part: Slice, past: Past, known_before: date) -> Measurement:
    """Rows over those of the same slice when it was last read, unless that was at a later as_of."""
    rows, read = past.rows.get(part.text, (0, known_before))
    if not rows or read > known_before:
        return Measurement(None, f"{part.rows:,} rows; not read before")
    return Measurement(
        part.rows / rows,
        f"{part.rows:,} rows, {rows:,} when read for {read}",
        rows >= LEAST_ROWS,
    )


def amount_ratio(part: Slice, profiles: Mapping[str, Profile]) -> Measurement:
    """The usual amount over that of the months before, in the same extraction or an earlier one."""
    mine = profiles[part.text].usual_amount
    earlier = [
        amount
        for key in sorted(profiles)
        if key < part.text and (amount := profiles[key].usual_amount) is not None
    ][-MONTHS_BACK:]
    if mine is None or not earlier:
        return Measurement(None, "too few amounts, or no earlier month, to compare")
    usual = median(earlier)
    return Measurement(mine / usual, f"median {mine:,.2f}, usually about {usual:,.2f}")


def silence_ratio(
    profiles: Mapping[str, Profile], *, as_of: date, period_days: int, is_first: bool
) -> Measurement:
    """Days from the last event to as_of over the firm's longest usual gap between days with events.

    A firm that trades weekly has gaps of a week. A firm whose data ended long ago has stopped trading: the
    gap is a warning and stops nothing.
    """
    days = sorted(day for profile in profiles.values() for day in profile.days if day < as_of)
    if not days:
        return Measurement(None, "no event before as_of: nothing to check")
    silent = (as_of - days[-1]).days
    gaps = [(b - a).days for a, b in pairwise(days)]
    usual = max([*gaps, period_days, 1])
    long_known = days[-1] - days[0] >= KNOWN_LONG
    may_fail = (
        not is_first
        and silent <= DORMANT_DAYS
        and (long_known or silent > NOT_YET_STALE_DAYS)
        and len(days) > 2
    )
    observed = f"last event on {days[-1]}, {silent} days to as_of {as_of}; at most {usual} days are usual"
    return Measurement(silent / usual, observed, may_fail)


def is_tail_known(profiles: Mapping[str, Profile], volumes: Mapping[str, int], as_of: date) -> bool:
    """Whether the last month that had rows is among those whose days are known; ``volumes``: rows by slice.

    If it is not (the month was unchanged and left no profile), a gap in the data and a gap in the
    profiles look the same.
    """
    known = max((key for key, profile in profiles.items() if profile.days), default="")
    return not any(rows and key > known and Month.parse(key).first < as_of for key, rows in volumes.items())


def recent(profiles: Mapping[str, Profile], as_of: date) -> dict[str, Profile]:
    """The profiles of the last twelve months before as_of that had events."""
    keys = sorted(k for k, p in profiles.items() if any(day < as_of for day in p.days))
    return {key: profiles[key] for key in keys[-MONTHS_BACK:]}


def is_number(value: float | None) -> bool:
    """Whether there is a finite number to compare."""
    return value is not None and math.isfinite(value)
