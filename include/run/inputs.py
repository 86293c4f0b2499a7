"""Inputs of one step as of a training date; records the manifests read, for the output's manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from include.datasets import Dataset
from include.handoff import Referenced, Slot
from include.periods import anchor_of
from include.run.context import Context
from include.slices import Slice

QUARTERS = 4


class Inputs:
    """The datasets that a step reads. ``made_from`` names the manifests of all that was read."""

    def __init__(self, context: Context, training_date: date | None = None) -> None:
        """Datasets kept by training date are read as of ``training_date``, by default the latest."""
        self._context = context
        self.training_date = training_date or context.training_date
        self.made_from: list[Referenced] = []

    def files(self, dataset: Dataset) -> list[Path]:
        """Verified local files of all of a dataset's slices."""
        paths = []
        for slot in self._context.slots(dataset, self.training_date):
            manifest, found = self._context.handoff.fetch(slot)
            self.made_from.append(manifest)
            paths += found
        return paths

    def all_files(self) -> list[tuple[Dataset, list[Path]]]:
        """All inputs of the step as files for the engine; no files of a dataset whose module is off."""
        return [
            (dataset, [] if self._context.is_off(dataset) else self.files(dataset))
            for dataset in self._context.step.reads
        ]

    def past_files(self, dataset: Dataset) -> tuple[Dataset, list[Path]]:
        """Files of the last snapshot of each quarter before, as the table ``past_<dataset>``."""
        last = {_quarter(day): day for day in self._past_days(dataset)}
        last.pop(_quarter(self._context.as_of), None)
        paths = []
        for _, day in sorted(last.items())[-QUARTERS:]:
            manifest, found = self._context.handoff.fetch(self._past_slot(dataset, day))
            self.made_from.append(manifest)
            paths += found
        return replace(dataset, name=f"past_{dataset.name}"), paths

    def past(self, dataset: Dataset) -> pa.Table:
        """The latest earlier snapshot of the same quarter; empty where there is none."""
        days = [d for d in self._past_days(dataset) if _quarter(d) == _quarter(self._context.as_of)]
        if not days:
            return dataset.schema.empty_table()
        slot = self._past_slot(dataset, days[-1])
        manifest = self._context.handoff.manifest(slot)
        if manifest is not None:
            self.made_from.append(manifest)
        rows = self._context.handoff.read(slot, expected=manifest)
        return pa.Table.from_batches(rows, schema=dataset.schema)

    def _past_days(self, dataset: Dataset) -> list[date]:
        """Days before ``as_of`` of which the firm has a snapshot, in order."""
        slices = self._context.handoff.latest_tokens(self._context.firm.firm_key, dataset)
        return sorted(s.first_day for s in slices if s.first_day < self._context.as_of)

    def _past_slot(self, dataset: Dataset, day: date) -> Slot:
        return Slot(self._context.firm.firm_key, dataset, Slice(day))

    def rows(self, dataset: Dataset) -> Iterator[pa.RecordBatch]:
        """A snapshot's rows, batch by batch."""
        slot = self._context.slot(dataset, self.training_date)
        manifest = self._context.handoff.manifest(slot)
        if manifest is not None:
            self.made_from.append(manifest)
        yield from self._context.handoff.read(slot, expected=manifest)

    def table(self, dataset: Dataset) -> pa.Table:
        """A small dataset whole: fitted parameters, a histogram, a decision table."""
        return pa.Table.from_batches(self.rows(dataset), schema=dataset.schema)


def _quarter(day: date) -> date:
    return anchor_of(day, every_months=3)
