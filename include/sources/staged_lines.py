"""The lines of a firm's files, staged in scratch by month: read one month of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.periods import Month
from include.sources import BATCH_ROWS, takes_undated

UNDATED = "undated"


def lines_of_month(stage: Path, schema: pa.Schema, month: Month, as_of: date) -> Iterator[pa.RecordBatch]:
    """The staged lines of one month; for the run's current month also those without a usable date."""
    for path in sorted((stage / f"month={month}").glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=schema.names):
            seen = batch.filter(pc.less(batch.column("order_date"), pa.scalar(as_of)))
            if seen.num_rows:
                yield _shaped(seen, schema)
    if takes_undated(month, as_of):
        for path in sorted((stage / f"month={UNDATED}").glob("*.parquet")):
            for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=schema.names):
                yield _shaped(batch, schema)


def _shaped(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [batch.column(field.name).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
