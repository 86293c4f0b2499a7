"""The check of one slice: its findings as results and as a Great Expectations validation result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from include.datasets import Dataset
from include.quality import columns
from include.quality.aggregates import Count
from include.quality.measures import Measurement, Profile
from include.quality.report import Result, Slice
from include.quality.rule_results import Tally, counted, limited
from include.quality.rules import ColumnsRule, MeasureRule, RowRule
from include.quality.specs import Spec, columns_spec, limit_specs
from include.quality.validation_result import AGGREGATES, GREAT_EXPECTATIONS, Evaluated, document


@dataclass
class SliceCheck:
    """The findings on one slice; a part without text is the dataset as a whole.

    ``rechecked`` names the rules that Great Expectations has confirmed.
    """

    part: Slice
    column_rules: Sequence[ColumnsRule]
    found: Mapping[str, str] = field(default_factory=dict)
    usable: set[str] = field(default_factory=set)
    rules: list[RowRule] = field(default_factory=list)
    specs: dict[str, Spec] = field(default_factory=dict)
    incomparable: list[tuple[RowRule, str]] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    measured: list[tuple[MeasureRule, Measurement]] = field(default_factory=list)
    over: dict[str, set[str]] = field(default_factory=dict)
    columns_passed: dict[str, bool] = field(default_factory=dict)
    rechecked: set[str] = field(default_factory=set)

    @property
    def has_rows(self) -> bool:
        """Whether there is a row to check."""
        return bool(self.part.rows and self.part.files)

    def results(self, dataset: Dataset, profiles: Mapping[str, Profile]) -> Iterator[Result]:
        """Results in order: columns, rows, measures of the whole slice, and the profile to keep."""
        yield from self._column_results(dataset)
        if self.has_rows:
            for rule, name in self.incomparable:
                observed = f"{name} is empty: nothing to compare with"
                yield Result(rule.name, rule.column, self.part.text, False, True, observed, rule.about)
            yield from self._row_results()
        elif self.part.text:
            what = "no rows: nothing to check"
            yield Result("rows", "", self.part.text, False, True, what, "Rows, or none.")
        yield from self._measure_results()
        if dataset.by == "month" and self.part.text:
            what = "Kept for later checks to compare with."
            profile = profiles[self.part.text].text()
            yield Result("profile", "", self.part.text, False, True, profile, what)

    def document(self, dataset: Dataset, *, firm_key: str, as_of: date) -> dict[str, Any]:
        """The same as a Great Expectations validation result."""
        return document(
            list(self._evaluated(dataset)),
            dataset=dataset.name,
            firm_key=firm_key,
            as_of=as_of,
            slice_text=self.part.text,
        )

    def _column_results(self, dataset: Dataset) -> list[Result]:
        passed = self.columns_passed
        return [
            columns.compared(rule, self.found, dataset, self.part, passed=passed.get(rule.name))
            for rule in self.column_rules
        ]

    def _row_results(self) -> list[Result]:
        return [counted(rule, self.part, self.tallies[rule.name]) for rule in self.rules]

    def _measure_results(self) -> list[Result]:
        return [
            limited(rule, self.part.text, measured, is_over=self.over[rule.name])
            for rule, measured in self.measured
        ]

    def _evaluated(self, dataset: Dataset) -> Iterator[Evaluated]:
        built_from = GREAT_EXPECTATIONS if self.columns_passed else AGGREGATES
        for columns_rule, result in zip(self.column_rules, self._column_results(dataset), strict=True):
            yield Evaluated(
                columns_spec(columns_rule),
                result,
                result.passed,
                built_from,
                observed={"observed_value": list(self.found)} if not columns.is_pair(columns_rule) else {},
                rows=len(self.found),
                unexpected=columns.retyped_count(self.found, dataset) if columns.is_pair(columns_rule) else 0,
            )
        for row_rule, result in zip(self.rules, self._row_results() if self.rules else (), strict=True):
            tally, count = self.tallies[row_rule.name], self.counts[row_rule.name]
            yield Evaluated(
                self.specs[row_rule.name],
                result,
                result.passed,
                self._built_from(row_rule.name),
                tally.rows,
                0 if "null" in row_rule.expectation else tally.rows - count.present,
                count.unexpected,
            )
        for rule, (_, measured), result in zip(
            (rule for rule, _ in self.measured), self.measured, self._measure_results(), strict=True
        ):
            for spec in limit_specs(rule):
                is_over = spec.level in self.over[rule.name]
                yield Evaluated(
                    spec,
                    result,
                    not is_over,
                    self._built_from(rule.name),
                    missing=int(measured.value is None),
                    unexpected=int(is_over),
                )

    def _built_from(self, name: str) -> str:
        return GREAT_EXPECTATIONS if name in self.rechecked else AGGREGATES
