"""Schema drift: compare the columns and types that a slice's files declare with the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from include.datasets import Dataset
from include.quality.expectations import ExpectationRunner
from include.quality.report import Result, Slice
from include.quality.rules import ColumnsRule
from include.quality.specs import columns_spec


def compared(
    rule: ColumnsRule, found: Mapping[str, str], dataset: Dataset, part: Slice, *, passed: bool | None = None
) -> Result:
    """The result of one rule on the columns found. It names missing, unknown and retyped columns.

    ``passed`` is the result of Great Expectations, if it ran.
    """
    wanted = dataset.schema.names
    retyped = [f.name for f in dataset.schema if found.get(f.name, str(f.type)) != str(f.type)]
    missing = sorted(set(wanted) - set(found))
    unexpected = sorted(set(found) - set(wanted))
    if is_pair(rule):
        off, observed = (
            retyped,
            "; ".join(f"{name} is {found[name]}, not {dataset.schema.field(name).type}" for name in retyped),
        )
        is_kept = not retyped
    elif rule.is_critical:
        off, observed, is_kept = missing, f"missing {missing}", not missing
    else:
        side, off = ("unexpected", unexpected) if unexpected else ("missing", missing)
        observed, is_kept = f"{side} {off}", not (unexpected or missing)
    is_kept = is_kept if passed is None else passed
    result = Result(rule.name, "", part.text, rule.is_critical, is_kept, f"{len(found)} columns", rule.about)
    return result if is_kept else result._replace(column=", ".join(off), observed=observed)


def run(
    rules: Sequence[ColumnsRule], found: Mapping[str, str], dataset: Dataset, runner: ExpectationRunner
) -> dict[str, bool]:
    """Whether each rule holds, by Great Expectations."""
    import pandas as pd

    declared = {f.name: str(f.type) for f in dataset.schema if f.name in found}
    types = pd.DataFrame({"type": [found[name] for name in declared], "declared": list(declared.values())})
    header = pd.DataFrame({name: [] for name in found})
    return {
        result.name: result.passed
        for frame, pairs in ((header, False), (types, True))
        for result in runner.run(frame, [columns_spec(r) for r in rules if is_pair(r) is pairs])
    }


def retyped_count(found: Mapping[str, str], dataset: Dataset) -> int:
    """How many columns have another type than the contract's."""
    return sum(found.get(f.name, str(f.type)) != str(f.type) for f in dataset.schema)


def is_pair(rule: ColumnsRule) -> bool:
    """Whether the rule compares types rather than names."""
    return "pair" in rule.expectation
