"""Find the firms whose facts are not there by their hour: the scheduled start plus ``alerts.deadline_hours``.

This detects failures without a failed task: a scheduler that did not run, a pool that is full, an interval
replaced by a manual run, a DAG paused in Airflow.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NamedTuple

from include.firms import FirmShape
from include.incidents.kinds import KINDS, is_of_an_error
from include.incidents.opening import Failure, report
from include.registry import known_firms
from include.schedule import last_due
from include.settings import Settings
from include.steps import steps_for
from include.warehouse.incidents import Incidents
from include.warehouse.progress import Progress

KIND = KINDS["deadline_missed"]


class Missed(NamedTuple):
    """A firm's snapshot that is not complete after its deadline, and how many of its steps are missing."""

    firm: FirmShape
    as_of: date
    missing: int
    steps: int


def missed_deadlines(
    settings: Settings, *, at: datetime, complete: Collection[tuple[str, date]] = ()
) -> tuple[list[Missed], set[tuple[str, date]]]:
    """The firms that are late at ``at``, and the snapshots that are known to be complete.

    ``complete`` is what an earlier call returned: these snapshots are not looked up again.
    """
    missed, known = [], set()
    with Progress(settings.warehouse_dsn()) as progress:
        changed = progress.changed_at()
        for firm in known_firms(settings.registry):
            limit = at - timedelta(hours=firm.alerts.deadline_hours)
            as_of = last_due(firm, limit)
            if as_of is None or changed.get(firm.firm_key, at) > limit:
                continue
            if (firm.firm_key, as_of) not in complete:
                steps = {step.name for step in steps_for(firm.modules)}
                # Steps added by a release do not make earlier snapshots incomplete.
                steps &= progress.known_steps(firm.firm_key) or steps
                if absent := steps - progress.ended_steps(firm.firm_key, as_of):
                    missed.append(Missed(firm, as_of, len(absent), len(steps)))
                    continue
            known.add((firm.firm_key, as_of))
    return missed, known


def report_deadlines(settings: Settings, missed: Collection[Missed]) -> list[str]:
    """Open incidents for late firms and close those of firms that are not late; the late ones as text.

    A firm whose run of that day failed is in another open incident and is not reported again.
    """
    with Incidents(settings.warehouse_dsn()) as incidents:
        explained = {
            (entry["firm_key"], entry["as_of"])
            for entry in incidents.open_entries()
            if is_of_an_error(entry["kind"])
        }
    failures = [
        (str(late.as_of), _failure(late))
        for late in missed
        if (late.firm.firm_key, late.as_of) not in explained
    ]
    report(KIND, failures, settings)
    return [f"{late.firm.firm_key} {late.as_of}" for late in missed]


def _failure(late: Missed) -> Failure:
    hours = late.firm.alerts.deadline_hours
    return Failure(
        firm=late.firm,
        as_of=late.as_of,
        error=f"{late.missing} of {late.steps} steps have not ended {hours} h after the scheduled start",
        log_url=f"the runs of DAG firm_{late.firm.firm_key} in Airflow",
    )
