"""``Records`` in this process: for ``try``, which has no warehouse, and for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from include.datasets import Dataset
from include.run.records import Row
from include.slices import Slice
from include.warehouse import Loaded, LoadSlice
from include.warehouse.slices import Recorded, Written


class SlicesInMemory:
    """``include.run.records.SliceRecords``."""

    def __init__(self) -> None:
        """No slice is extracted."""
        self._rows: dict[tuple[str, str, str], Recorded] = {}

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
        """Keep the slice's count."""
        key = (firm_key, dataset_name, str(part))
        self._rows[key] = Recorded(part, as_of, token, None, source_rows, None, None, source_amount)

    def record(self, firm_key: str, dataset_name: str, written: Sequence[Written]) -> None:
        """Keep the manifests."""
        for one in written:
            key = (firm_key, dataset_name, str(one.slice))
            row = self._rows.get(key) or Recorded(one.slice, one.as_of, one.token, None, None, None, None)
            if row.token <= one.token:
                self._rows[key] = replace(row, as_of=one.as_of, token=one.token, written=one)

    def of(self, firm_key: str, dataset_name: str) -> list[Recorded]:
        """The slices of the dataset, in order."""
        return [row for key, row in sorted(self._rows.items()) if key[:2] == (firm_key, dataset_name)]

    def record_comparison(
        self, firm_key: str, dataset_name: str, as_of: date, counted: Mapping[Slice, tuple[int, int]]
    ) -> None:
        """Keep the source's count of each slice."""
        for part, (_, now) in counted.items():
            key = (firm_key, dataset_name, str(part))
            self._rows[key] = replace(self._rows[key], compared_as_of=as_of, compared_rows=now)


class QualityInMemory:
    """``include.run.records.QualityRecords``: nothing was loaded or checked before."""

    def __init__(self) -> None:
        """No slice was checked."""
        self.rejections_by_slice: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        self.results: list[Mapping[str, Any]] = []

    def record_rejections(
        self,
        firm_key: str,
        dataset_name: str,
        slice_text: str,
        as_of: date,
        token: int,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the slice's rejected rows."""
        self.rejections_by_slice[firm_key, dataset_name, slice_text] = list(rows)

    def record(self, firm_key: str, as_of: date, token: int, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep the results."""
        self.results.extend(results)

    def history(self, firm_key: str, dataset_name: str) -> list[Row]:
        """No slice was loaded."""
        return []

    def passed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """No slice passed."""
        return set()

    def failed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """No slice failed."""
        return set()

    def profiles(self, firm_key: str, dataset_name: str) -> dict[tuple[str, str], str]:
        """No slice was checked."""
        return {}

    def rejections(self, firm_key: str, dataset_name: str) -> list[Row]:
        """The rejected rows that were kept."""
        return [
            {"slice": part, **row}
            for (firm, dataset, part), rows in self.rejections_by_slice.items()
            if (firm, dataset) == (firm_key, dataset_name)
            for row in rows
        ]


class ModelsInMemory:
    """``include.run.records.ModelRecords``: no override is in force."""

    def __init__(self) -> None:
        """No model was evaluated."""
        self._promotion_results: dict[tuple[str, str, date], list[Row]] = {}
        self.drift: dict[tuple[str, str, date], list[Mapping[str, Any]]] = {}

    def promotion_result(self, firm_key: str, module: str, anchor: date) -> list[Row]:
        """The promotion result of a training date."""
        return self._promotion_results.get((firm_key, module, anchor), [])

    def record_promotion_result(
        self, firm_key: str, module: str, anchor: date, candidates: Sequence[Mapping[str, Any]]
    ) -> None:
        """Keep the promotion result of a training date."""
        self._promotion_results[firm_key, module, anchor] = [dict(row) for row in candidates]

    def decision(self, firm_key: str, module: str, *, as_of: date, anchor: date) -> Row | None:
        """None."""
        return None

    def record_drift(
        self,
        firm_key: str,
        module: str,
        as_of: date,
        model_version: str,
        variables: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the snapshot's drift."""
        self.drift[firm_key, module, as_of] = list(variables)


@dataclass
class InMemoryRecords:
    """``include.run.records.Records``, for as long as this object lives. ``reasons`` are by module."""

    slices: SlicesInMemory = field(default_factory=SlicesInMemory)
    quality: QualityInMemory = field(default_factory=QualityInMemory)
    models: ModelsInMemory = field(default_factory=ModelsInMemory)
    reasons: dict[str, str] = field(default_factory=dict)

    def erased(self, firm_key: str) -> None:
        """No customer was erased."""

    def set_module_status(
        self, firm_key: str, as_of: date, module: str, is_sufficient: bool, reason: str
    ) -> None:
        """Keep why a module can or cannot predict."""
        self.reasons[module] = reason


class NoWarehouse:
    """``include.run.records.Loader`` where there is no warehouse: a step that loads is a mistake."""

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
        """TypeError."""
        raise TypeError(f"{step}: there is no warehouse to load {table} into")

    def score(self, module: str, *, firm_key: str, step: str) -> int:
        """TypeError."""
        raise TypeError(f"{step}: there is no warehouse that holds facts of {module}")
