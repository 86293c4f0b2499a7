"""A backfill in Airflow: which firms have days to run, their days one after another, and what is left.

The DAG ``firmament_backfill`` calls these. It is a DAG of its own, and not ``airflow backfill``: its pool
limits how many firms run at a time, so that other firms keep their deadlines, and a run that is cancelled
leaves nothing queued (airflow#72337).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from include.backfill import Day, plan
from include.firms import Firm, FirmError, parse_firm
from include.periods import parse_as_of
from include.run import Attempt, run_stage
from include.schedule import is_scheduled
from include.settings import Settings
from include.warehouse import Warehouse
from include.warehouse.progress import Progress

DAG_ID = "firmament_backfill"
MOST_GROUPS = 500  # mapped tasks of one run; Airflow allows 1,024

log = logging.getLogger(__name__)


class BackfillError(RuntimeError):
    """Days of a backfill are missing; the message names them."""


@dataclass(frozen=True)
class Range:
    """What a backfill is asked for: one firm or all (empty), days from first to last, stale ones too."""

    firm: str
    first: date
    last: date
    stale: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Range:
        """The range of a run's parameters; ValueError when a day cannot be read or they are swapped."""
        first, last = parse_as_of(str(params["first"])), parse_as_of(str(params["last"]))
        if first > last:
            raise ValueError(f"first {first} is after last {last}; swap them")
        return cls(str(params.get("firm") or ""), first, last, bool(params.get("stale")))


def firm_groups(settings: Settings, wanted: Range) -> list[list[str]]:
    """The firms that have days to run, in groups for one task each; none where everything is complete."""
    keys = [
        firm.firm_key for firm, days in _plans(settings, wanted) if not all(day.is_complete for day in days)
    ]
    size = -(-len(keys) // MOST_GROUPS) or 1
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def run_group(settings: Settings, wanted: Range, keys: Sequence[str], *, run_id: str) -> dict[str, int]:
    """Run the firms' missing days, from first to last; days done by firm.

    A firm that fails keeps its other days for the next attempt and does not stop the others. BackfillError,
    at the end, names each with its first error.
    """
    done: dict[str, int] = {}
    failures = []
    for key in keys:
        done[key] = 0
        ((_, days),) = _plans(settings, Range(key, wanted.first, wanted.last, wanted.stale))
        for day in (day for day in days if not day.is_complete):
            try:
                run_stage(day.missing, key, day.as_of, attempt=Attempt(run_id))
            except Exception as error:
                log.exception("%s as of %s failed", key, day.as_of)
                reason = (str(error) or repr(error)).splitlines()[0]
                failures.append(f"{key} as of {day.as_of}: {reason}")
                break
            done[key] += 1
    if failures:
        raise BackfillError("; ".join(failures))
    return done


def reconcile(settings: Settings, wanted: Range) -> list[str]:
    """One line for each firm: complete days of the range; BackfillError when some are missing."""
    lines, missing = [], []
    for firm, days in _plans(settings, wanted):
        left = [str(day.as_of) for day in days if not day.is_complete]
        lines.append(f"{firm.firm_key}: {len(days) - len(left)} of {len(days)} days are complete")
        if left:
            missing.append(f"{firm.firm_key}: {', '.join(left[:10])}" + (" ..." if len(left) > 10 else ""))
    if missing:
        raise BackfillError(
            f"days are missing in {len(missing)} of {len(lines)} firms: {'; '.join(missing)}. "
            "To continue, start the same backfill again"
        )
    return lines


def _plans(settings: Settings, wanted: Range) -> Iterator[tuple[Firm, list[Day]]]:
    """Each firm of the range with its days; without firms that have no schedule or no day in the range."""
    dsn = settings.warehouse_dsn()
    with Warehouse(dsn) as warehouse:
        rows = [warehouse.firms.firm_row(wanted.firm)] if wanted.firm else warehouse.firms.firm_rows()
    with Progress(dsn) as progress:
        for firm in _usable(rows, only_scheduled=not wanted.firm):
            today = datetime.now(UTC).astimezone(ZoneInfo(firm.timezone)).date()
            try:
                yield firm, plan(firm, wanted.first, min(wanted.last, today), progress, stale=wanted.stale)
            except ValueError as error:  # no scheduled day in the range
                if wanted.firm:
                    raise
                log.info("%s: %s", firm.firm_key, error)


def _usable(rows: Iterable[Mapping[str, Any]], *, only_scheduled: bool) -> Iterator[Firm]:
    for row in rows:
        try:
            firm = parse_firm(dict(row))
        except FirmError as error:
            if not only_scheduled:
                raise
            log.warning("left out: %s", error)
            continue
        if not only_scheduled or is_scheduled(firm.shape):
            yield firm
