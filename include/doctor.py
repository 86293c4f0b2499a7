"""Check an installation part by part, and name the command that fixes each fault.

Each check uses the real part: it queries the warehouse, runs concurrent writers on the store, and opens
each firm's source. A firm that cannot be read does not stop the checks of other firms.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any, NamedTuple

from include.connections import MissingConnectionError, connection_uri
from include.datasets.extracted import TRANSACTIONS
from include.firms import Firm, FirmError, parse_firm
from include.handoff import HandoffError
from include.handoff.store_calls import Conflict
from include.handoff.stores import open_store
from include.pools import PoolError, missing_pools
from include.registry import known_firms, read_registry
from include.settings import Settings, SettingsError
from include.sources import SourceError, open_source
from include.warehouse import Warehouse, WarehouseError
from include.warehouse.migrations import pending

WRITERS = 8


class Finding(NamedTuple):
    """One part: what was tried, whether it is well, what was seen or what to do."""

    part: str
    is_well: bool
    says: str


def examine(settings: Settings, *, only: str | None = None) -> Iterator[Finding]:
    """Every part in the order in which one needs the other; ``only`` limits the firms to one."""
    try:
        dsn = settings.warehouse_dsn()
        waiting = pending(dsn)
    except (SettingsError, WarehouseError) as error:
        yield Finding("warehouse", False, str(error))
        return
    says = f"waits for {', '.join(waiting)}: python -m include migrate" if waiting else "schema is up to date"
    yield Finding("warehouse", not waiting, says)
    yield _store(settings)
    if waiting:
        return
    with Warehouse(dsn) as warehouse:
        rows = warehouse.firms.firm_rows()
    keys = {str(row["firm_key"]) for row in rows}
    yield _registry(settings, keys)
    yield _pools(settings)
    if only is not None and only not in keys:
        yield Finding(f"firm {only}", False, "no such firm; see them: python -m include firms list")
    for row in rows:
        if only in (None, row["firm_key"]):
            yield _firm(row, settings)


def _tried(part: str, check: Callable[[], str], *errors: type[Exception]) -> Finding:
    try:
        return Finding(part, True, check())
    except errors as error:
        return Finding(part, False, str(error))


def _store(settings: Settings) -> Finding:
    """Conditional writes are what keeps handoffs right, and some S3 servers only pretend to have them."""

    def race() -> str:
        with TemporaryDirectory() as scratch:
            store = open_store(settings.root, scratch=Path(scratch))
            path = f"doctor/{uuid.uuid4().hex}"
            try:
                etag = store.put(path, b"first", None)
                start = Barrier(WRITERS)

                def write(writer: int) -> bool:
                    start.wait()
                    try:
                        store.put(path, f"writer {writer}".encode(), etag)
                    except Conflict:
                        return False
                    return True

                with ThreadPoolExecutor(WRITERS) as pool:
                    won = sum(pool.map(write, range(WRITERS)))
            finally:
                store.delete(path)
        if won != 1:
            raise HandoffError(
                f"{settings.root}: of {WRITERS} writers with one condition {won} were let through; "
                "its conditional writes (If-Match) cannot be trusted: keep handoffs elsewhere"
            )
        return f"{settings.root}: one of {WRITERS} racing writers won, as it must"

    return _tried("store", race, HandoffError, OSError)


def _registry(settings: Settings, keys: set[str]) -> Finding:
    def compare() -> str:
        listed = {firm.firm_key for firm in read_registry(settings.registry)}
        if missing := sorted(keys - listed):
            raise FirmError(
                f"{settings.registry} lacks {', '.join(missing)}: a row that cannot be used, or "
                "python -m include firms sync"
            )
        return f"{len(listed)} firms in {settings.registry}"

    return _tried("registry", compare, FirmError, OSError)


def _pools(settings: Settings) -> Finding:
    """A task whose pool does not exist waits until its run times out."""

    def compare() -> str:
        wanted = {firm.pool for firm in known_firms(settings.registry)}
        try:
            missing = missing_pools(wanted)
        except MissingConnectionError as error:
            return f"not checked: {error}"
        if missing:
            raise PoolError(f"Airflow lacks {', '.join(missing)}: python -m include firms sync")
        return f"{len(wanted)} pools exist in Airflow"

    return _tried("pools", compare, PoolError, FirmError, SettingsError, OSError)


def _firm(row: dict[str, Any], settings: Settings) -> Finding:
    def reach() -> str:
        firm: Firm = parse_firm(row)
        with TemporaryDirectory() as scratch:
            source = open_source(firm, connection_uri, scratch=Path(scratch))
            first = source.first_month(TRANSACTIONS)
        return f"{firm.source.kind}: sales since {first}" if first else f"{firm.source.kind}: no sales yet"

    return _tried(f"firm {row['firm_key']}", reach, FirmError, SourceError, SettingsError)
