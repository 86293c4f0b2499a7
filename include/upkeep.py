"""Upkeep of an installation: registry sync, clean-up of handoffs, alerts of missing snapshots."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.alerts import Failure, cause_of, send_again, send_once
from include.handoff import Handoff
from include.pools import add_missing_pools
from include.registry import SyncReport, known_firms, sync_firms
from include.runbook import rerun_command
from include.schedule import last_due
from include.settings import Settings
from include.steps import steps_for
from include.warehouse import MigrationError, Warehouse
from include.warehouse.alerts import LATE_ROWS, AlertQueue
from include.warehouse.migrations import pending
from include.warehouse.progress import Progress

GRACE = timedelta(hours=6)  # a snapshot is missing this long after it was due
KEEP_ATTEMPTS = timedelta(days=2)  # longer than the longest step with its retries


def check_schema(settings: Settings) -> None:
    """Fail when the warehouse lacks a migration. Migrations are applied at deploy, not by the hourly run."""
    if waiting := pending(settings.warehouse_dsn()):
        raise MigrationError(
            f"the warehouse lacks {len(waiting)} migrations ({', '.join(waiting)}); apply them: "
            "python -m include migrate"
        )


def sync(settings: Settings, *, force: bool = False) -> tuple[SyncReport, list[str]]:
    """Write the registry from ``control.firms`` and add the pools that Airflow lacks; the report, the pools.

    FirmError, after both, when a row was left out.
    """
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        report = sync_firms(warehouse.firms, settings.registry, force=force)
    try:
        added = add_missing_pools(firm.pool for firm in known_firms(settings.registry))
    finally:
        report.check()
    return report, added


def collect(settings: Settings) -> int:
    """Delete files of abandoned attempts, which no manifest refers to; how many."""
    with tempfile.TemporaryDirectory(prefix="firmament-collect-") as scratch:
        handoff = Handoff(settings.root, scratch=Path(scratch))
        return handoff.collect(older_than=KEEP_ATTEMPTS, now=datetime.now(UTC))


def missing_snapshots(settings: Settings, *, at: datetime) -> list[str]:
    """Firms whose latest due snapshot is missing; sends one alert for each.

    This detects failures without a failed task: a scheduler that did not run, an interval replaced by a
    manual run, a DAG paused in Airflow.
    """
    missing = []
    dsn = settings.warehouse_dsn()
    with AlertQueue(dsn) as queue, Progress(dsn) as progress:
        changed = progress.changed_at()
        for firm in known_firms(settings.registry):
            as_of = last_due(firm, at - GRACE)
            if as_of is None or changed.get(firm.firm_key, at) > at - GRACE:
                continue
            steps = {step.name for step in steps_for(firm.modules)}
            # Steps added by a release do not make earlier snapshots incomplete.
            steps &= progress.known_steps(firm.firm_key) or steps
            absent = steps - progress.ended_steps(firm.firm_key, as_of)
            if not absent:
                continue
            missing.append(f"{firm.firm_key} {as_of}")
            if queue.is_reported(firm.firm_key, as_of):
                continue
            error = f"{len(absent)} of {len(steps)} steps have not run {GRACE} after the snapshot was due"
            send_once(
                Failure(
                    firm_key=firm.firm_key,
                    step="missing snapshot",
                    as_of=as_of.isoformat(),
                    error=error,
                    log_url=f"the runs of DAG firm_{firm.firm_key} in Airflow",
                    rerun=rerun_command(firm.firm_key, as_of),
                    cause=cause_of("missing snapshot", firm.firm_key, as_of.isoformat()),
                ),
                firm.alerts,
            )
    return missing


def late_rows(settings: Settings) -> list[str]:
    """Firms with late-arriving or deleted rows in closed months; sends one alert for each change.

    Runs count these months again in the source and store the counts in ``control.slices``.
    """
    from include.run.reconcile import late_rows_message

    found = []
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        for firm in known_firms(settings.registry):
            for dataset, rows in warehouse.records.slices.late(firm.firm_key).items():
                pairs = {str(row.slice): (row.source_rows or 0, row.compared_rows or 0) for row in rows}
                as_of = max(row.compared_as_of or row.as_of for row in rows)
                found.append(f"{firm.firm_key} {dataset} {', '.join(pairs)}")
                send_once(
                    Failure(
                        firm_key=firm.firm_key,
                        step=LATE_ROWS,
                        as_of=as_of.isoformat(),
                        error=f"{dataset} {late_rows_message(pairs)}",
                        log_url="control.slices in the warehouse",
                        rerun=f"{rerun_command(firm.firm_key, as_of)} --full",
                        cause=cause_of(LATE_ROWS, firm.firm_key, dataset, repr(sorted(pairs.items()))),
                    ),
                    firm.alerts,
                )
    return found


def resend(settings: Settings) -> int:
    """Send undelivered alerts again; how many were accepted."""
    return send_again({firm.firm_key: firm.alerts for firm in known_firms(settings.registry)})
