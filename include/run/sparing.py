"""Customers who were forgotten, left out of what a source yields, whatever the dataset.

Where the contract lets a row have no customer, as a sale may, the row stays and has none: the firm's totals
hold. Every other row is rejected for the reason ``erased_customer``, and so counted; nothing of it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets import Dataset
from include.periods import Month
from include.sources import Source
from include.warehouse.erasures import Forgotten

REASON = "erased_customer"


class Sparing:
    """A source without the forgotten."""

    def __init__(self, source: Source, forgotten: Forgotten) -> None:
        self._source = source
        self._forgotten = forgotten

    def __getattr__(self, name: str) -> Any:
        """All else is the source's own."""
        return getattr(self._source, name)

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """The source's rows, without who is forgotten."""
        for batch in self._source.extract(dataset, month=month, as_of=as_of):
            yield spare(batch, dataset, self._forgotten)


def sparing(source: Source, forgotten: Forgotten | None) -> Source:
    """The source, without the forgotten if there are any."""
    return Sparing(source, forgotten) if forgotten else source


def spare(batch: pa.RecordBatch, dataset: Dataset, forgotten: Forgotten) -> pa.RecordBatch:
    """An extracted batch without the forgotten customers' ids, rows and source texts."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    told = columns["source_row"].to_pylist()
    told = [None if text is not None and _tells(text, forgotten) else text for text in told]
    reasons = columns["rejected_reason"]
    for name in batch.schema.names:
        if not name.lower().endswith("customer_id"):
            continue
        ids = pc.unique(columns[name].drop_null())
        gone = [text for text in ids.to_pylist() if forgotten.has(str(text))]
        if not gone:
            continue
        mine = pc.is_in(columns[name], value_set=pa.array(gone, columns[name].type))
        told = [None if is_mine else text for is_mine, text in zip(mine.to_pylist(), told, strict=True)]
        if name not in dataset.schema.names or dataset.schema.field(name).nullable:
            columns[name] = pc.if_else(mine, pa.scalar(None, columns[name].type), columns[name])
        else:
            is_usable = pc.and_(mine, pc.is_null(reasons))
            reasons = pc.if_else(is_usable, pa.scalar(REASON, reasons.type), reasons)
    columns["source_row"] = pa.array(told, columns["source_row"].type)
    columns["rejected_reason"] = reasons
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


def _tells(text: str, forgotten: Forgotten) -> bool:
    """Whether some value of a rejected row, as the source wrote it, is a forgotten customer's id."""
    try:
        row = json.loads(text)
    except ValueError:
        return False
    values = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
    return any(forgotten.has(str(value).strip()) for value in values if value is not None)
