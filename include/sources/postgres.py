"""Read a shop's operational schema in Postgres as Arrow, through ADBC.

The statements are ``sql/extract/postgres/<dataset>.sql``; they expect the schema of ``shop.sql``. Each
extract is one REPEATABLE READ snapshot, read through a server-side cursor, so memory is bounded by one
batch. Money is read as text, because the driver would convert it to float.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from psycopg.sql import Literal

from include import sql_text
from include.datasets import Dataset
from include.firms import Firm
from include.periods import Month, start_of_day
from include.sources import (
    BATCH_ROWS,
    EARLIEST,
    LATEST,
    SourceError,
    SourceRowError,
    common_binds,
    extracted_schema,
)

CONNECT_SECONDS = 15
BATCH_BYTES = 32 << 20
FIRST_ROWS = 256
GROWTH = 16


class Postgres:
    """The source of a firm whose row says ``kind: postgres``; ``Odoo`` reads other tables the same way."""

    kind = "postgres"
    fields: tuple[str, ...] = ("conn_id", "schema")  # the fields of the firm's source that this kind uses
    required_tables: tuple[str, ...] = (
        "customers", "products", "orders", "order_lines", "returns", "return_lines",
    )  # fmt: skip
    optional_tables: Mapping[str, tuple[str, ...]] = {  # by dataset; a dataset needs all of its tables
        "loyalty_movements": ("loyalty_movements",),
        "directory": ("campaigns", "channels", "programmes"),
        "interactions": ("interactions",),
        "assignments": ("assignments",),
        "leads": ("leads",),
    }

    def __init__(
        self, firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None
    ) -> None:
        """Open nothing yet; this kind does not use ``scratch``."""
        self.check_row(firm)
        self._firm = firm
        self._schema = firm.source.db_schema or "public"
        self._shared_snapshot = ""
        try:
            self._conninfo = make_conninfo(
                connection_uri(str(firm.source.conn_id)), connect_timeout=CONNECT_SECONDS
            )
        except psycopg.ProgrammingError:
            # The message omits the connection's text, which may contain a password.
            raise SourceRowError(
                f"{self._where}: the connection is not a postgresql:// URI; correct it in Airflow or in "
                f"AIRFLOW_CONN_{str(firm.source.conn_id).upper()}"
            ) from None

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError unless the row names a connection."""
        if firm.source.conn_id is None:
            raise SourceRowError(
                f"firm {firm.firm_key}: a source of kind {cls.kind} needs source.conn_id, "
                "an Airflow connection"
            )

    def check_connection(self) -> None:
        """Open a snapshot, which checks the schema and its tables."""
        with self._snapshot():
            pass

    def offers(self, dataset: Dataset) -> bool:
        """Whether the dataset has a statement and, if optional, its tables."""
        if not sql_text.exists("extract", self.kind, dataset.name):
            return False
        if dataset.name not in self.optional_tables:
            return True
        with self._snapshot() as connection:
            return self._tables(connection).issuperset(self.optional_tables[dataset.name])

    def first_month(self, dataset: Dataset) -> Month | None:
        """The month of the first row with a usable date."""
        with self._snapshot() as connection:
            sql = sql_text.read("extract", self.kind, f"{dataset.name}_first")
            (row,) = self._fetch(connection, sql, self.binds(None, None))
        if row["first_day"] is not None:
            return Month.of(row["first_day"])
        if row["has_rows"]:
            raise SourceError(
                f"{self._where}: {dataset.name} has rows, but none with a date from {EARLIEST} on, "
                f"before {LATEST}; {self._see}"
            )
        return None

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of the dataset, one snapshot, in batches of at most ``BATCH_ROWS``."""
        schema = extracted_schema(dataset)
        with self._snapshot() as connection:
            sql = self._statement(dataset, connection)
            for batch in self._stream(connection, sql, self.binds(month, as_of)):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _statement(self, dataset: Dataset, connection: adbc.Connection) -> str:
        """The statement that reads the dataset."""
        return sql_text.read("extract", self.kind, dataset.name)

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """The common binds as instants, and the firm's time zone."""
        zone = self._firm.timezone
        return common_binds(month, as_of, lambda day: start_of_day(day, zone)) | {"timezone": zone}

    @contextlib.contextmanager
    def consistent_reads(self) -> Iterator[None]:
        """All reads in this context, also parallel ones, use one exported snapshot, held open here."""
        with self._snapshot() as connection:
            with connection.cursor() as cursor:
                # This session is idle while the others read.
                cursor.execute("set local idle_in_transaction_session_timeout = 0")
                cursor.execute("select pg_export_snapshot()")
                ((self._shared_snapshot,),) = cursor.fetchall()
            try:
                yield
            finally:
                self._shared_snapshot = ""

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """Count the rows of each month as of its day on the server, in one snapshot."""
        rows = sql_text.read("extract", self.kind, dataset.name)
        sql = f"select count(*) as row_count from (\n{rows}\n) as counted"
        with self._snapshot() as connection:
            return {
                month: int(self._fetch(connection, sql, self.binds(month, as_of))[0]["row_count"])
                for month, as_of in months.items()
            }

    @property
    def _where(self) -> str:
        conn_id = self._firm.source.conn_id
        return f"firm {self._firm.firm_key}, {self.kind} source {conn_id}, schema {self._schema!r}"

    @property
    def _see(self) -> str:
        return f"see docs/sources.md, '{self.kind}'"

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[adbc.Connection]:
        """A connection in a read-only snapshot, with the shop's schema as search path."""
        try:
            connection = adbc.connect(self._conninfo)
        except adbc.Error as error:
            raise SourceError(
                f"{self._where}: cannot connect: {_format_error(error)}. "
                "Is the server up, and the Airflow connection right?"
            ) from error
        try:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
                if self._shared_snapshot:  # must come before the first query; binds are not allowed
                    snapshot_id = Literal(self._shared_snapshot).as_string()
                    cursor.execute(f"set transaction snapshot {snapshot_id}")
                cursor.execute("set local time zone 'UTC'")
                cursor.execute("select set_config('search_path', quote_ident($1), true)", (self._schema,))
            self._check_tables(connection)
            yield connection
        except adbc.Error as error:
            raise SourceError(f"{self._where}: {_format_error(error)}; {self._see}") from error
        finally:
            _close(connection)

    def _check_tables(self, connection: adbc.Connection) -> None:
        """SourceRowError when the schema or a required table is missing."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select nspname::text from pg_catalog.pg_namespace where nspname !~ '^pg_' order by 1"
            )
            schemas = [name for (name,) in cursor.fetchall()]
        if self._schema not in schemas:
            raise SourceRowError(
                f"{self._where}: no such schema; there are {schemas}. Correct source.schema of the firm"
            )
        found = self._tables(connection)
        if missing := [table for table in self.required_tables if table not in found]:
            raise SourceRowError(f"{self._where}: missing tables {missing}; {self._see}")

    def _tables(self, connection: adbc.Connection) -> set[str]:
        """Tables and views of the shop's schema."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select relname::text from pg_catalog.pg_class"
                " where relnamespace = quote_ident($1)::regnamespace"
                " and relkind in ('r', 'p', 'v', 'm', 'f')",
                (self._schema,),
            )
            return {name for (name,) in cursor.fetchall()}

    def _fetch(
        self, connection: adbc.Connection, sql: str, params: dict[str, object]
    ) -> list[dict[str, Any]]:
        return [row for batch in self._stream(connection, sql, params) for row in batch.to_pylist()]

    def _stream(
        self, connection: adbc.Connection, sql: str, params: dict[str, object]
    ) -> Iterator[pa.RecordBatch]:
        """The batches of a statement, from a server-side cursor.

        Without it, the driver would hold the whole result of a statement with binds in memory.
        """
        sql, values = sql_text.for_adbc(sql, params)
        with connection.cursor() as cursor:
            cursor.execute("declare extracted no scroll cursor for " + sql, values or None)
        rows = FIRST_ROWS
        while True:
            with connection.cursor() as cursor:
                # The driver's COPY mode does not support FETCH.
                cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                cursor.execute(f"fetch {rows} from extracted")
                table = cursor.fetch_arrow_table()
            yield from table.to_batches()
            if table.num_rows < rows:
                break
            # Adapt the number of rows: a row may have ten bytes or a megabyte.
            rows = max(1, min(BATCH_ROWS, GROWTH * rows, rows * BATCH_BYTES // max(table.nbytes, 1)))
        with connection.cursor() as cursor:
            cursor.execute("close extracted")


def _format_error(error: Exception) -> str:
    """Postgres's error message on one line, without the driver's prefix."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:600]


def _close(connection: adbc.Connection) -> None:
    with contextlib.suppress(adbc.Error):  # the server may be gone; the first error is already reported
        connection.rollback()
    connection.close()
