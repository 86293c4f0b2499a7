"""Filter erased customers out of every extracted batch.

A column that may be null, such as a sale's customer_id, is set to null, so the firm's totals stay the same.
Every other row is rejected for the reason ``erased_customer`` and counted; its source text is removed.
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
from include.warehouse.erased_ids import ErasedIds

REASON = "erased_customer"


class FilteredSource:
    """A source that extracts no erased customer. Every other method is the wrapped source's."""

    def __init__(self, source: Source, erased: ErasedIds) -> None:
        self._source = source
        self._erased = erased

    def __getattr__(self, name: str) -> Any:
        """Delegate every other attribute to the wrapped source."""
        return getattr(self._source, name)

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Extract from the wrapped source and remove erased customers from each batch."""
        for batch in self._source.extract(dataset, month=month, as_of=as_of):
            yield remove_erased(batch, dataset, self._erased)


def without_erased(source: Source, erased: ErasedIds | None) -> Source:
    """Wrap the source in the filter, or return it unchanged if no customer was erased."""
    return FilteredSource(source, erased) if erased else source


def remove_erased(batch: pa.RecordBatch, dataset: Dataset, erased: ErasedIds) -> pa.RecordBatch:
    """Remove the ids, rows and source texts of erased customers from an extracted batch."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    texts = columns["source_row"].to_pylist()
    texts = [None if text is not None and _contains_erased(text, erased) else text for text in texts]
    reasons = columns["rejected_reason"]
    for name in batch.schema.names:
        if not name.lower().endswith("customer_id"):
            continue
        ids = pc.unique(columns[name].drop_null())
        erased_here = [text for text in ids.to_pylist() if erased.has(str(text))]
        if not erased_here:
            continue
        is_erased = pc.is_in(columns[name], value_set=pa.array(erased_here, columns[name].type))
        texts = [None if gone else text for gone, text in zip(is_erased.to_pylist(), texts, strict=True)]
        if name not in dataset.schema.names or dataset.schema.field(name).nullable:
            columns[name] = pc.if_else(is_erased, pa.scalar(None, columns[name].type), columns[name])
        else:
            is_rejected_now = pc.and_(is_erased, pc.is_null(reasons))
            reasons = pc.if_else(is_rejected_now, pa.scalar(REASON, reasons.type), reasons)
    columns["source_row"] = pa.array(texts, columns["source_row"].type)
    columns["rejected_reason"] = reasons
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


def _contains_erased(text: str, erased: ErasedIds) -> bool:
    """Whether a value of a rejected row, as the source wrote it, is the id of an erased customer."""
    try:
        row = json.loads(text)
    except ValueError:
        return False
    values = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
    return any(erased.has(str(value).strip()) for value in values if value is not None)
