"""Publish to a firm's schema in its own Oracle database.

Oracle commits before and after each ``create table``, so missing tables are created first, empty; all rows
then go in one transaction. The statements were tested as text on Postgres, with a substitute for the
connection, and never on an Oracle server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import oracledb

from include import sql_text
from include.publishing import Published, PublishError, PublishRowError, Run, statements
from include.publishing.tables import LEDGER, LONG, Table
from include.sources.oracle import connect_with_hook

BATCH_ROWS = 10_000


class Oracle:
    """The target schema; rows are merged or inserted in batches of binds."""

    def __init__(
        self,
        conn_id: str,
        schema: str,
        connection_uri: Callable[[str], str],
        *,
        connect: Callable[[str], Any] | None = None,
    ) -> None:
        """Open nothing yet. ``connect`` opens a connection by its Airflow id (default: Airflow's hook)."""
        self._conn_id = conn_id
        self._owner = schema.upper()
        self._connect = connect or (lambda conn_id: connect_with_hook(conn_id, connection_uri))
        self._where = f"schema {self._owner!r} of connection {conn_id}"

    @contextmanager
    def transaction(self, tables: tuple[Table, ...]) -> Iterator[_Writer]:
        """Create missing tables, lock out other writers, and commit all or nothing."""
        with self._session() as (connection, cursor):
            known = self._catalogue(cursor)
            for table in (LEDGER, *tables):
                if table.name not in known:
                    cursor.execute(statements.create(table, long_type="clob"))
                elif missing := sorted(set(table.columns) - known[table.name]):
                    raise PublishRowError(
                        f"{self._where}: {table.name} has no columns {missing}; see docs/publishing.md"
                    )
            cursor.execute(statements.lock(LEDGER))
            yield _Writer(connection)

    def delete_customer(self, firm_id: str, customer_id: str) -> int:
        """Delete a customer's row; how many. 0 if nothing was ever published."""
        with self._session() as (_, cursor):
            if "analytic_customer" not in self._catalogue(cursor):
                return 0
            cursor.execute(
                "delete from analytic_customer\n"
                "where firm_id = :firm_id and unique_customer_id = :unique_customer_id",
                {"firm_id": firm_id, "unique_customer_id": customer_id},
            )
            return int(cursor.rowcount)

    @contextmanager
    def _session(self) -> Iterator[tuple[Any, Any]]:
        try:
            connection = self._connect(self._conn_id)
        except oracledb.Error as error:
            raise PublishError(f"{self._where}: cannot connect: {_code(error)}") from None
        try:
            connection.current_schema = self._owner
            with connection.cursor() as cursor:
                yield connection, cursor
            connection.commit()
        except oracledb.Error as error:
            raise PublishError(f"{self._where}: {_code(error)}; no row was changed") from None
        finally:
            with contextlib.suppress(oracledb.Error):  # closing rolls back what is not committed
                connection.close()

    def _catalogue(self, cursor: Any) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        cursor.execute(
            *sql_text.for_oracle(sql_text.read("extract", "oracle", "catalogue"), {"owner": self._owner})
        )
        for relation, column in cursor.fetchall():
            found.setdefault(str(relation).lower(), set()).add(str(column).lower())
        return found


class _Writer:
    """One open transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def published(self, table: Table, run: Run) -> Published:
        """Read from the ledger what the table shows."""
        with self._connection.cursor() as cursor:
            cursor.execute(statements.published(LEDGER), run.key(table))
            newest, attempt = cursor.fetchone()
        # Oracle's DATE has a time of day.
        day = newest.date() if hasattr(newest, "date") else newest
        return Published(day, None if attempt is None else int(attempt))

    def write(self, table: Table, run: Run, rows: Iterable[tuple[Any, ...]]) -> int:
        """Merge rows, or replace earlier ones, in batches."""
        count = 0
        replaced: set[tuple[Any, ...]] = set()
        text = statements.insert(table) if table.replaces else statements.merge(table)
        long = {name: oracledb.DB_TYPE_CLOB for name, kind in table.columns.items() if kind == LONG}
        given = iter(rows)
        with self._connection.cursor() as cursor:
            while batch := list(islice(given, BATCH_ROWS)):
                binds = [dict(zip(table.columns, row, strict=True)) for row in batch]
                keys = {tuple(row[name] for name in table.replaces) for row in binds} - replaced
                if table.replaces and keys:
                    cursor.executemany(
                        statements.delete(table, table.replaces),
                        [dict(zip(table.replaces, key, strict=True)) for key in sorted(keys)],
                    )
                    replaced |= keys
                if long:
                    cursor.setinputsizes(**long)
                cursor.executemany(text, binds)
                count += len(binds)
            if not table.replaces:
                cursor.execute(
                    statements.delete_earlier(table), {"firm_id": run.firm_id, "run_id": run.run_id}
                )
        return count

    def record(self, table: Table, run: Run, row_count: int) -> None:
        """Record in the ledger what was written."""
        with self._connection.cursor() as cursor:
            cursor.execute(statements.delete(LEDGER, LEDGER.replaces), run.key(table))
            cursor.execute(statements.insert(LEDGER), run.entry(table, row_count))


def _code(error: oracledb.Error) -> str:
    """Oracle's error code, without the text, which may quote a row's value."""
    return str(getattr(error.args[0], "full_code", "") or type(error).__name__) if error.args else "an error"
