"""``retention``: remove what the settings do not keep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from include.cli.console import console


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
) -> None:
    """Remove old snapshots, logs, incidents and runs, as FIRMAMENT_KEEP_... say (docs/scale.md).

    The upkeep DAG does the same once a day. Example: python -m include retention --dry-run
    """
    from include.retention import apply
    from include.settings import Settings

    for line in apply(Settings.read(), now=datetime.now(UTC), dry_run=dry_run):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
