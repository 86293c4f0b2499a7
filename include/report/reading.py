"""Read a firm's handoffs for a report: one SQL file per query, run by the engine; record what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include import sql_text
from include.datasets import Dataset
from include.engines import Engine
from include.firms import Firm
from include.handoff import Handoff, HandoffError, Slot
from include.periods import anchor_of
from include.report.statistics import Columns

BUCKETS = 16**4


@dataclass
class Reading:
    """One firm's handoffs as of a day. ``not_computed`` lists what could not be read."""

    firm: Firm
    as_of: date
    handoff: Handoff
    engine: Engine
    not_computed: list[dict[str, str]] = field(default_factory=list)
    _files: dict[str, list[Path] | None] = field(default_factory=dict)

    def slots(self, dataset: Dataset) -> list[Slot]:
        """Slices of the dataset; HandoffError if it was never written for this day."""
        return self.handoff.slots(self.firm.firm_key, dataset, self._day_of(dataset))

    def files(self, dataset: Dataset) -> list[Path] | None:
        """Verified files of the dataset; None and an entry in ``not_computed`` if it cannot be read."""
        if dataset.name not in self._files:
            try:
                self._files[dataset.name] = [
                    path for slot in self.slots(dataset) for path in self.handoff.fetch(slot)[1]
                ]
            except HandoffError as error:
                self._files[dataset.name] = None
                self.lacks(dataset.name, str(error))
        return self._files[dataset.name]

    def has(self, dataset: Dataset) -> bool:
        """Whether the dataset can be read."""
        return self.files(dataset) is not None

    def lacks(self, what: str, why: str) -> None:
        """Record what could not be computed, and why."""
        self.not_computed.append({"what": what, "why": why})

    def rows_of(self, dataset: Dataset) -> int:
        """Number of rows in the dataset's manifests."""
        manifests = [self.handoff.manifest(slot) for slot in self.slots(dataset)]
        return sum(manifest.rows for manifest in manifests if manifest is not None)

    def table(self, dataset: Dataset) -> pa.Table:
        """A whole small dataset, such as fitted parameters."""
        batches = [batch for slot in self.slots(dataset) for batch in self.handoff.read(slot)]
        return pa.Table.from_batches(batches, schema=dataset.schema)

    def query(self, name: str, *datasets: Dataset, **params: object) -> list[dict[str, Any]]:
        """Rows of ``sql/report/<name>.sql`` over these datasets; a missing dataset is empty."""
        return self._run(name, [(dataset, self.files(dataset) or []) for dataset in datasets], params)

    def batches(self, name: str, *datasets: Dataset, **params: object) -> Iterator[pa.RecordBatch]:
        """Batches of ``sql/report/<name>.sql``; in bounded memory, for results as long as the customers."""
        inputs = [(dataset, self.files(dataset) or []) for dataset in datasets]
        yield from self.engine.query(sql_text.read("report", name), inputs, {"as_of": self.as_of, **params})

    def query_any(self, name: str, dataset: Dataset, **params: object) -> list[dict[str, Any]]:
        """Rows of a query over any dataset, which the SQL names ``dataset``."""
        return self._run(name, [(replace(dataset, name="dataset"), self.files(dataset) or [])], params)

    def rejections(self, dataset: Dataset, rejected: Dataset) -> dict[str, int]:
        """Number of rejected rows of the dataset by reason."""
        paths = []
        for slot in self.slots(dataset):
            beside = replace(slot, dataset=rejected)
            if self.handoff.manifest(beside) is not None:
                paths += self.handoff.fetch(beside)[1]
        if not paths:
            return {}
        rows = self._run("rejections", [(replace(rejected, name="dataset"), paths)], {})
        return {row["reason"]: row["row_count"] for row in rows}

    def sample(self, name: str, dataset: Dataset, *, as_name: str, most: int) -> tuple[Columns, pa.Table]:
        """About ``most`` rows, sampled by customer hash: the numeric columns, and the whole table."""
        share = most / max(self.rows_of(dataset), 1)
        below = "g" if share >= 1 else f"{int(share * BUCKETS):04x}"
        inputs = [(replace(dataset, name=as_name), self.files(dataset) or [])]
        batches = list(self.engine.query(sql_text.read("report", name), inputs, {"below": below}))
        table = pa.Table.from_batches(batches) if batches else dataset.schema.empty_table()
        names = tuple(f.name for f in table.schema if _is_number(f.type) and f.name != "is_churned")
        values = [_floats(table.column(name)) for name in names]
        return Columns(names, np.column_stack(values) if values else np.empty((0, 0))), table

    def _run(
        self, name: str, inputs: list[tuple[Dataset, list[Path]]], params: dict[str, object]
    ) -> list[dict[str, Any]]:
        batches = self.engine.query(sql_text.read("report", name), inputs, {"as_of": self.as_of, **params})
        return [row for batch in batches for row in batch.to_pylist()]

    def _day_of(self, dataset: Dataset) -> date:
        if dataset.by != "anchor":
            return self.as_of
        return anchor_of(self.as_of, every_months=self.firm.retrain_months)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    numbers = pc.cast(column, pa.float64(), safe=False).to_numpy().astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)
