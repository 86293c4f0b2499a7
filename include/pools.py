"""Create the Airflow pools: one per source for its extracts, one for the warehouse, one for backfills.

Airflow leaves a task whose pool does not exist in the state *scheduled*, with only a warning in the
scheduler's log, until the run times out. Each sync of the registry therefore adds missing pools. A pool that
exists keeps the slots an operator gave it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import NamedTuple

from include.airflow_api import AirflowApi, AirflowError
from include.firms import BACKFILL_POOL, WAREHOUSE_POOL, FirmShape
from include.service_accounts import POOLS, sign_in
from include.settings import SettingsError


class Size(NamedTuple):
    """How many slots a pool gets when it is added, and for what."""

    variable: str
    slots: int
    description: str


SOURCE = Size("FIRMAMENT_POOL_SLOTS", 4, "Tasks that read one source at the same time (Firmament)")
OWN = {
    WAREHOUSE_POOL: Size(
        "FIRMAMENT_WAREHOUSE_SLOTS", 16, "Tasks of firms that use the warehouse at the same time (Firmament)"
    ),
    BACKFILL_POOL: Size("FIRMAMENT_BACKFILL_SLOTS", 2, "Firms of a backfill at the same time (Firmament)"),
}

log = logging.getLogger(__name__)


class PoolError(RuntimeError):
    """Pools could not be checked or added: which, why, and the command that adds them."""


def wanted_pools(firms: Iterable[FirmShape]) -> set[str]:
    """The pools that the firms' DAGs need: of their sources, of the warehouse, of backfills."""
    return {firm.pool for firm in firms} | set(OWN)


def add_missing_pools(wanted: Iterable[str]) -> list[str]:
    """Add the pools that Airflow lacks, signed in as the account for pools; their names.

    PoolError when Airflow does not answer or refuses, MissingConnectionError when the account has no
    connection.
    """
    return _asked(wanted, add=True)


def missing_pools(wanted: Iterable[str]) -> list[str]:
    """The pools that Airflow lacks; errors as for :func:`add_missing_pools`."""
    return _asked(wanted, add=False)


def add_pools(api: AirflowApi, wanted: Iterable[str]) -> list[str]:
    """Add the pools that Airflow lacks; the names of those that were added."""
    found = []
    for name in _lacking(api, wanted):
        size = OWN.get(name, SOURCE)
        if api.add_pool(name, slots=_slots(size), description=size.description):
            found.append(name)
    return found


def _asked(wanted: Iterable[str], *, add: bool) -> list[str]:
    names = sorted(set(wanted))
    if not names:
        return []
    try:
        api = sign_in(POOLS)
        return add_pools(api, names) if add else _lacking(api, names)
    except (AirflowError, OSError) as error:
        raise PoolError(
            f"Airflow's pools ({', '.join(names)}) could not be {'added' if add else 'read'}: {error}; "
            f"check connection {POOLS.conn_id!r}, then: python -m include firms sync"
        ) from error


def _lacking(api: AirflowApi, wanted: Iterable[str]) -> list[str]:
    return sorted(set(wanted) - api.pools())


def _slots(size: Size) -> int:
    text = os.environ.get(size.variable) or str(size.slots)
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"{size.variable} must be a whole number above 0, and is {text!r}")
    return int(text)
