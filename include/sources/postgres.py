"""A shop's operational schema in Postgres, streamed as Arrow by ADBC.

The statements are ``sql/extract/postgres/<dataset>.sql``; the schema they expect is ``shop.sql``
beside them. Each extract is one REPEATABLE READ snapshot, read through a cursor in the server, so
memory is bounded by a batch however long the month is. Money travels as text: the driver would make
it a float.
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
    fields: tuple[str, ...] = ("conn_id", "schema")  # of the firm's source, that this kind uses
    required_tables: tuple[str, ...] = (
        "customers", "products", "orders", "order_lines", "returns", "return_lines",
    )  # fmt: skip
    optional_tables: Mapping[str, tuple[str, ...]] = {  # by dataset; all of them must be there
        "loyalty_movements": ("loyalty_movements",),
        "directory": ("campaigns", "channels", "programmes"),
        "interactions": ("interactions",),
        "leads": ("leads",),
    }

    def __init__(
        self, firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None
    ) -> None:
        """Nothing is opened yet; ``scratch`` is not needed here."""
        self.check_row(firm)
        self._firm = firm
        self._schema = firm.source.db_schema or "public"
        self._moment = ""
        try:
            self._conninfo = make_conninfo(
                connection_uri(str(firm.source.conn_id)), connect_timeout=CONNECT_SECONDS
            )
        except psycopg.ProgrammingError:
            # The text is left out of the message: it may hold a password.
            raise SourceRowError(
                f"{self._place}: the connection is no postgresql:// URI; correct it in Airflow or in "
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
        """Open a snapshot, which looks for the schema and its tables."""
        with self._snapshot():
            pass

    def offers(self, dataset: Dataset) -> bool:
        """Whether there is a statement for the dataset, and its tables where they are optional."""
        if not sql_text.exists("extract", self.kind, dataset.name):
            return False
        if dataset.name not in self.optional_tables:
            return True
        with self._snapshot() as connection:
            return self._tables(connection).issuperset(self.optional_tables[dataset.name])

    def first_month(self, dataset: Dataset) -> Month | None:
        """The month of the first row whose date can be used."""
        with self._snapshot() as connection:
            sql = sql_text.read("extract", self.kind, f"{dataset.name}_first")
            (row,) = self._fetch(connection, sql, self.binds(None, None))
        if row["first_day"] is not None:
            return Month.of(row["first_day"])
        if row["has_rows"]:
            raise SourceError(
                f"{self._place}: {dataset.name} has rows, but none with a date from {EARLIEST} on, "
                f"before {LATEST}; {self._see}"
            )
        return None

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of the dataset, one snapshot, in batches of at most ``BATCH_ROWS``."""
        schema = extracted_schema(dataset)
        sql = sql_text.read("extract", self.kind, dataset.name)
        with self._snapshot() as connection:
            for batch in self._stream(connection, sql, self.binds(month, as_of)):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """The common binds as instants, and the firm's time zone."""
        zone = self._firm.timezone
        return common_binds(month, as_of, lambda day: start_of_day(day, zone)) | {"timezone": zone}

    @contextlib.contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """What is read meanwhile, month by month and side by side, is one snapshot, held open here."""
        with self._snapshot() as connection:
            with connection.cursor() as cursor:
                # It idles while others read.
                cursor.execute("set local idle_in_transaction_session_timeout = 0")
                cursor.execute("select pg_export_snapshot()")
                ((self._moment,),) = cursor.fetchall()
            try:
                yield
            finally:
                self._moment = ""

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """Rows of each month as of its day, counted by the server in one snapshot."""
        rows = sql_text.read("extract", self.kind, dataset.name)
        sql = f"select count(*) as row_count from (\n{rows}\n) as counted"
        with self._snapshot() as connection:
            return {
                month: int(self._fetch(connection, sql, self.binds(month, as_of))[0]["row_count"])
                for month, as_of in months.items()
            }

    @property
    def _place(self) -> str:
        conn_id = self._firm.source.conn_id
        return f"firm {self._firm.firm_key}, {self.kind} source {conn_id}, schema {self._schema!r}"

    @property
    def _see(self) -> str:
        return f"see docs/sources.md, '{self.kind}'"

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[adbc.Connection]:
        """A connection inside one read-only snapshot, with only the shop's schema in sight."""
        try:
            connection = adbc.connect(self._conninfo)
        except adbc.Error as error:
            raise SourceError(
                f"{self._place}: cannot connect: {_said(error)}. "
                "Is the server up, and the Airflow connection right?"
            ) from error
        try:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
                if self._moment:  # before anything is asked; it takes no bind
                    moment = Literal(self._moment).as_string()
                    cursor.execute(f"set transaction snapshot {moment}")
                cursor.execute("set local time zone 'UTC'")
                cursor.execute("select set_config('search_path', quote_ident($1), true)", (self._schema,))
            self._look(connection)
            yield connection
        except adbc.Error as error:
            raise SourceError(f"{self._place}: {_said(error)}; {self._see}") from error
        finally:
            _close(connection)

    def _look(self, connection: adbc.Connection) -> None:
        """SourceError when the schema or a table it must have is not there."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select nspname::text from pg_catalog.pg_namespace where nspname !~ '^pg_' order by 1"
            )
            schemas = [name for (name,) in cursor.fetchall()]
        if self._schema not in schemas:
            raise SourceRowError(
                f"{self._place}: no such schema; there are {schemas}. Correct source.schema of the firm"
            )
        found = self._tables(connection)
        if missing := [table for table in self.required_tables if table not in found]:
            raise SourceRowError(f"{self._place}: missing tables {missing}; {self._see}")

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
        """The batches of a statement, from a cursor in the server.

        With binds, the driver would otherwise keep the whole result in memory.
        """
        sql, values = sql_text.for_adbc(sql, params)
        with connection.cursor() as cursor:
            cursor.execute("declare extracted no scroll cursor for " + sql, values or None)
        rows = FIRST_ROWS
        while True:
            with connection.cursor() as cursor:
                # COPY, the driver's faster way, takes no FETCH.
                cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                cursor.execute(f"fetch {rows} from extracted")
                table = cursor.fetch_arrow_table()
            yield from table.to_batches()
            if table.num_rows < rows:
                break
            # As many as fit: a row may be a name or a megabyte.
            rows = max(1, min(BATCH_ROWS, GROWTH * rows, rows * BATCH_BYTES // max(table.nbytes, 1)))
        with connection.cursor() as cursor:
            cursor.execute("close extracted")


def _said(error: Exception) -> str:
    """What Postgres said, on one line, without the driver's preface."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:600]


def _close(connection: adbc.Connection) -> None:
    with contextlib.suppress(adbc.Error):  # the server may be gone; what went wrong was said before
        connection.rollback()
    connection.close()
