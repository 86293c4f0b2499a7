"""Inputs of one step as of a training date; records the manifests read, for the output's manifest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from include.datasets import Dataset
from include.handoff import Referenced
from include.run.context import Context


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
