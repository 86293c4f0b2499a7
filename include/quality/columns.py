"""Schema drift: the columns and types that a slice's files declare, against the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from include.datasets import Dataset
from include.quality.judge import Judge, Question
from include.quality.report import Result, Slice
from include.quality.rules import ColumnsRule, Rule


def judged(
    part: Slice, found: Mapping[str, str], dataset: Dataset, all_rules: Sequence[Rule], judge: Judge
) -> Iterator[Result]:
    """Results on the columns found in a slice's files: a missing, unknown or retyped one is named."""
    import pandas as pd

    if not part.files:
        return
    rules = {rule.name: rule for rule in all_rules if isinstance(rule, ColumnsRule)}
    declared = {f.name: str(f.type) for f in dataset.schema if f.name in found}
    types = pd.DataFrame({"type": [found[name] for name in declared], "declared": list(declared.values())})
    header = pd.DataFrame({name: [] for name in found})
    for frame, is_pair in ((header, False), (types, True)):
        questions = [
            Question(rule.name, rule.expectation, dict(rule.bounds))
            for rule in rules.values()
            if ("pair" in rule.expectation) is is_pair
        ]
        for answer in judge.ask(frame, questions):
            rule = rules[answer.name]
            result = Result(
                rule.name,
                "",
                part.text,
                rule.is_critical,
                answer.passed,
                f"{len(found)} columns",
                rule.about,
            )
            if answer.passed:
                yield result
            elif is_pair:
                off = [list(declared)[place] for place in answer.places]
                kinds = "; ".join(f"{name} is {found[name]}, not {declared[name]}" for name in off)
                yield result._replace(column=", ".join(off), observed=kinds)
            else:
                sides = answer.details["mismatched"]
                side = "missing" if rule.is_critical else "unexpected"
                names = sides.get(side) or sides["missing"]
                yield result._replace(column=", ".join(names), observed=f"{side} {names}")
