"""Publish to a firm's schema in its own Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from include import sql_text
from include.publishing import Published, PublishError, PublishRowError, Run, statements
from include.publishing.tables import LEDGER, Table
from include.warehouse.errors import explain

CONNECT_SECONDS = 15


class Postgres:
    """The target schema; COPY fills a temporary table, then one transaction changes the firm's tables."""

    def __init__(self, uri: str, schema: str, conn_id: str) -> None:
        """Open nothing yet."""
        self._uri = uri
        self._schema = schema
        self._where = f"schema {schema!r} of connection {conn_id}"

    @contextmanager
    def transaction(self, tables: tuple[Table, ...]) -> Iterator[_Writer]:
        """Create missing tables, lock out other writers, and commit all or nothing."""
        with self._session() as connection:
            for table in (LEDGER, *tables):
                self._ensure(connection, table)
            connection.execute(statements.lock(LEDGER))
            yield _Writer(connection)

    def delete_customer(self, firm_id: str, customer_id: str) -> int:
        """Delete a customer's row; how many. 0 if nothing was ever published."""
        with self._session() as connection:
            if not self._columns(connection, "analytic_customer"):
                return 0
            found = connection.execute(
                "delete from analytic_customer where firm_id = %s and unique_customer_id = %s",
                [firm_id, customer_id],
            )
            return found.rowcount

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection[Any]]:
        """One transaction with the firm's schema as search path; its errors contain no row values."""
        try:
            with psycopg.connect(
                self._uri,
                connect_timeout=CONNECT_SECONDS,
                application_name="firmament publish",
                cursor_factory=psycopg.ClientCursor,
            ) as connection:
                connection.execute(
                    "set local lock_timeout = '60s'; set local idle_in_transaction_session_timeout = '10min'"
                )
                known = connection.execute("select to_regnamespace(%s)", [f'"{self._schema}"']).fetchone()
                if known is None or known[0] is None:
                    raise PublishRowError(
                        f"{self._where}: no such schema; create it, or correct publish.schema of the firm"
                    )
                connection.execute(
                    sql.SQL("set local search_path to {}").format(sql.Identifier(self._schema))
                )
                yield connection
        except psycopg.Error as error:
            raise PublishError(f"{self._where}: {explain(error)}; nothing was changed") from None

    def _ensure(self, connection: psycopg.Connection[Any], table: Table) -> None:
        known = self._columns(connection, table.name)
        if not known:
            connection.execute(statements.create(table, long_type="text"))
        elif missing := sorted(set(table.columns) - known):
            raise PublishRowError(
                f"{self._where}: {table.name} has no columns {missing}; see docs/publishing.md"
            )

    def _columns(self, connection: psycopg.Connection[Any], name: str) -> set[str]:
        found = connection.execute(
            "select attname from pg_catalog.pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            [f'"{self._schema}".{name}'],
        )
        return {row[0] for row in found}


class _Writer:
    """One open transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def published(self, table: Table, run: Run) -> Published:
        """Read from the ledger what the table shows."""
        row = self._run(statements.published(LEDGER), run.key(table)).fetchone()
        return Published(row[0], None if row[1] is None else int(row[1])) if row else Published(None, None)

    def write(self, table: Table, run: Run, rows: Iterable[tuple[Any, ...]]) -> int:
        """Stage rows, then merge them or replace earlier ones."""
        staged, count = sql.Identifier(f"stg_{table.name}"), 0
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        name = sql.Identifier(table.name)
        self._connection.execute(
            sql.SQL("create temp table {} on commit drop as select {} from {} with no data").format(
                staged, columns, name
            )
        )
        copy = sql.SQL("copy {} ({}) from stdin").format(staged, columns)
        with self._connection.cursor().copy(copy) as stream:
            for row in rows:
                stream.write_row(row)
                count += 1
        if table.replaces:
            self._connection.execute(
                sql.SQL("delete from {} using {} where {}").format(
                    name, staged, _all(table.name, f"stg_{table.name}", table.replaces)
                )
            )
        merged = sql.SQL("insert into {} ({}) select {} from {}").format(name, columns, columns, staged)
        if not table.replaces:
            changed = sql.SQL(", ").join(
                sql.SQL("{} = excluded.{}").format(sql.Identifier(column), sql.Identifier(column))
                for column in table.columns
                if column not in table.key
            )
            key = sql.SQL(", ").join(map(sql.Identifier, table.key))
            merged += sql.SQL(" on conflict ({}) do update set {}").format(key, changed)
        self._connection.execute(merged)
        if not table.replaces:
            self._run(statements.delete_earlier(table), {"firm_id": run.firm_id, "run_id": run.run_id})
        return count

    def record(self, table: Table, run: Run, row_count: int) -> None:
        """Record in the ledger what was written."""
        self._run(statements.delete(LEDGER, LEDGER.replaces), run.key(table))
        self._run(statements.insert(LEDGER), run.entry(table, row_count))

    def _run(self, text: str, params: dict[str, Any]) -> psycopg.Cursor[Any]:
        return self._connection.execute(*sql_text.for_psycopg(text, params))


def _all(one: str, other: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, column), sql.Identifier(other, column))
        for column in columns
    )
