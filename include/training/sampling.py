"""What both kinds of training rows begin with: how far a firm goes back, and a sample of its customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include import sql_text
from include.datasets import Dataset
from include.engines import Engine

EVERYBODY = "g"  # no hexadecimal digit lies beyond it
_BUCKETS = 65_536

Files = Mapping[Dataset, Sequence[Path]]


def span(engine: Engine, files: Files, anchor: date) -> tuple[date | None, int]:
    """The first sale day before the anchor, and how many customers there are."""
    (row,) = run(engine, "churn_span", files, {"as_of": anchor}).to_pylist()
    return row["first_day"], row["customers"]


def bucket(most_customers: int, customers: int) -> str:
    """Customers whose hash begins below this text are in a sample of at most about ``most_customers``."""
    share = most_customers / max(customers, 1)
    return EVERYBODY if share >= 1 else f"{int(share * _BUCKETS):04x}"


def sample_of(
    engine: Engine, files: Files, datasets: Iterable[Dataset], *, until: date, below: str, scratch: Path
) -> dict[Dataset, Sequence[Path]]:
    """The firm's rows before ``until`` of the customers whose hash lies below ``below``."""
    scratch.mkdir(parents=True, exist_ok=True)
    kept: dict[Dataset, Sequence[Path]] = {}
    for dataset in datasets:
        sql = sql_text.read("query", f"sample_{dataset.name}")
        batches = engine.query(sql, [(dataset, files[dataset])], {"as_of": until, "below": below})
        kept[dataset] = [write(dataset, batches, scratch)]
    return kept


def run(engine: Engine, query: str, files: Files, params: Mapping[str, object]) -> pa.Table:
    """The whole result of a small query; with its columns even when it has no row."""
    sql = sql_text.read("query", query)
    return engine.table(sql, list(files.items()), params)


def write(dataset: Dataset, batches: Iterator[pa.RecordBatch], folder: Path) -> Path:
    """The batches as one file, conforming to the contract."""
    path = folder / f"{dataset.name}.parquet"
    with pq.ParquetWriter(path, dataset.schema) as writer:
        for batch in batches:
            writer.write_batch(dataset.conform(batch))
    return path
