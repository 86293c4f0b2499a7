"""Publish a firm's results to its own Postgres or Oracle schema, in one transaction.

The tables are rows of ``tables.py``; ``sql/publish/<table>.sql`` fills each from the warehouse. Publishing
is atomic and idempotent: a killed writer changes nothing, and a run can be published again. A run of an
older day adds its rows to the tables with one row per run; it never replaces a newer snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Protocol

from include import faults
from include.firms import Firm, FirmError
from include.publishing.tables import LEDGER, TABLES, Table

Row = tuple[Any, ...]
Read = Callable[[str], AbstractContextManager[tuple[list[str], Iterator[Row]]]]


class PublishError(RuntimeError):
    """Publishing failed and nothing changed; the message says what to correct."""


class PublishRowError(PublishError, FirmError):
    """The firm's ``publish`` setting is wrong; a task does not retry it."""


class Run(NamedTuple):
    """One attempt to publish a firm's snapshot."""

    firm_id: str
    as_of: date
    attempt: int

    @property
    def run_id(self) -> str:
        """Id of the snapshot: the same for every attempt to publish it."""
        return f"{self.firm_id}/{self.as_of}"

    def key(self, table: Table) -> dict[str, Any]:
        """The key of the ledger's row for a table."""
        return {"firm_id": self.firm_id, "table_name": table.name, "run_id": self.run_id}

    def entry(self, table: Table, row_count: int) -> dict[str, Any]:
        """The ledger's row for a table; ``published_at`` is UTC, because the column has no time zone."""
        return {
            **self.key(table),
            "run_date": self.as_of,
            "attempt": self.attempt,
            "row_count": row_count,
            "published_at": datetime.now(UTC).replace(tzinfo=None),
        }


class Published(NamedTuple):
    """The newest snapshot that a table shows, and the attempt that wrote this run's rows."""

    newest: date | None
    attempt: int | None


class Writer(Protocol):
    """One open transaction in a firm's schema."""

    def published(self, table: Table, run: Run) -> Published:
        """Read from the ledger what the table shows."""

    def write(self, table: Table, run: Run, rows: Iterable[Row]) -> int:
        """Merge or replace rows; how many."""

    def record(self, table: Table, run: Run, row_count: int) -> None:
        """Record in the ledger what was written."""


class Target(Protocol):
    """A firm's schema in its own database."""

    def transaction(self, tables: tuple[Table, ...]) -> AbstractContextManager[Writer]:
        """Create missing tables, lock out other writers, and commit all or nothing."""

    def delete_customer(self, firm_id: str, customer_id: str) -> int:
        """Delete a customer's row; how many."""


def publish(target: Target, names: Iterable[str], run: Run, read: Read) -> tuple[int, str]:
    """Write the named tables of a run in one transaction; rows written, and which tables were skipped."""
    wanted = set(names)
    tables = tuple(table for table in TABLES if table.name in wanted)
    written, left = 0, []
    with target.transaction(tables) as writer:
        for table in tables:
            published = writer.published(table, run)
            if published.attempt is not None and published.attempt > run.attempt:
                raise PublishError(
                    f"{table.name} of {run.run_id} was published by the newer attempt {published.attempt}; "
                    f"this is attempt {run.attempt}, nothing was changed"
                )
            if table.holds_latest and published.newest is not None and published.newest > run.as_of:
                left.append(f"{table.name} shows the newer {published.newest} and was not changed")
                continue
            with read(table.name) as (columns, rows):
                if set(columns) != set(table.columns):
                    raise PublishError(
                        f"sql/publish/{table.name}.sql does not return the columns of publishing/tables.py"
                    )
                order = [columns.index(name) for name in table.columns]
                count = writer.write(table, run, (tuple(row[i] for i in order) for row in rows))
            writer.record(table, run, count)
            written += count
            faults.point("publish.after_table")
        faults.point("publish.before_commit")
    faults.point("publish.after_commit")
    return written, "; ".join(left)


def open_target(firm: Firm, connection_uri: Callable[[str], str]) -> Target:
    """The schema that a firm's row names, in Postgres or Oracle."""
    place = firm.publish
    if place is None or place.conn_id is None or place.db_schema is None:
        raise PublishRowError(f"firm {firm.firm_key}: publish names no conn_id and schema")
    uri = connection_uri(place.conn_id)
    kind = uri.partition("://")[0].partition("+")[0]
    if kind == "postgresql":
        from include.publishing.postgres import Postgres

        return Postgres(uri, place.db_schema, place.conn_id)
    if kind == "oracle":
        from include.publishing.oracle import Oracle

        return Oracle(place.conn_id, place.db_schema, connection_uri)
    raise PublishRowError(
        f"firm {firm.firm_key}: connection {place.conn_id} is of type {kind!r}; "
        "results can be published to postgres and oracle"
    )


__all__ = [
    "LEDGER",
    "TABLES",
    "PublishError",
    "PublishRowError",
    "Published",
    "Run",
    "Table",
    "Target",
    "Writer",
    "open_target",
    "publish",
]
