"""Check whether the failures of open incidents are gone, and close the incidents whose failures all are.

A failed task is gone when every step of it has ended well since, for the same snapshot; or for a later one,
and then the closing message names the snapshot that is still missing. What a check has found, such as late
rows, is gone when the check no longer finds it (``include/incidents/opening.py``: ``report``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from include.firms import FirmShape
from include.incidents.delivery import deliver_due
from include.incidents.kinds import is_of_an_error
from include.registry import known_firms
from include.settings import Settings
from include.steps import steps_for
from include.warehouse.heartbeats import Heartbeats
from include.warehouse.incidents import Incidents
from include.warehouse.progress import Ends, Progress

Row = Mapping[str, Any]
WATCHER = "watcher"
GONE, GONE_BUT_MISSING, THERE = "gone", "gone but missing", "there"


def recheck(settings: Settings) -> list[int]:
    """Close the incidents whose failures are gone, and send what is due; the numbers of those closed."""
    dsn = settings.warehouse_dsn()
    with Incidents(dsn) as incidents:
        began = incidents.now()
        entries = [
            entry for entry in incidents.open_entries() if is_of_an_error(entry["kind"]) or entry["task_id"]
        ]
        if entries:
            firms = {firm.firm_key: firm for firm in known_firms(settings.registry)}
            with Progress(dsn) as progress, Heartbeats(dsn) as heartbeats:
                done = {name: began - age for name, age in heartbeats.ages().items()}
                states = {entry["entry_id"]: _state(entry, firms, progress, done) for entry in entries}
            for state, is_missing in ((GONE, False), (GONE_BUT_MISSING, True)):
                ids = [number for number, found in states.items() if found == state]
                if ids:
                    incidents.mark_gone(ids, before=began, is_snapshot_missing=is_missing)
        closed = incidents.close_finished(closed_by="recheck")
    deliver_due(settings)
    return closed


def _state(
    entry: Row, firms: Mapping[str, FirmShape], progress: Progress, done: Mapping[str, datetime]
) -> str:
    if not entry["firm_key"]:  # a task of the upkeep DAG, or the watcher
        name = entry["task_id"]
        ended = done.get(name if name == WATCHER else f"upkeep.{name}")
        return GONE if ended is not None and ended > entry["failed_at"] else THERE
    firm = firms.get(entry["firm_key"])
    if firm is None or entry["as_of"] is None:
        return GONE if firm is None else THERE
    steps = step_names(firm, entry["task_id"])
    if _have_ended(steps, progress.step_ends(firm.firm_key, entry["as_of"]), since=entry["failed_at"]):
        return GONE
    latest = progress.latest_as_of(firm.firm_key)
    if latest is None or latest <= entry["as_of"]:
        return THERE
    ends = progress.step_ends(firm.firm_key, latest)
    return GONE_BUT_MISSING if _have_ended(steps, ends, since=entry["failed_at"]) else THERE


def step_names(firm: FirmShape, task_id: str) -> list[str]:
    """The steps of a task, such as ``extract.customers``, ``rfm`` or ``compute``; without a task all."""
    steps = steps_for(firm.modules)
    name = task_id.replace(".", "_")
    return [step.name for step in steps if name in ("", *step.names)]


def _have_ended(steps: Iterable[str], ends: Mapping[str, Ends], *, since: datetime) -> bool:
    """Whether the latest attempt of every step ended well, and the last of them ended after the failure."""
    found = [ends.get(name) for name in steps]
    if not found or any(one is None or not one.is_well for one in found):
        return False
    return max(one.ended_at for one in found if one is not None) > since
