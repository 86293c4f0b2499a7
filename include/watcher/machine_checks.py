"""Checks of the machine that the watcher runs on: free disk space, and its clock."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.settings import Settings
from include.warehouse.incidents import Incidents
from include.watcher.finding import Finding

LEAST_SHARE, LEAST_BYTES = 0.03, 2 * 1024**3  # a disk is nearly full below both
SKEW = timedelta(seconds=60)
MACHINE_KINDS = ("disk_low", "clock_off")


def machine_findings(settings: Settings) -> list[Finding]:
    """What is wrong with the machine."""
    return [*_disks(settings), *_clock(settings)]


def _disks(settings: Settings) -> Iterator[Finding]:
    folders = {"FIRMAMENT_HOME": settings.home}
    if settings.root.startswith("file://"):
        folders["FIRMAMENT_ROOT"] = Path(unquote(urlsplit(settings.root).path))
    seen = set()
    for name, folder in folders.items():
        while not folder.exists():
            folder = folder.parent
        device = folder.stat().st_dev
        usage = shutil.disk_usage(folder)
        if device in seen or usage.free >= LEAST_BYTES or usage.free >= LEAST_SHARE * usage.total:
            continue
        seen.add(device)
        share = 100 * usage.free / usage.total
        yield Finding(
            "disk_low",
            name,
            f"{usage.free / 1024**2:,.0f} MB ({share:.1f} %) are free in {folder}",
            str(folder),
        )


def _clock(settings: Settings) -> Iterator[Finding]:
    with Incidents(settings.warehouse_dsn()) as warehouse:
        difference = datetime.now(UTC) - warehouse.now()
    if abs(difference) > SKEW:
        seconds = difference.total_seconds()
        yield Finding("clock_off", "clock", f"this machine's clock is {seconds:+.0f} s off the warehouse's")
