"""Write the registry that DAG files read, and add the pools that Airflow lacks."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from include.cli.console import console, stop

if TYPE_CHECKING:
    from include.warehouse import Warehouse


def sync_registry(
    warehouse: Warehouse, *, force: bool = False, needs_pools: bool = False, removed: Collection[str] = ()
) -> None:
    """Write the registry; with ``needs_pools`` a pool that cannot be added is an error.

    ``removed`` names the firms that the command has removed: no accident, however many they are.
    """
    from include.firms import FirmError
    from include.registry import sync_firms
    from include.settings import Settings

    path = Settings.read().registry
    try:
        report = sync_firms(warehouse.firms, path, force=force, removed=removed)
        console.print(f"registry: {len(report.kept)} firms in {path}", highlight=False)
        _add_pools(path, must=needs_pools)
        report.check()
    except FirmError as error:
        stop(error)


def _add_pools(registry: Path, *, must: bool) -> None:
    """Add the pools that Airflow lacks. Without Airflow the registry is all there is to sync."""
    from include.connections import MissingConnectionError
    from include.pools import PoolError, add_missing_pools, wanted_pools
    from include.registry import known_firms
    from include.settings import SettingsError

    try:
        added = add_missing_pools(wanted_pools(known_firms(registry)))
    except MissingConnectionError:
        console.print("pools: not checked, no Airflow runs here", highlight=False)
    except (PoolError, SettingsError) as error:
        if must:
            stop(error)
        console.print(f"pools: {error}", markup=False, highlight=False, soft_wrap=True)
    else:
        found = f"added {', '.join(added)}" if added else "all exist"
        console.print(f"pools: {found}", highlight=False)
