"""Plan a backfill: the missing snapshots of a firm in a range of days.

A snapshot depends only on rows dated before its day, so days may run in any order and repeatedly. A
backfill runs them from first to last and skips complete ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from include.firms import Firm
from include.schedule import run_day
from include.steps import Step, steps_for
from include.warehouse.progress import Progress


class Day(NamedTuple):
    """One snapshot of the plan, and its missing steps."""

    as_of: date
    missing: tuple[Step, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every step has run."""
        return not self.missing


def plan(firm: Firm, first: date, last: date, progress: Progress, *, again: bool = False) -> list[Day]:
    """The firm's days from ``first`` to ``last``, both included; ``again`` plans every step of each.

    A day is planned from its first missing step on, because later steps depend on it.
    """
    steps = steps_for(firm.modules)
    days = []
    for as_of in days_between(first, last, every_days=max(1, firm.working_day_period)):
        ended = set() if again else progress.ended_steps(firm.firm_key, as_of)
        first_missing = next((i for i, step in enumerate(steps) if step.name not in ended), len(steps))
        days.append(Day(as_of, steps[first_missing:]))
    return days


def days_between(first: date, last: date, *, every_days: int) -> Iterator[date]:
    """The scheduled days from ``first`` to ``last``; ValueError when there is none."""
    if first > last:
        raise ValueError(f"--from {first} is after --to {last}; swap them")
    day = run_day(first + timedelta(days=every_days - 1), every_days=every_days)
    if day > last:
        raise ValueError(
            f"no run of the firm (every {every_days} days) lies in {first} to {last}; widen the range"
        )
    while day <= last:
        yield day
        day += timedelta(days=every_days)
