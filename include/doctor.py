"""Check an installation part by part, and name the command that fixes each fault.

Each check uses the real part: it queries the warehouse, runs concurrent writers on the store, and opens
each firm's source. A firm that cannot be read does not stop the checks of other firms.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any, NamedTuple

from include.connections import (
    MissingConnectionError,
    connection_in_environment,
    connection_uri,
    services_setting,
)
from include.datasets.extracted import TRANSACTIONS
from include.firms import Firm, FirmError, parse_firm
from include.handoff import HandoffError
from include.handoff.store_calls import Conflict
from include.handoff.stores import check_hosts, open_store
from include.incidents.closing import WATCHER
from include.incidents.kinds import KINDS, START
from include.incidents.message import duration_text
from include.pools import PoolError, missing_pools, wanted_pools
from include.registry import known_firms, read_registry
from include.service_accounts import RUNS
from include.settings import Settings, SettingsError
from include.sources import SourceError, open_source
from include.warehouse import Warehouse, WarehouseError
from include.warehouse.heartbeats import Heartbeats
from include.warehouse.incident_messages import IncidentMessages
from include.warehouse.incident_rows import IncidentRows
from include.warehouse.migrations import pending
from include.watcher import SILENCE
from include.watcher.airflow_checks import airflow_findings
from include.watcher.certificates import certificate_findings
from include.watcher.finding import Finding as Watched
from include.watcher.machine_checks import machine_findings

WRITERS = 8


class Finding(NamedTuple):
    """One part: what was tried, whether it is well, what was seen, and the command that fixes it."""

    part: str
    is_well: bool
    says: str
    fix: str = ""


def examine(settings: Settings, *, only: str | None = None) -> Iterator[Finding]:
    """Every part in the order in which one needs the other; ``only`` limits the firms to one."""
    try:
        dsn = settings.warehouse_dsn()
        waiting = pending(dsn)
    except (SettingsError, WarehouseError) as error:
        yield Finding("warehouse", False, str(error), START)
        yield from _machine(settings)
        return
    says = f"waits for {', '.join(waiting)}: python -m include migrate" if waiting else "schema is up to date"
    yield Finding("warehouse", not waiting, says, "python -m include migrate" if waiting else "")
    yield _store(settings)
    if waiting:
        return
    with Warehouse(dsn) as warehouse:
        rows = warehouse.firms.firm_rows()
    keys = {str(row["firm_key"]) for row in rows}
    yield _registry(settings, keys)
    yield _pools(settings)
    yield from _machine(settings)
    yield from _airflow(settings)
    yield from _messages(dsn)
    if only is not None and only not in keys:
        yield Finding(f"firm {only}", False, "no such firm; see them: python -m include firms list")
    for row in rows:
        if only in (None, row["firm_key"]):
            yield _firm(row, settings)


def _machine(settings: Settings) -> Iterator[Finding]:
    """Disk and clock, and whether every host can read the handoffs."""
    executor = services_setting("AIRFLOW__CORE__EXECUTOR")
    try:
        check_hosts(settings.root, executor, is_shared=settings.is_shared_folder)
    except HandoffError as error:
        yield Finding("handoffs", False, str(error))
    now = datetime.now(UTC)
    found = _watched(
        "machine", lambda: [*machine_findings(settings), *certificate_findings(settings, now=now)]
    )
    yield from found or [Finding("machine", True, "disk, clock and certificates are well")]


def _airflow(settings: Settings) -> Iterator[Finding]:
    """What the watcher would find in Airflow now, and whether the watcher runs."""
    firms = {firm.firm_key: firm for firm in known_firms(settings.registry)}
    if connection_in_environment(RUNS.conn_id) is None:
        yield Finding("airflow", True, f"not checked: no connection {RUNS.conn_id!r} in the environment")
        return
    found = _watched("airflow", lambda: airflow_findings(firms, now=datetime.now(UTC)))
    yield from found or [Finding("airflow", True, f"services, {len(firms)} DAGs, pools and queue are well")]
    with Heartbeats(settings.warehouse_dsn()) as heartbeats:
        age = heartbeats.ages().get(WATCHER)
    if age is None or age > SILENCE:
        when = "has never run" if age is None else f"was last heard of {duration_text(age)} ago"
        yield Finding("watcher", False, f"{when}; outside of `make up` run it from cron", START)
    else:
        yield Finding("watcher", True, f"its last pass was {duration_text(age)} ago")


def _messages(dsn: str) -> Iterator[Finding]:
    """Open incidents, and targets that do not accept messages."""
    with IncidentRows(dsn) as rows, IncidentMessages(dsn) as messages:
        numbers = [str(row["incident_id"]) for row in rows.incidents(is_open=True)]
        unsent = messages.unsent()
    says = f"open: {', '.join(numbers[:10])}" if numbers else "none is open"
    yield Finding("incidents", not numbers, says, "python -m include incidents" if numbers else "")
    for row in unsent:
        kind, _, address = row["target_name"].partition(" ")
        conn_id = address.partition(" ")[0]
        yield Finding(
            f"messages to {kind} {conn_id}", False,
            f"{row['messages']} not accepted since {row['since']:%Y-%m-%d %H:%M} UTC; correct the connection",
            f"python -m include airflow connections get {conn_id}",
        )  # fmt: skip


def _watched(part: str, check: Callable[[], list[Watched]]) -> list[Finding]:
    """Findings of the watcher's checks as the doctor's; an error is one too."""
    try:
        found = check()
    except (WarehouseError, SettingsError, OSError) as error:
        return [Finding(part, False, str(error))]
    rows = []
    for one in found:
        kind = KINDS[one.kind]
        key = one.firm.firm_key if one.firm is not None else "FIRM"
        fix = kind.command.format(id="ID", firm=key, as_of=one.as_of or "DATE", resource=one.resource)
        rows.append(Finding(part, False, f"{kind.title.format(resource=one.resource)}: {one.says}", fix))
    return rows


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
        wanted = wanted_pools(known_firms(settings.registry))
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
