"""Upkeep of an installation: registry sync, clean-up of handoffs, checks that open incidents."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include import retention
from include.deadlines import missed_deadlines, report_deadlines
from include.handoff import Handoff
from include.incidents.closing import recheck
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, report
from include.incidents.spool import recover
from include.pools import add_missing_pools, wanted_pools
from include.registry import SyncReport, known_firms, sync_firms
from include.settings import Settings
from include.warehouse import MigrationError, Warehouse
from include.warehouse.migrations import pending
from include.watcher import report_silence

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
        added = add_missing_pools(wanted_pools(known_firms(settings.registry)))
    finally:
        report.check()
    return report, added


def collect(settings: Settings, *, at: datetime) -> tuple[int, list[str]]:
    """Delete files of abandoned attempts, which no manifest refers to; how many.

    Once a day apply the retention too (``include/retention.py``); its lines.
    """
    with tempfile.TemporaryDirectory(prefix="firmament-collect-") as scratch:
        handoff = Handoff(settings.root, scratch=Path(scratch))
        count = handoff.collect(older_than=KEEP_ATTEMPTS, now=datetime.now(UTC))
    return count, list(retention.apply(settings, now=at)) if retention.is_daily(at) else []


def missing_snapshots(settings: Settings, *, at: datetime) -> list[str]:
    """Firms whose facts are not there by their deadline; opens one incident for each day."""
    missed, _ = missed_deadlines(settings, at=at)
    return report_deadlines(settings, missed)


def late_rows(settings: Settings) -> list[str]:
    """Datasets of firms with late-arriving or deleted rows in closed months; opens an incident for each.

    Runs count these months again in the source and store the counts in ``control.slices``.
    """
    from include.run.reconcile import late_rows_message

    found = []
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        for firm in known_firms(settings.registry):
            for dataset, rows in warehouse.records.slices.late(firm.firm_key).items():
                pairs = {str(row.slice): (row.source_rows or 0, row.compared_rows or 0) for row in rows}
                failure = Failure(
                    firm=firm,
                    as_of=max(row.compared_as_of or row.as_of for row in rows),
                    error=f"{dataset} {late_rows_message(pairs)}",
                    log_url="control.slices in the warehouse",
                )
                found.append(
                    (f"{firm.firm_key}/{dataset}", failure, f"{' '.join([dataset, ', '.join(pairs)])}")
                )
    report(KINDS["late_rows"], [(resource, failure) for resource, failure, _ in found], settings)
    return [f"{resource.partition('/')[0]} {text}" for resource, _, text in found]


def model_drift(settings: Settings) -> list[str]:
    """Firms and modules whose latest scored customers have drifted; opens an incident for each."""
    found = []
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        drifted = warehouse.records.models.drifted()
        firms = {firm.firm_key: firm for firm in known_firms(settings.registry)}
        for row in drifted:
            if (firm := firms.get(row["firm_key"])) is not None:
                failure = Failure(
                    firm=firm,
                    as_of=row["as_of"],
                    error=(
                        f"{row['module']}: population stability index {row['psi']:.2f} (limit 0.25), most in "
                        f"{row['most_shifted_feature']}"
                    ),
                    log_url="control.vw_model_drift in the warehouse",
                )
                found.append((f"{firm.firm_key}/{row['module']}", failure))
    report(KINDS["model_drift"], found, settings)
    return [resource for resource, _ in found]


def check_incidents(settings: Settings) -> list[int]:
    """Record what was kept in files, close what is over, and send what is due; the numbers of those closed.

    The watcher does the same each minute; it is reported when it is silent.
    """
    recover(settings)
    report_silence(settings)
    return recheck(settings)
