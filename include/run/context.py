"""What one step works with: its firm, its token, where its datasets lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from include.datasets import Dataset
from include.engines import Engine
from include.firms import Firm
from include.handoff import Handoff, Manifest, Referenced, Slot
from include.modules import setting, trained_as
from include.periods import Month, anchor_of
from include.settings import Settings
from include.steps import STEPS, Step
from include.warehouse import Warehouse

QUERY_SETTINGS = {  # parameter of a query -> the setting of the firm that it is
    "timezone": "timezone",
    "churn_threshold_days": "churn_threshold_days",
    "min_spend": "min_spend",
    "min_orders": "min_orders",
    "rfm_window_days": "rfm.window_days",
}


class SettingsUsed(NamedTuple):
    """The firm's settings as one of the things a dataset was made from."""

    reference: str


@dataclass
class Context:
    """Everything one step works with."""

    step: Step
    firm: Firm
    as_of: date
    token: int
    full: bool
    handoff: Handoff
    warehouse: Warehouse
    engine: Engine
    scratch: Path
    settings: Settings
    made_from: list[Referenced] = field(default_factory=list)
    at: date | None = None
    check_all: bool = False  # validate steps: every slice, by the whole suite

    @property
    def params(self) -> dict[str, object]:
        """The ``:name`` parameters a query may ask for."""
        values = {name: setting(self.firm, field) for name, field in QUERY_SETTINGS.items()}
        return {"as_of": self.as_of, **values}

    @property
    def anchor(self) -> date:
        """The latest day on or before as_of on which models are trained, unless it is ``at`` another."""
        return self.at or anchor_of(self.as_of, every_months=self.firm.retrain_months)

    @property
    def written(self) -> Dataset:
        """What this step writes."""
        if self.step.writes is None:
            raise TypeError(f"{self.step.name} writes no dataset; see include/steps.py")
        return self.step.writes

    def day_of(self, dataset: Dataset) -> date:
        """The day a dataset is of: the anchor for what training left, else this run's as_of."""
        return self.anchor if dataset.by == "anchor" else self.as_of

    def slot(self, dataset: Dataset, month: Month | None = None) -> Slot:
        """Where a dataset's slice of this firm lies: that of its day, or of a month."""
        return Slot(self.firm.firm_key, dataset, month or self.day_of(dataset))

    def slots(self, dataset: Dataset) -> list[Slot]:
        """Where all of a dataset lies: one snapshot, or the months its index names."""
        return self.handoff.slots(self.firm.firm_key, dataset, self.day_of(dataset))

    def files(self, dataset: Dataset) -> list[Path]:
        """Verified local files of all of a dataset's slices."""
        paths = []
        for slot in self.slots(dataset):
            manifest, found = self.handoff.fetch(slot)
            self.made_from.append(manifest)
            paths += found
        return paths

    def inputs(self) -> list[tuple[Dataset, list[Path]]]:
        """Everything the step reads, as files for the engine; none of a dataset whose module is off."""
        return [(dataset, [] if self.is_off(dataset) else self.files(dataset)) for dataset in self.step.reads]

    def is_off(self, dataset: Dataset) -> bool:
        """Whether the firm's modules leave out the step that writes the dataset."""
        writers = (step for step in STEPS if step.writes is not None and step.writes.name == dataset.name)
        return any(step.module is not None and step.module not in self.firm.modules for step in writers)

    def rows(self, dataset: Dataset) -> Iterator[pa.RecordBatch]:
        """A snapshot's rows, batch by batch."""
        slot = self.slot(dataset)
        manifest = self.handoff.manifest(slot)
        if manifest is not None:
            self.made_from.append(manifest)
        yield from self.handoff.read(slot, expected=manifest)

    def table(self, dataset: Dataset) -> pa.Table:
        """A small dataset whole: fitted parameters, a histogram, a decision table."""
        return pa.Table.from_batches(self.rows(dataset), schema=dataset.schema)

    def standing(self) -> Manifest | None:
        """What the step's anchor holds already, when it was made under today's contract and settings."""
        if self.written.by != "anchor" or self.full:
            return None
        manifest = self.handoff.manifest(self.slot(self.written))
        if manifest is None or not self.written.can_read(manifest.fingerprint):
            return None
        return manifest if self._accepted_settings() & set(manifest.made_from) else None

    @property
    def settings_reference(self) -> str:
        """The settings that what the step writes depends on, as its manifest refers to them."""
        if self.written.by == "anchor":
            return trained_as(self.written.name).fingerprint(self.firm, self.written.name)
        return self.firm.settings_reference

    def _accepted_settings(self) -> set[str]:
        """References under which a trained dataset is up to date: today's, and the first version's."""
        accepted = {self.settings_reference}
        if trained_as(self.written.name).is_as_first_released(self.firm):
            accepted.add(self.firm.first_settings_reference)
        return accepted

    def write(self, batches: Iterable[pa.RecordBatch]) -> Manifest:
        """Commit what this step writes, with what it was made from: everything it read, and settings."""
        return self.handoff.write(
            self.slot(self.written),
            map(self.written.conform, batches),
            token=self.token,
            as_of=self.as_of,
            made_from=[*self.made_from, SettingsUsed(self.settings_reference)],
        )
