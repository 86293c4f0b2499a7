"""Read a loyalty programme's schema in Oracle as Arrow, through the connection of Airflow's hook.

The statements are ``sql/extract/oracle/<dataset>.sql``, in an ANSI subset that also runs on Postgres; they
expect the tables of ``loyalty.sql``. The firm's schema is checked in the catalogue and set as the session's
current schema, so no identifier is written into a statement, and values are binds. Oracle stores local
times without a zone; this module converts them to instants and days.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import oracledb
import pyarrow as pa
import pyarrow.compute as pc

from include import sql_text
from include.datasets import Dataset
from include.firms import Firm
from include.periods import Month
from include.sources import (
    BATCH_ROWS,
    EARLIEST,
    LATEST,
    SourceError,
    SourceRowError,
    common_binds,
    extracted_schema,
    takes_undated,
)

# The table and columns that each dataset's statement reads. Views can adapt another schema.
COLUMNS: Mapping[str, tuple[str, frozenset[str]]] = {
    "transactions": (
        "transactions",
        frozenset(
            {
                "transaction_id",
                "unique_customer_id",
                "trx_date",
                "amount",
                "amount_after_discount",
                "trx_state_id",
                "is_deleted",
                "timed_id_transaction",
                "dwh_program_id",
            }
        ),
    ),
    "customers": ("customers", frozenset({"unique_customer_id", "birth_date", "gender", "city"})),
    "loyalty_movements": (
        "loyalty_points",
        frozenset({"unique_customer_id", "points_earned", "points_used", "date", "dwh_program_id"}),
    ),
    "programmes": ("programs", frozenset({"dwh_program_id", "program_name"})),
}
# Columns that a schema may lack; with them, <dataset>_<column>.sql is read.
OPTIONAL: Mapping[str, str] = {"customers": "may_contact"}
REQUIRED = ("transactions", "customers")
SEE = "see docs/sources.md, 'oracle'"
Connect = Callable[[str], Any]


class Oracle:
    """The source of a firm whose row says ``kind: oracle``."""

    fields = ("conn_id", "schema")  # the fields of the firm's source that this kind uses

    def __init__(
        self,
        firm: Firm,
        connection_uri: Callable[[str], str],
        *,
        scratch: Path | None = None,
        connect: Connect | None = None,
    ) -> None:
        """Open nothing yet. ``connect`` opens a connection by its Airflow id (default: Airflow's hook)."""
        self.check_row(firm)
        self._firm = firm
        self._conn_id = str(firm.source.conn_id)
        self._owner = str(firm.source.db_schema).upper()
        self._connect = connect or (lambda conn_id: connect_with_hook(conn_id, connection_uri))

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError unless the row names a connection and a schema."""
        if firm.source.conn_id is None or firm.source.db_schema is None:
            raise SourceRowError(
                f"firm {firm.firm_key}: an oracle source needs source.conn_id, an Airflow connection, "
                "and source.schema, the firm's own schema"
            )

    def check_connection(self) -> None:
        """Open a session, and check that the schema has the tables that every firm needs."""
        with self._session() as (_, catalogue):
            for name in REQUIRED:
                self._check_table(name, catalogue)

    def offers(self, dataset: Dataset) -> bool:
        """Whether the dataset has a statement and, if optional, its table."""
        if dataset.name not in COLUMNS or not sql_text.exists("extract", "oracle", dataset.name):
            return False
        if dataset.name in REQUIRED:
            return True
        with self._session() as (_, catalogue):
            return COLUMNS[dataset.name][0] in catalogue

    def first_month(self, dataset: Dataset) -> Month | None:
        """The month of the day before the first key, because a row's key may be one day late."""
        with self._reading(dataset) as connection:
            sql = sql_text.read("extract", "oracle", f"{dataset.name}_first")
            (row,) = self._fetch(connection, sql, self.binds(None, None))
        if row["first_key"] is not None:
            day = max(_day_of(int(row["first_key"])) - timedelta(days=1), EARLIEST)
            return Month.of(day)
        if row["has_rows"]:
            raise SourceError(
                f"{self._where}: {dataset.name} has rows, but none with a date from {EARLIEST} on, "
                f"before {LATEST}; {SEE}"
            )
        return None

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of the dataset, one read-only transaction, in batches of at most ``BATCH_ROWS``."""
        schema = extracted_schema(dataset)
        with self._session() as (connection, catalogue):
            self._check_table(dataset.name, catalogue)
            sql = sql_text.read("extract", "oracle", _statement(dataset.name, catalogue))
            for batch in self._stream(connection, sql, self.binds(month, as_of)):
                yield canonical(batch, schema, self._firm.timezone)

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """Count the rows of each month as of its day on the server, in one read-only transaction."""
        rows = sql_text.read("extract", "oracle", dataset.name)
        sql = f"select cast(count(*) as numeric(38, 0)) as row_count from (\n{rows}\n)"
        with self._reading(dataset) as connection:
            return {
                month: int(self._fetch(connection, sql, self.binds(month, as_of))[0]["row_count"])
                for month, as_of in months.items()
            }

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """The common binds as local times, the same days as ``YYYYMMDD`` keys, and the schema's owner.

        A row may be booked under the day before or after its own, so the window of keys is a day wider.
        """
        given = common_binds(month, as_of, _midnight)
        days = {"earliest": EARLIEST, "latest": LATEST}
        if as_of is not None:
            days["as_of"] = as_of
        if month is not None and as_of is not None:
            given["takes_undated"] = int(takes_undated(month, as_of))  # Oracle's SQL has no booleans
            days |= {
                "month": month.first,
                "month_end": month.end,
                "window": month.first - timedelta(days=1),
                "window_end": month.end + timedelta(days=1),
            }
        keys = {f"{name}_key": _key(day) for name, day in days.items()}
        return given | keys | {"owner": self._owner}

    @property
    def _where(self) -> str:
        return f"firm {self._firm.firm_key}, oracle source {self._conn_id}, schema {self._owner!r}"

    @contextlib.contextmanager
    def _session(self) -> Iterator[tuple[Any, dict[str, set[str]]]]:
        """A read-only transaction with the firm's schema as current schema, and that schema's catalogue."""
        try:
            connection = self._connect(self._conn_id)
        except oracledb.Error as error:
            raise SourceError(
                f"{self._where}: cannot connect: {_format_error(error)}. "
                "Is the server up, and the Airflow connection right?"
            ) from error
        try:
            with connection.cursor() as cursor:
                cursor.execute("set transaction read only")
            if not (catalogue := self._catalogue(connection)):
                raise SourceRowError(
                    f"{self._where}: no such schema, or this login cannot read any table in it. "
                    "Correct source.schema of the firm, or grant select on its tables"
                )
            connection.current_schema = self._owner
            yield connection, catalogue
        except oracledb.Error as error:
            raise SourceError(f"{self._where}: {_format_error(error)}; {SEE}") from error
        finally:
            with contextlib.suppress(oracledb.Error):  # the first error is already reported
                connection.close()

    @contextlib.contextmanager
    def _reading(self, dataset: Dataset) -> Iterator[Any]:
        """A session, after checking the table and columns of the dataset."""
        with self._session() as (connection, catalogue):
            self._check_table(dataset.name, catalogue)
            yield connection

    def _check_table(self, name: str, catalogue: Mapping[str, set[str]]) -> None:
        """SourceRowError unless the schema has the dataset's table and columns."""
        table, columns = COLUMNS[name]
        if table not in catalogue:
            raise SourceRowError(f"{self._where}: missing table {table.upper()}; {SEE}")
        if missing := sorted(column.upper() for column in columns - catalogue[table]):
            raise SourceRowError(f"{self._where}: {table.upper()} has no columns {missing}; {SEE}")

    def _catalogue(self, connection: Any) -> dict[str, set[str]]:
        """Tables and views that the login may read in the firm's schema, each with its columns."""
        found: dict[str, set[str]] = {}
        sql = sql_text.read("extract", "oracle", "catalogue")
        for row in self._fetch(connection, sql, self.binds(None, None)):
            found.setdefault(row["relation_name"].lower(), set()).add(row["attribute_name"].lower())
        return found

    def _fetch(self, connection: Any, sql: str, params: Mapping[str, object]) -> list[dict[str, Any]]:
        return [row for batch in self._stream(connection, sql, params) for row in batch.to_pylist()]

    def _stream(self, connection: Any, sql: str, params: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """The batches of a statement, with numbers as decimals and lower-case names."""
        sql, bound = sql_text.for_oracle(sql, params)
        frames = connection.fetch_df_batches(sql, bound, size=BATCH_ROWS, fetch_decimals=True)
        for frame in frames:
            if not frame.num_columns() or not frame.num_rows():  # an empty frame has no Arrow stream
                continue
            table = pa.table(frame)
            yield from table.rename_columns([name.lower() for name in table.column_names]).to_batches(
                max_chunksize=BATCH_ROWS
            )


def _statement(name: str, catalogue: Mapping[str, set[str]]) -> str:
    """The statement of a dataset: that which reads its optional column, if the table has it."""
    column = OPTIONAL.get(name)
    return f"{name}_{column}" if column in catalogue[COLUMNS[name][0]] else name


def canonical(batch: pa.RecordBatch, schema: pa.Schema, zone: str) -> pa.RecordBatch:
    """Convert a statement's batch: types, time zone, rejected rows as JSON."""
    columns = {name: _no_empty_text(batch.column(name)) for name in batch.schema.names}
    if "occurred_local" in columns:
        local = columns["occurred_local"].cast(pa.timestamp("us"), safe=False)
        # A local time that occurs twice means the first instant, as in the other sources.
        instants = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
        columns["order_date"] = pc.local_timestamp(instants).cast(pa.date32(), safe=False)
        columns["occurred_at"] = instants.cast(pa.timestamp("us", tz="UTC"))
    columns["source_row"] = _source_rows(batch, columns["rejected_reason"])
    arrays = [columns[field.name].cast(field.type, safe=field.type != pa.date32()) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def connect_with_hook(conn_id: str, connection_uri: Callable[[str], str]) -> Any:
    """Open a connection with Airflow's Oracle hook; SourceRowError when its type is not oracle."""
    kind = connection_uri(conn_id).partition("://")[0].partition("+")[0]
    if kind != "oracle":
        raise SourceRowError(f"connection {conn_id} is of type {kind!r}; an oracle:// URI is needed")
    from airflow.providers.oracle.hooks.oracle import OracleHook

    return OracleHook(oracle_conn_id=conn_id).get_conn()


def _no_empty_text(column: pa.Array) -> pa.Array:
    """Replace empty text with null: Oracle does not distinguish them."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)


def _source_rows(batch: pa.RecordBatch, rejected_reason: pa.Array) -> pa.Array:
    rows: list[str | None] = [None] * batch.num_rows
    for i in pc.indices_nonzero(pc.is_valid(rejected_reason)).to_pylist():
        (row,) = batch.slice(i, 1).to_pylist()
        kept = {name: value for name, value in row.items() if value is not None}
        rows[i] = json.dumps(kept, default=str, ensure_ascii=False)
    return pa.array(rows, pa.string())


def _key(day: date) -> int:
    """A day as Oracle's YYYYMMDD key."""
    return day.year * 10_000 + day.month * 100 + day.day


def _day_of(key: int) -> date:
    """The day of a key; for an invalid one, such as 20200231, the nearest valid day before it."""
    year, month, day = key // 10_000, key // 100 % 100, key % 100
    if month > 12:
        return date(min(year, 9999), 12, 31)
    return date(min(year, 9999), max(month, 1), min(max(day, 1), 28))


def _midnight(day: date) -> datetime:
    """The day's start in the firm's local time, as Oracle stores it."""
    return datetime.combine(day, time.min, tzinfo=UTC).replace(tzinfo=None)


def _format_error(error: Exception) -> str:
    """Oracle's error message on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:600]
