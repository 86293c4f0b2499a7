"""The embedded engine: DuckDB with a memory limit and access only to its input files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from include import sql_text
from include.bounded_duckdb import open_database
from include.engines import Inputs

BATCH_ROWS = 65_536


class QueryError(RuntimeError):
    """A query cannot be parsed, bound or run; the message contains DuckDB's text."""


class DuckDb:
    """One private in-memory database for one step."""

    def __init__(self, *, memory_mb: int, threads: int, scratch: Path) -> None:
        """Spill to ``scratch`` beyond ``memory_mb`` megabytes."""
        self._memory_mb = memory_mb
        self._threads = threads
        self._spill = scratch / "spill"
        self._spill.mkdir(parents=True, exist_ok=True)

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
        connection = self._connect([path for _, paths in inputs for path in paths])
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

    def close(self) -> None:
        """Nothing is held between queries."""

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

    def _connect(self, paths: list[Path]) -> duckdb.DuckDBPyConnection:
        return open_database(memory_mb=self._memory_mb, threads=self._threads, spill=self._spill, files=paths)


def _register(connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, paths: object) -> None:
    files = [str(path) for path in paths]  # type: ignore[attr-defined]
    if files:
        connection.read_parquet(files).create_view(name)
    else:
        connection.register(name, schema.empty_table())
