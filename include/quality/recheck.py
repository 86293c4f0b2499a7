"""Recheck rules with Great Expectations: those that fail or come close to a limit, or the whole suite.

What Great Expectations finds replaces what the aggregates found. A difference is a defect of ours: it is
logged as a warning, and the tests compare the two on every rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import pyarrow as pa

from include.datasets import Dataset
from include.quality import columns
from include.quality.aggregates import Count
from include.quality.expectations import ExpectationRunner
from include.quality.recheck_rows import Rechecked, unexpected_counts
from include.quality.report import Slice
from include.quality.rule_results import is_share_near, is_value_near
from include.quality.rules import MeasureRule, RowRule
from include.quality.slice_check import SliceCheck
from include.quality.specs import limit_specs

log = logging.getLogger(__name__)


def recheck(
    checks: Sequence[SliceCheck],
    dataset: Dataset,
    *,
    zone: str,
    unknown: Callable[[Slice, RowRule], pa.Array],
    whole_suite: bool,
) -> None:
    """Recheck the slices in place; ``unknown`` finds the values of a column that refer to no key."""
    runner = ExpectationRunner()
    _columns(checks, dataset, runner, whole_suite=whole_suite)
    _rows(checks, dataset, runner, zone=zone, unknown=unknown, whole_suite=whole_suite)
    _measures(checks, runner, whole_suite=whole_suite)


def _columns(
    checks: Sequence[SliceCheck], dataset: Dataset, runner: ExpectationRunner, *, whole_suite: bool
) -> None:
    """Slices mostly have the same columns; each set of columns is run once."""
    passed: dict[tuple[tuple[str, str], ...], dict[str, bool]] = {}
    for one in checks:
        results = [columns.compared(rule, one.found, dataset, one.part) for rule in one.column_rules]
        if not results or (not whole_suite and all(result.passed for result in results)):
            continue
        key = tuple(one.found.items())
        if key not in passed:
            passed[key] = columns.run(one.column_rules, one.found, dataset, runner)
        one.columns_passed = passed[key]
        for result in results:
            _compare(one, result.expectation, result.passed, one.columns_passed[result.expectation])


def _rows(
    checks: Sequence[SliceCheck],
    dataset: Dataset,
    runner: ExpectationRunner,
    *,
    zone: str,
    unknown: Callable[[Slice, RowRule], pa.Array],
    whole_suite: bool,
) -> None:
    wanted = []
    for one in checks:
        chosen = [r for r in one.rules if whole_suite or is_share_near(r, one.tallies[r.name].share)]
        if chosen:
            values = {rule.looked_at: unknown(one.part, rule) for rule in chosen if rule.is_reference}
            wanted.append(Rechecked(one.part, chosen, one.specs, values))
    by_key = {one.part.text: one for one in checks}
    for (key, name), count in unexpected_counts(wanted, dataset, zone=zone, runner=runner).items():
        one = by_key[key]
        _compare(one, name, one.tallies[name].broken, count)
        one.tallies[name].broken = count
        one.counts[name] = Count(one.counts[name].present, count)
        one.rechecked.add(name)


def _measures(checks: Sequence[SliceCheck], runner: ExpectationRunner, *, whole_suite: bool) -> None:
    """Check the numbers in one frame: a row per slice, a column per rule."""
    chosen: dict[str, MeasureRule] = {
        rule.name: rule
        for one in checks
        for rule, measured in one.measured
        if whole_suite or is_value_near(rule, measured.value)
    }
    if not chosen:
        return
    import pandas as pd

    numbers = [{rule.name: measured.value for rule, measured in one.measured} for one in checks]
    frame = pd.DataFrame(
        {name: [row.get(name) for row in numbers] for name in chosen},
        index=range(len(checks)),
        dtype="float64",
    )
    specs = [spec for rule in chosen.values() for spec in limit_specs(rule)]
    over = {
        (place, result.name, result.level) for result in runner.run(frame, specs) for place in result.places
    }
    for place, one in enumerate(checks):
        for rule, _ in one.measured:
            if rule.name in chosen:
                levels = {level for level in ("critical", "warning") if (place, rule.name, level) in over}
                _compare(one, rule.name, one.over[rule.name], levels)
                one.over[rule.name] = levels
                one.rechecked.add(rule.name)


def _compare(one: SliceCheck, name: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        log.warning(
            "%s on slice %r: the aggregates found %s, Great Expectations found %s, which is used. "
            "This is a defect of include/quality/conditions.py: please report the rule and the data",
            name,
            one.part.text,
            ours,
            theirs,
        )
