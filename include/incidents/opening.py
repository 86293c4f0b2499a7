"""The one place that opens incidents: record a failure, store its messages, and send those that are due.

If the warehouse is down, the failure goes to a local file (``include/incidents/spool.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from include.firms import FirmShape
from include.incidents import spool
from include.incidents.causes import Cause
from include.incidents.delivery import deliver_due, targets_of
from include.incidents.kinds import SEVERITIES, Kind
from include.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """One failure of a firm; ``firm`` is None for the installation. A quiet failure sends no message."""

    firm: FirmShape | None
    error: str
    log_url: str
    as_of: date | None = None
    task_id: str = ""
    run_id: str | None = None
    is_quiet: bool = False


def open_incident(cause: Cause, failure: Failure, settings: Settings) -> None:
    """Record a failure under its cause, then send the messages that are due."""
    if record(cause, failure, settings):
        deliver_due(settings)


def record(cause: Cause, failure: Failure, settings: Settings) -> bool:
    """Record a failure under its cause; False when the warehouse is down and it is in a local file."""
    from include.warehouse.incidents import Incidents

    row, entry = _rows(cause, failure)
    try:
        with Incidents(settings.warehouse_dsn()) as incidents:
            incidents.record(row, entry)
    except Exception as error:
        log.warning("The incident is kept in a file, because the warehouse is down: %s", type(error).__name__)
        spool.keep(row, entry, settings)
        return False
    return True


def _rows(cause: Cause, failure: Failure) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of a failure in ``control.incidents`` and ``control.incident_firms``."""
    from include.firms import Alerts

    alerts = failure.firm.alerts if failure.firm is not None else Alerts()
    row = {
        "place": cause.place,
        "kind": cause.kind.name,
        "resource_name": cause.resource,
        "severity": severity_of(cause.kind, alerts.tier),
        "error": failure.error,
    }
    entry: dict[str, Any] = {
        "firm_key": failure.firm.firm_key if failure.firm is not None else "",
        "as_of": failure.as_of,
        "task_id": failure.task_id,
        "run_id": failure.run_id,
        "error": failure.error,
        "log_url": failure.log_url,
        "targets": targets_of(alerts),
        "is_quiet": failure.is_quiet,
    }
    return row, entry


def report(kind: Kind, found: Sequence[tuple[str, Failure]], settings: Settings) -> None:
    """Report what a check found, as pairs of resource and failure, and close what it no longer finds."""
    report_all([kind], [(kind, resource, failure) for resource, failure in found], settings)


def report_all(kinds: Sequence[Kind], found: Sequence[tuple[Kind, str, Failure]], settings: Settings) -> None:
    """Report what checks of these kinds found, and close the failures of the kinds that they did not find."""
    from include.warehouse.incidents import Incidents

    with Incidents(settings.warehouse_dsn()) as incidents:
        began = incidents.now()
        seen = set()
        for kind, resource, failure in found:
            row, entry = _rows(Cause(kind, resource), failure)
            incidents.record(row, entry)
            seen.add((kind.name, resource, entry["firm_key"], failure.as_of))
        gone = [
            entry["entry_id"]
            for entry in incidents.open_entries([kind.name for kind in kinds])
            if (entry["kind"], entry["resource_name"], entry["firm_key"], entry["as_of"]) not in seen
        ]
        if gone:
            incidents.mark_gone(gone, before=began)
            incidents.close_finished(closed_by="recheck")
    deliver_due(settings)


def severity_of(kind: Kind, tier: str) -> str:
    """The severity of a kind for a firm's tier: one step higher for ``critical``, lower for ``low``."""
    step = {"critical": -1, "low": 1}.get(tier, 0)
    place = SEVERITIES.index(kind.severity) + step
    return SEVERITIES[min(max(place, 0), len(SEVERITIES) - 1)]
