"""The embedded engine: DuckDB with a memory limit and access only to its input files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from include import sql_text
from include.bounded_duckdb import open_database
from include.engines import Inputs

BATCH_ROWS = 65_536
# Bytes of parquet, about two million sales lines. Below it a second thread costs 15 % more CPU seconds.
THREAD_BYTES = 32_000_000


class QueryError(RuntimeError):
    """A query cannot be parsed, bound or run; the message contains DuckDB's text."""


class DuckDb:
    """One private in-memory database for one step.

    Opening a database takes 16 ms of CPU, so a step's queries share it. It can read the files that the step
    has announced or given to this or an earlier query; a new file opens it again. Each query has a connection
    of its own and sees only its own inputs.
    """

    def __init__(self, *, memory_mb: int, threads: int, scratch: Path) -> None:
        """Spill to ``scratch`` beyond ``memory_mb`` megabytes; use at most ``threads`` threads."""
        self._memory_mb = memory_mb
        self._most_threads = threads
        self._spill = scratch / "spill"
        self._spill.mkdir(parents=True, exist_ok=True)
        self._database: duckdb.DuckDBPyConnection | None = None
        self._threads = 0
        self._files: set[Path] = set()
        self._announced: set[Path] = set()

    def query(self, sql: str, inputs: Inputs, params: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Batches of the result of ``sql``, whose ``:name`` parameters are bound from ``params``."""
        with self._reading(sql, inputs, params) as reader:
            yield from reader

    def table(self, sql: str, inputs: Inputs, params: Mapping[str, object]) -> pa.Table:
        """The whole result of ``sql`` in memory; with its columns and types even when it has no row."""
        with self._reading(sql, inputs, params) as reader:
            return reader.read_all()

    @contextmanager
    def _reading(
        self, sql: str, inputs: Inputs, params: Mapping[str, object]
    ) -> Iterator[pa.RecordBatchReader]:
        """A reader of the result of ``sql``, open until the block ends."""
        try:
            statement, bound = sql_text.for_duckdb(sql, params)
        except sql_text.MissingParameterError as error:
            raise QueryError(str(error)) from None
        connection = self._connect({path for _, paths in inputs for path in paths})
        try:
            for dataset, paths in inputs:
                _register(connection, dataset.name, dataset.schema, paths)
            if (count := len(connection.extract_statements(statement))) != 1:
                raise QueryError(f"the query has {count} statements; it must be one")
            yield connection.sql(statement, params=bound).to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            raise QueryError(self._message(error)) from error
        finally:
            connection.close()

    def announce(self, paths: Iterable[Path]) -> None:
        """Allow later queries to read these files, which the step may still have to write."""
        self._announced |= set(paths)

    def close(self) -> None:
        """Close the database; the next query opens another. A query that is being read keeps its own."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _message(self, error: duckdb.Error) -> str:
        """DuckDB's message; if disk or memory ran out, with the setting that raises the limit."""
        text = f"{type(error).__name__}: {error}"
        if re.search("max_temp_directory_size|No space left|File too large|quota exceeded", text):
            return (
                f"{text.splitlines()[0]}; no room is left in {self._spill.parent}: free space there, or set "
                "FIRMAMENT_HOME to a larger disk, and rerun the step"
            )
        if isinstance(error, duckdb.OutOfMemoryException):
            return (
                f"{text.splitlines()[0]}; a step may hold {self._memory_mb} MB: set "
                "FIRMAMENT_MEMORY_MB higher and rerun it"
            )
        return text

    def _connect(self, paths: set[Path]) -> duckdb.DuckDBPyConnection:
        """A connection to the step's database, which is opened again for a new file or for more threads."""
        threads = max(1, min(self._most_threads, round(_bytes(paths) / THREAD_BYTES)))
        if self._database is None or threads > self._threads or not paths <= self._files:
            self.close()
            self._files |= paths | self._announced
            self._threads = max(threads, self._threads)
            self._database = open_database(
                memory_mb=self._memory_mb, threads=self._threads, spill=self._spill, files=sorted(self._files)
            )
        return self._database.cursor()


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.exists())


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, paths: Iterable[Path]
) -> None:
    """Make an input visible to this connection alone: temporary views are private to it."""
    files = [str(path) for path in paths]
    if files:
        listed = ", ".join(f"'{file.replace(chr(39), chr(39) * 2)}'" for file in files)
        connection.execute(f'create temp view "{name}" as select * from read_parquet([{listed}])')
    else:
        connection.register(name, schema.empty_table())
