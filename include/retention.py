"""Retention: how long snapshots, computed handoffs, logs, incidents and Airflow's runs are kept.

Everything is kept unless a setting says otherwise. Of snapshots that are too old, the last one of each month
stays. A removed day can be computed again: months of sales stay in the handoffs, and the records that the day
was computed are removed with it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from include.datasets import catalogue
from include.handoff import Handoff, Slot
from include.settings import PROJECT, Settings, SettingsError
from include.slices import Slice
from include.steps import STEPS
from include.warehouse import Warehouse

LEAST_SNAPSHOT_DAYS = 35  # mart.vw_segment_migration looks back 30 days
CLEAN_SECONDS = 900


@dataclass(frozen=True)
class Policy:
    """Days that each kind of thing is kept; None: for ever."""

    snapshots: int | None = None
    logs: int | None = None
    incidents: int | None = None
    airflow: int | None = None

    @classmethod
    def read(cls, settings: Settings) -> Policy:
        """The policy of the environment; SettingsError for a value that cannot be used."""
        return cls(
            snapshots=_days(settings, "FIRMAMENT_KEEP_SNAPSHOT_DAYS", least=LEAST_SNAPSHOT_DAYS),
            logs=_days(settings, "FIRMAMENT_KEEP_LOG_DAYS"),
            incidents=_days(settings, "FIRMAMENT_KEEP_INCIDENT_DAYS"),
            airflow=_days(settings, "FIRMAMENT_KEEP_AIRFLOW_DAYS"),
        )


def expired(days: Sequence[date], *, keep: int) -> list[date]:
    """The snapshots to remove: older than ``keep`` days before the latest, and not the last of their month.

    An ``as_of`` is exclusive, so the snapshot of 1 November is the last of October.
    """
    if not days:
        return []
    limit = max(days) - timedelta(days=keep)
    last = {}
    for day in sorted(days):
        known = day - timedelta(days=1)
        last[known.year, known.month] = day
    kept = set(last.values())
    return [day for day in sorted(days) if day <= limit and day not in kept]


def apply(settings: Settings, *, now: datetime, dry_run: bool = False) -> Iterator[str]:
    """Remove what the policy does not keep; a line of text for each kind and firm."""
    policy = Policy.read(settings)
    would = "would be " if dry_run else ""
    if policy.snapshots is not None:
        yield from _snapshots(settings, policy.snapshots, dry_run=dry_run)
    if policy.incidents is not None:
        before = now - timedelta(days=policy.incidents)
        with Warehouse(settings.warehouse_dsn()) as warehouse:
            retention = warehouse.retention
            count = retention.old_incidents(before) if dry_run else retention.remove_incidents(before)
        yield f"incidents closed before {before:%Y-%m-%d}: {count} {would}removed"
    if policy.logs is not None:
        before = now - timedelta(days=policy.logs)
        count = remove_logs(settings.logs, before=before, dry_run=dry_run)
        yield f"log files last written before {before:%Y-%m-%d}: {count} {would}removed"
    if policy.airflow is not None:
        before = now - timedelta(days=policy.airflow)
        yield f"runs in Airflow before {before:%Y-%m-%d}: " + (
            "would be removed" if dry_run else clean_airflow(settings, before=before)
        )
    if policy == Policy():
        yield "everything is kept; to change that, set FIRMAMENT_KEEP_... (docs/scale.md)"


def _snapshots(settings: Settings, keep: int, *, dry_run: bool) -> Iterator[str]:
    with (
        Warehouse(settings.warehouse_dsn()) as warehouse,
        tempfile.TemporaryDirectory(prefix="firmament-retention-") as scratch,
    ):
        handoff = Handoff(settings.root, scratch=Path(scratch))
        for row in warehouse.retention.snapshots():
            days = expired(row["days"], keep=keep)
            if not days:
                continue
            span = f"{row['firm_key']}: {len(days)} of {len(row['days'])} snapshots, {days[0]} to {days[-1]}"
            if dry_run:
                yield f"{span}, would be removed"
                continue
            rows = warehouse.retention.remove_days(row["firm_key"], row["firm_sk"], days)
            if rows is None:
                yield f"{span}, stay until the next time: a step of the firm runs"
                continue
            files = sum(handoff.forget(slot) for slot in computed_slots(row["firm_key"], days))
            yield f"{span}, removed: {rows:,} rows of facts, {files:,} files"


def computed_slots(firm_key: str, days: Iterable[date]) -> Iterator[Slot]:
    """The handoffs of a firm's days that its steps can compute again, without those that later steps read."""
    remembered = {step.remembers.name for step in STEPS if step.remembers is not None}
    extracted = {step.writes.name for step in STEPS if step.kind_name == "extract" and step.writes}
    names = [
        dataset
        for dataset in catalogue().values()
        if dataset.by == "as_of" and dataset.name not in remembered | extracted
    ]
    for day in days:
        for dataset in names:
            yield Slot(firm_key, dataset, Slice(day))


def remove_logs(folder: Path, *, before: datetime, dry_run: bool = False) -> int:
    """Remove log files that were last written before an instant, and folders that are then empty."""
    count = 0
    for path in sorted(folder.rglob("*.log"), reverse=True) if folder.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < before.timestamp():
            count += 1
            if not dry_run:
                path.unlink(missing_ok=True)
                _remove_empty(path.parent, folder)
    return count


def _remove_empty(folder: Path, top: Path) -> None:
    while folder not in (top, folder.parent):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def clean_airflow(settings: Settings, *, before: datetime) -> str:
    """Remove old runs, tasks and logs from Airflow's database with ``airflow db clean``; what came of it.

    A task has no access to that database, so the command takes it from what ``make up`` wrote.
    """
    words = [
        "db",
        "clean",
        "--clean-before-timestamp",
        f"{before:%Y-%m-%dT%H:%M:%SZ}",
        "--skip-archive",
        "--yes",
    ]
    if not (settings.home / "airflow" / "services.json").is_file():
        return f"not removed, no `make up` here; schedule it beside Airflow: airflow {' '.join(words)}"
    environ = {
        name: text
        for name, text in settings.environ.items()
        if not name.startswith(("AIRFLOW__DATABASE__", "_AIRFLOW", "__AIRFLOW"))
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "include", "airflow", *words],
        cwd=PROJECT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=CLEAN_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(
            f"airflow db clean ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}\n"
            f"Run it by hand: python -m include airflow {' '.join(words)}"
        )
    return f"removed in {time.monotonic() - began:.0f} s"


def is_daily(at: datetime, *, hour: int = 2) -> bool:
    """Whether an hourly run is the one of the day in which retention is applied."""
    return at.astimezone(UTC).hour == hour


def _days(settings: Settings, variable: str, *, least: int = 1) -> int | None:
    text = settings.environ.get(variable) or ""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,5}", text) or int(text) < least:
        raise SettingsError(f"{variable}={text!r} must be a number of days, {least} or more; empty: for ever")
    return int(text)
