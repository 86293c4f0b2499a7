"""Plan a backfill: which snapshots of a firm in a range of days are missing, stale or current.

A snapshot depends only on rows dated before its day, so days may run in any order and repeatedly. A
backfill runs them from first to last and skips complete ones, so the same command continues one that was
interrupted.

A complete snapshot is stale when a setting that can change a number has changed since, or when another
version of Firmament computed it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from include.firms import Firm, FirmError, parse_firm
from include.schedule import run_day
from include.steps import Step, steps_for
from include.version import code_version, version_of
from include.warehouse.past_runs import PastRuns
from include.warehouse.progress import Progress

MISSING, STALE, CURRENT = "missing", "stale", "current"
RECENT = 5  # complete snapshots from which rows and seconds are expected


class Day(NamedTuple):
    """One snapshot of the plan: the steps to run, and why a complete snapshot is stale."""

    as_of: date
    missing: tuple[Step, ...]
    why_stale: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every step has run."""
        return not self.missing

    @property
    def state(self) -> str:
        """``missing``, ``stale`` or ``current``."""
        if self.why_stale:
            return STALE
        return CURRENT if self.is_complete else MISSING


class Expected(NamedTuple):
    """What one day is expected to take: rows written and seconds, from the latest complete snapshots."""

    rows: int
    seconds: float


def plan(
    firm: Firm, first: date, last: date, progress: Progress, *, again: bool = False, stale: bool = False
) -> list[Day]:
    """The firm's days from ``first`` to ``last``, both included.

    ``again`` plans every step of each day, ``stale`` every step of stale days. Another day is planned from
    its first missing step on, because later steps depend on it.
    """
    steps = steps_for(firm.modules)
    days = []
    with PastRuns(progress.dsn) as past:
        runs = past.latest_runs(firm.firm_key, first, last)
    for as_of in days_between(first, last, every_days=max(1, firm.working_day_period)):
        ended = set() if again else progress.ended_steps(firm.firm_key, as_of)
        first_missing = next((i for i, step in enumerate(steps) if step.name not in ended), len(steps))
        missing = steps[first_missing:]
        why = "" if missing else why_stale(firm, runs.get(as_of))
        days.append(Day(as_of, steps if why and stale else missing, why))
    return days


def why_stale(firm: Firm, run: Mapping[str, Any] | None) -> str:
    """Why a snapshot of that run, a row of ``control.runs``, would be computed differently now; or empty."""
    if run is None:
        return ""
    computed, now = version_of(run["code_version"] or ""), version_of(code_version())
    if computed != now:
        return f"computed by version {computed or 'before 0.9'}, now {now}"
    try:
        earlier = parse_firm({**firm.model_dump(mode="json", by_alias=True), **run["firm_row"]})
    except FirmError:
        return "the firm's settings have changed"
    return "" if earlier.settings_reference == firm.settings_reference else "the firm's settings have changed"


def expected(past: PastRuns, firm: Firm) -> Expected | None:
    """The median of the latest complete snapshots; None before the first."""
    names = [step.name for step in steps_for(firm.modules)]
    found: Sequence[Mapping[str, Any]] = past.costs(firm.firm_key, names, limit=RECENT)
    if not found:
        return None
    rows = statistics.median(row["row_count"] for row in found)
    return Expected(int(rows), float(statistics.median(row["seconds"] for row in found)))


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
