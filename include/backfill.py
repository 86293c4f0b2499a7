"""A backfill: the snapshots of a firm from one day to another, planned before anything runs.

A day's snapshot is a function of the rows dated before it, so days may run in any order and again;
they run here from the first to the last, and what stands already is left alone.
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
    """One snapshot of the plan, and the steps that have yet to run for it."""

    as_of: date
    missing: tuple[Step, ...]

    @property
    def stands(self) -> bool:
        """Whether every step has run."""
        return not self.missing


def plan(firm: Firm, first: date, last: date, progress: Progress, *, again: bool = False) -> list[Day]:
    """The firm's days from ``first`` to ``last``, both included; ``again`` plans every step of each.

    From the first step that is missing on, all steps of a day are planned: what follows was made from less.
    """
    steps = steps_for(firm.modules)
    days = []
    for as_of in days_between(first, last, every_days=max(1, firm.working_day_period)):
        ended = set() if again else progress.ended_steps(firm.firm_key, as_of)
        first_missing = next((i for i, step in enumerate(steps) if step.name not in ended), len(steps))
        days.append(Day(as_of, steps[first_missing:]))
    return days


def days_between(first: date, last: date, *, every_days: int) -> Iterator[date]:
    """The days of a rhythm from ``first`` to ``last``; ValueError when there is none."""
    if first > last:
        raise ValueError(f"a backfill goes forward: {first} lies after {last}")
    day = run_day(first + timedelta(days=every_days - 1), every_days=every_days)
    if day > last:
        raise ValueError(f"no day of the firm's rhythm (every {every_days} days) lies in {first} to {last}")
    while day <= last:
        yield day
        day += timedelta(days=every_days)
