"""First sale day, number of customers, and a sample of customers, for all kinds of training rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include import sql_text
from include.datasets import Dataset
from include.engines import Engine

ALL_CUSTOMERS = "g"  # sorts after every hexadecimal digit
_BUCKETS = 65_536

Files = Mapping[Dataset, Sequence[Path]]


def span(engine: Engine, files: Files, anchor: date) -> tuple[date | None, int]:
    """First sale day before the anchor (None without sales) and the number of customers."""
    (row,) = run(engine, "churn_span", files, {"as_of": anchor}).to_pylist()
    return row["first_day"], row["customers"]


def bucket(most_customers: int, customers: int) -> str:
    """Upper bound of the customer hash, as text, for a sample of about ``most_customers``."""
    share = most_customers / max(customers, 1)
    return ALL_CUSTOMERS if share >= 1 else f"{int(share * _BUCKETS):04x}"


def sample_of(
    engine: Engine, files: Files, datasets: Sequence[Dataset], *, until: date, below: str, scratch: Path
) -> dict[Dataset, Sequence[Path]]:
    """Files with the rows before ``until`` of the customers whose hash is below ``below``.

    With all customers, a file whose rows are all before ``until`` is used as it is, also its rows without a
    customer.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    engine.announce([path_of(dataset, scratch) for dataset in datasets])
    kept: dict[Dataset, Sequence[Path]] = {}
    for dataset in datasets:
        whole, cut = [], list(files[dataset])
        if below == ALL_CUSTOMERS:
            whole = [path for path in cut if (last := _last_day(path)) is not None and last < until]
            cut = [path for path in cut if path not in whole]
        sql = sql_text.read("query", f"sample_{dataset.name}")
        batches = engine.query(sql, [(dataset, cut)], {"as_of": until, "below": below})
        kept[dataset] = [*whole, write(dataset, batches, scratch)]
    return kept


def _last_day(path: Path) -> date | None:
    """The last order_date of a file by its statistics; None when it has none, or no rows."""
    metadata = pq.read_metadata(path)
    column = metadata.schema.names.index("order_date")
    groups = [metadata.row_group(i).column(column).statistics for i in range(metadata.num_row_groups)]
    if not groups or any(found is None or not found.has_min_max for found in groups):
        return None
    return max(found.max for found in groups)


def run(engine: Engine, query: str, files: Files, params: Mapping[str, object]) -> pa.Table:
    """Result of a small query as one table; it has its columns even without rows."""
    sql = sql_text.read("query", query)
    return engine.table(sql, list(files.items()), params)


def path_of(dataset: Dataset, folder: Path) -> Path:
    """Where ``write`` puts a dataset."""
    return folder / f"{dataset.name}.parquet"


def write(dataset: Dataset, batches: Iterator[pa.RecordBatch], folder: Path) -> Path:
    """Write the batches to one file, cast to the dataset's contract; returns its path."""
    path = path_of(dataset, folder)
    with pq.ParquetWriter(path, dataset.schema) as writer:
        for batch in batches:
            writer.write_batch(dataset.conform(batch))
    return path
