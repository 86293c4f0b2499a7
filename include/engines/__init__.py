"""Engines: where ``sql/query`` runs and batches are scored. DuckDB is embedded; a row adds another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from include.datasets import Dataset

ENGINES: dict[str, str] = {"duckdb": "include.engines.duckdb:DuckDb"}

Inputs = Sequence[tuple[Dataset, Sequence[Path]]]


class Engine(Protocol):
    """Runs one SQL query over parquet files in bounded memory."""

    def query(self, sql: str, inputs: Inputs, params: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Batches of the query's result; each input is a dataset's name and its verified files."""
        ...

    def table(self, sql: str, inputs: Inputs, params: Mapping[str, object]) -> pa.Table:
        """The query's whole result in memory; with its columns and types even when it has no row."""
        ...

    def announce(self, paths: Iterable[Path]) -> None:
        """Name files that the step writes and then queries, so that the engine can prepare for them."""
        ...

    def close(self) -> None:
        """Give back memory and temporary files."""
        ...


def open_engine(kind: str, *, memory_mb: int, threads: int, scratch: Path) -> Engine:
    """The engine a firm's row names."""
    if kind not in ENGINES:
        raise ValueError(f"engine {kind!r} is unknown; there are {sorted(ENGINES)}")
    module, _, name = ENGINES[kind].partition(":")
    engine: Engine = getattr(import_module(module), name)(
        memory_mb=memory_mb, threads=threads, scratch=scratch
    )
    return engine
