"""What keeps an installation in order between runs: the registry, old handoffs, snapshots that never came."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.alerts import Failure, cause_of, send_again, tell
from include.handoff import Handoff
from include.pools import add_missing_pools
from include.registry import SyncReport, standing_firms, sync_firms
from include.runbook import rerun_command
from include.schedule import last_due
from include.settings import Settings
from include.steps import steps_for
from include.warehouse import MigrationError, Warehouse
from include.warehouse.migrations import pending
from include.warehouse.outbox import LATE_ROWS, Outbox
from include.warehouse.progress import Progress
from include.warehouse.session import Row

GRACE = timedelta(hours=6)  # a snapshot that came no later than this after it was due is not missing
KEEP_ATTEMPTS = timedelta(days=2)  # above the longest step with its retries: a slow writer is not a dead one


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
        report = sync_firms(warehouse, settings.registry, force=force)
    try:
        added = add_missing_pools(firm.pool for firm in standing_firms(settings.registry))
    finally:
        report.check()
    return report, added


def collect(settings: Settings) -> int:
    """Remove files of attempts that nothing refers to and nobody can still be writing; how many."""
    with tempfile.TemporaryDirectory(prefix="firmament-collect-") as scratch:
        handoff = Handoff(settings.root, scratch=Path(scratch))
        return handoff.collect(older_than=KEEP_ATTEMPTS, now=datetime.now(UTC))


def missing_snapshots(settings: Settings, *, at: datetime) -> list[str]:
    """Firms whose latest snapshot was due and did not come; each is told of once.

    It catches what no failing task can tell of: a scheduler that did not run, an interval that a
    manual run took the place of, a DAG that was paused in Airflow.
    """
    missing = []
    dsn = settings.warehouse_dsn()
    with Outbox(dsn) as outbox, Progress(dsn) as progress:
        changed = progress.changed_at()
        for firm in standing_firms(settings.registry):
            as_of = last_due(firm, at - GRACE)
            if as_of is None or changed.get(firm.firm_key, at) > at - GRACE:
                continue
            steps = {step.name for step in steps_for(firm.modules)}
            # A release may bring new steps: the snapshots from before it are not missing for that.
            steps &= progress.known_steps(firm.firm_key) or steps
            absent = steps - progress.ended_steps(firm.firm_key, as_of)
            if not absent:
                continue
            missing.append(f"{firm.firm_key} {as_of}")
            if outbox.was_told(firm.firm_key, as_of):
                continue
            error = f"{len(absent)} of {len(steps)} steps had not run {GRACE} after they were due"
            tell(
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
    """Firms whose source has changed in months that are read no more; each change is told of once.

    The runs count those months again and leave what they found in ``control.readings``.
    """
    from include.run.recount import said

    found = []
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        for firm in standing_firms(settings.registry):
            changed: dict[str, list[Row]] = {}
            for row in warehouse.overtaken(firm.firm_key):
                changed.setdefault(str(row["dataset"]), []).append(row)
            for dataset, rows in changed.items():
                pairs = {row["slice"]: (row["row_count"], row["source_row_count"]) for row in rows}
                as_of = max(row["compared_as_of"] for row in rows)
                found.append(f"{firm.firm_key} {dataset} {', '.join(pairs)}")
                tell(
                    Failure(
                        firm_key=firm.firm_key,
                        step=LATE_ROWS,
                        as_of=as_of.isoformat(),
                        error=f"{dataset} {said(pairs)}",
                        log_url="control.readings in the warehouse",
                        rerun=f"{rerun_command(firm.firm_key, as_of)} --full",
                        cause=cause_of(LATE_ROWS, firm.firm_key, dataset, repr(sorted(pairs.items()))),
                    ),
                    firm.alerts,
                )
    return found


def resend(settings: Settings) -> int:
    """Send what no target took when it happened; how many went out."""
    return send_again({firm.firm_key: firm.alerts for firm in standing_firms(settings.registry)})
