"""The warehouse as a step sees it: ``Records``, which it writes and reads while it computes, and ``Loader``.

``include.warehouse.records.StepRecords`` implements ``Records`` on Postgres; ``InMemoryRecords`` implements
it in this process, for ``try`` and for tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from include.datasets import Dataset
from include.slices import Slice
from include.warehouse import Loaded, LoadSlice
from include.warehouse.erased_ids import ErasedIds
from include.warehouse.slices import Recorded, Written

Row = dict[str, Any]


class SliceRecords(Protocol):
    """The ledger of slices: which months are extracted, and how many rows each has."""

    def begin(
        self,
        firm_key: str,
        dataset_name: str,
        part: Slice,
        as_of: date,
        token: int,
        source_rows: int,
        source_amount: Decimal | None = None,
    ) -> None:
        """Record that an attempt is about to commit the slice, and the rows and money of its source."""

    def record(self, firm_key: str, dataset_name: str, written: Sequence[Written]) -> None:
        """Record the slices' manifests."""

    def of(self, firm_key: str, dataset_name: str) -> list[Recorded]:
        """The slices of the dataset that are in the ledger, in order."""
        ...

    def record_comparison(
        self, firm_key: str, dataset_name: str, as_of: date, counted: Mapping[Slice, tuple[int, int]]
    ) -> None:
        """Record a new count of the source: by slice, the rows at extraction and the rows now."""


class QualityRecords(Protocol):
    """What the extraction rejected and what the quality gate found."""

    def record_rejections(
        self,
        firm_key: str,
        dataset_name: str,
        slice_text: str,
        as_of: date,
        token: int,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """Replace a slice's rejected rows, each ``reason, rows, net_amount, samples``."""

    def record(self, firm_key: str, as_of: date, token: int, results: Sequence[Mapping[str, Any]]) -> None:
        """Record the gate's results."""

    def history(self, firm_key: str, dataset_name: str) -> list[Row]:
        """Volumes of the dataset's slices as they were last loaded: ``slice, rows, as_of, profile``."""
        ...

    def passed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """Slices, with the hash of their bytes, that passed the gate when last checked."""
        ...

    def failed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """Slices, with the hash of their bytes, that last failed a rule that stops the firm."""
        ...

    def profiles(self, firm_key: str, dataset_name: str) -> dict[tuple[str, str], str]:
        """The gate's summary of each checked slice, as JSON, by slice and hash of its bytes."""
        ...

    def rejections(self, firm_key: str, dataset_name: str) -> list[Row]:
        """Rejected rows as last extracted: ``slice, reason, rows, net_amount, samples``."""
        ...


class ModelRecords(Protocol):
    """Which model scores, and how far scores have drifted since it was trained."""

    def promotion_result(self, firm_key: str, module: str, anchor: date) -> list[Row]:
        """The promotion result of a training date: one row per candidate, latest first."""
        ...

    def record_promotion_result(
        self, firm_key: str, module: str, anchor: date, candidates: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace the promotion result of a training date."""

    def decision(self, firm_key: str, module: str, *, as_of: date, anchor: date) -> Row | None:
        """The manual override in force on ``as_of`` for the period of ``anchor``, if any."""
        ...

    def record_drift(
        self,
        firm_key: str,
        module: str,
        as_of: date,
        model_version: str,
        variables: Sequence[Mapping[str, Any]],
    ) -> None:
        """Replace a snapshot's drift, one row per variable."""


class Records(Protocol):
    """The records a step writes while it computes, and those of earlier runs that it reads."""

    @property
    def slices(self) -> SliceRecords:
        """The ledger of slices."""
        ...

    @property
    def quality(self) -> QualityRecords:
        """Rejections and gate results."""
        ...

    @property
    def models(self) -> ModelRecords:
        """Promotion results, overrides, drift."""
        ...

    def erased(self, firm_key: str) -> ErasedIds | None:
        """The erased customers of the firm, as hashes; None where there are none."""
        ...

    def set_module_status(
        self, firm_key: str, as_of: date, module: str, is_sufficient: bool, reason: str
    ) -> None:
        """Record whether a module had enough data at a snapshot, and if not, its fallback."""


class Loader(Protocol):
    """Writes facts and dimensions."""

    def load(
        self,
        table: str,
        *,
        firm_key: str,
        as_of: date,
        dataset: Dataset,
        slices: Sequence[LoadSlice],
        token: int,
        step: str,
    ) -> Loaded:
        """Replace ``slices`` of a firm's ``table``; slices already loaded from the same bytes are skipped."""
        ...

    def score(self, module: str, *, firm_key: str, step: str) -> int:
        """Bring a firm's scorecard of a module up to date; return the rows written, 0 if it was current."""
        ...
