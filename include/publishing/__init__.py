"""Publishing: a firm's results, written back into its own Postgres or Oracle schema in one transaction.

The tables are rows of ``tables.py``, each filled by ``sql/publish/<table>.sql`` from the warehouse. A
writer that dies leaves the firm's tables as they were; a run published twice leaves them the same; a run
of an older day adds its row to what is kept by run, and never puts an older snapshot back.
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
    """Results were not written back; nothing was changed. The message says what to mend."""


class PublishRowError(PublishError, FirmError):
    """What the firm's row says of publishing is wrong; a task does not retry it."""


class Run(NamedTuple):
    """What is published: a firm's snapshot, by an attempt."""

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
        """The ledger's row for a table; its instant is UTC, as the column knows no zone."""
        return {
            **self.key(table),
            "run_date": self.as_of,
            "attempt": self.attempt,
            "row_count": row_count,
            "published_at": datetime.now(UTC).replace(tzinfo=None),
        }


class Standing(NamedTuple):
    """What a table of the firm shows already."""

    newest: date | None
    attempt: int | None


class Writer(Protocol):
    """One open transaction in a firm's schema."""

    def standing(self, table: Table, run: Run) -> Standing:
        """What the table shows."""

    def write(self, table: Table, run: Run, rows: Iterable[Row]) -> int:
        """Merge or replace rows; how many."""

    def record(self, table: Table, run: Run, row_count: int) -> None:
        """Note in the ledger what was written."""


class Target(Protocol):
    """A firm's schema in its own database."""

    def transaction(self, tables: tuple[Table, ...]) -> AbstractContextManager[Writer]:
        """Make missing tables, keep other writers out, and commit all or nothing."""

    def forget(self, firm_id: str, customer_id: str) -> int:
        """Delete a customer's row; how many."""


def publish(target: Target, names: Iterable[str], run: Run, read: Read) -> tuple[int, str]:
    """Write the named tables of a run in one transaction; rows written, and what was left alone."""
    wanted = set(names)
    tables = tuple(table for table in TABLES if table.name in wanted)
    written, left = 0, []
    with target.transaction(tables) as writer:
        for table in tables:
            standing = writer.standing(table, run)
            if standing.attempt is not None and standing.attempt > run.attempt:
                raise PublishError(
                    f"{table.name} of {run.run_id} is attempt {standing.attempt}'s; this is {run.attempt}"
                )
            if table.holds_latest and standing.newest is not None and standing.newest > run.as_of:
                left.append(f"{table.name} shows {standing.newest} and was left alone")
                continue
            with read(table.name) as (columns, rows):
                if set(columns) != set(table.columns):
                    raise PublishError(f"sql/publish/{table.name}.sql does not give the table's columns")
                order = [columns.index(name) for name in table.columns]
                count = writer.write(table, run, (tuple(row[i] for i in order) for row in rows))
            writer.record(table, run, count)
            written += count
            faults.point("publish.after_table")
        faults.point("publish.before_commit")
    faults.point("publish.after_commit")
    return written, "; ".join(left)


def open_target(firm: Firm, connection_uri: Callable[[str], str]) -> Target:
    """The schema that a firm's row names, in whichever system its connection is of."""
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
    "Run",
    "Standing",
    "Table",
    "Target",
    "Writer",
    "open_target",
    "publish",
]
