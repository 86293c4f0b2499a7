"""Expectation specs: a rule with its bounds filled in for one slice, in the terms of Great Expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from include.datasets import Dataset
from include.periods import Month, start_of_day
from include.quality.report import Slice
from include.quality.rules import ColumnsRule, MeasureRule, RowRule


@dataclass(frozen=True)
class Spec:
    """One expectation: its type, its arguments and the severity of a failure."""

    name: str
    expectation: str
    arguments: dict[str, Any]
    level: str = "critical"


def moments_of(part: Slice, dataset: Dataset, zone: str, known_before: date) -> dict[str, datetime]:
    """Instants that a rule's bounds may name: ``as_of``, ``month_first`` and so on, for one slice."""
    moments = {
        "as_of": _midnight(known_before),
        "as_of_instant": start_of_day(known_before, zone),
    }
    if dataset.by == "month":
        month = Month.parse(part.text)
        moments |= {
            "month_first": _midnight(month.first),
            "month_end": _midnight(min(month.end, known_before)),
        }
    return moments


def row_spec(rule: RowRule, moments: Mapping[str, datetime]) -> Spec:
    """The spec of a rule on rows, with named instants replaced by those of the slice."""
    bounds = dict(rule.bounds)
    for name in ("min_value", "max_value"):
        value = bounds.get(name)
        if isinstance(value, str):
            bounds[name] = moments[value]
        elif isinstance(value, date):
            bounds[name] = _midnight(value)
    level = "warning" if rule.fail_above is None else "critical"
    return Spec(rule.name, rule.expectation, {"column": rule.looked_at, **bounds}, level)


def limit_specs(rule: MeasureRule) -> Iterator[Spec]:
    """The specs that hold a measured number to the rule's limits: one per level that has a limit."""
    for level, low, high in (
        ("critical", rule.fail_below, rule.fail_above),
        ("warning", rule.warn_below, rule.warn_above),
    ):
        if low is not None or high is not None:
            arguments = {"column": rule.name, "min_value": low, "max_value": high}
            yield Spec(rule.name, rule.expectation, arguments, level)


def columns_spec(rule: ColumnsRule) -> Spec:
    """The spec of a rule on a file's columns and types."""
    return Spec(rule.name, rule.expectation, dict(rule.bounds), "critical" if rule.is_critical else "warning")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
