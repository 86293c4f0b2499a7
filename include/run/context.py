"""The context of one step: its firm, its token, and where its datasets are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from include.datasets import Dataset
from include.engines import Engine
from include.firms import Firm
from include.handoff import Handoff, Manifest, Referenced, Slot
from include.models.firm import FirmSettings
from include.modules import setting, trained_as
from include.periods import Month, anchor_of
from include.run.records import Loader, Records
from include.settings import Settings
from include.slices import Slice
from include.steps import STEPS, Step

QUERY_SETTINGS = {  # parameter of a query -> the setting of the firm that it is
    "timezone": "timezone",
    "churn_threshold_days": "churn_threshold_days",
    "min_spend": "min_spend",
    "min_orders": "min_orders",
    "rfm_window_days": "rfm.window_days",
    "margin_share": "ltv.margin_share",
}


class SettingsUsed(NamedTuple):
    """The firm's settings, as an input that a manifest refers to."""

    reference: str


@dataclass(frozen=True)
class Context:
    """Everything one step works with.

    A dataset that is kept by training date has a slice per training date. Methods that need one take it as
    an argument; without it they mean the latest on or before ``as_of``.
    """

    step: Step
    firm: Firm
    as_of: date
    token: int
    full: bool
    handoff: Handoff
    records: Records
    loader: Loader
    engine: Engine
    scratch: Path
    settings: Settings
    check_all: bool = False  # validate steps: every slice, by the whole suite
    is_preview: bool = False  # no earlier model can be in production, so none is trained to compare with

    @property
    def firm_settings(self) -> FirmSettings:
        """The firm as models read it."""
        return self.firm

    @property
    def params(self) -> dict[str, object]:
        """The ``:name`` parameters a query may ask for."""
        values = {name: setting(self.firm, field) for name, field in QUERY_SETTINGS.items()}
        return {"as_of": self.as_of, **values}

    @property
    def training_date(self) -> date:
        """The latest training date (anchor) on or before ``as_of``."""
        return anchor_of(self.as_of, every_months=self.firm.retrain_months)

    @property
    def written(self) -> Dataset:
        """The dataset that this step writes."""
        if self.step.writes is None:
            raise TypeError(f"{self.step.name} writes no dataset; see include/steps.py")
        return self.step.writes

    def day_of(self, dataset: Dataset, training_date: date | None = None) -> date:
        """The day of a dataset's slice: the training date if it is kept by training date, else ``as_of``."""
        return (training_date or self.training_date) if dataset.by == "anchor" else self.as_of

    def slot(self, dataset: Dataset, training_date: date | None = None) -> Slot:
        """The slot of this run's dataset; for a dataset by month, the slot of the list of its months."""
        return Slot(self.firm.firm_key, dataset, Slice(self.day_of(dataset, training_date)))

    def month_slot(self, dataset: Dataset, month: Month) -> Slot:
        """The slot of one month of a dataset."""
        return Slot(self.firm.firm_key, dataset, Slice(month))

    def slots(self, dataset: Dataset, training_date: date | None = None) -> list[Slot]:
        """All slots of a dataset: one snapshot, or one per month."""
        return self.handoff.slots(self.firm.firm_key, dataset, self.day_of(dataset, training_date))

    def is_off(self, dataset: Dataset) -> bool:
        """Whether the step that writes the dataset belongs to a module that the firm does not use."""
        writers = (step for step in STEPS if step.writes is not None and step.writes.name == dataset.name)
        return any(step.module is not None and step.module not in self.firm.modules for step in writers)

    def up_to_date(self, training_date: date) -> Manifest | None:
        """The step's manifest of a training date, if its contract and settings are current."""
        if self.written.by != "anchor" or self.full:
            return None
        manifest = self.handoff.manifest(self.slot(self.written, training_date))
        if manifest is None or not self.written.can_read(manifest.fingerprint):
            return None
        return manifest if self._accepted_settings() & set(manifest.made_from) else None

    @property
    def settings_reference(self) -> str:
        """The reference of the settings on which the step's output depends."""
        if self.written.by == "anchor":
            return trained_as(self.written.name).fingerprint(self.firm, self.written.name)
        return self.firm.settings_reference

    def write(
        self,
        batches: Iterable[pa.RecordBatch],
        made_from: Sequence[Referenced],
        training_date: date | None = None,
    ) -> Manifest:
        """Commit what this step writes. The manifest names ``made_from`` and the settings."""
        return self.handoff.write(
            self.slot(self.written, training_date),
            map(self.written.conform, batches),
            token=self.token,
            as_of=self.as_of,
            made_from=[*made_from, SettingsUsed(self.settings_reference)],
        )

    def _accepted_settings(self) -> set[str]:
        """References under which a trained dataset is up to date: today's, and the first version's."""
        accepted = {self.settings_reference}
        if trained_as(self.written.name).is_as_first_released(self.firm):
            accepted.add(self.firm.first_settings_reference)
        return accepted
