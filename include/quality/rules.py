"""The rules of the gate, as data: on rows, on one measure of a slice or on its columns, with two limits.

A rule broken beyond its ``warn`` limit is a warning, beyond its ``fail`` limit it stops the firm.
With ``fail_above=None`` a rule never stops a firm. A firm's row may move the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

from include.datasets import Dataset

UNKNOWN = "unknown_in_"  # a derived column: the keys that a dataset does not have, else null
LIMITS = ("warn_below", "warn_above", "fail_below", "fail_above")


class LimitError(ValueError):
    """A firm's quality setting cannot be used; the message names it and what there is."""


@dataclass(frozen=True)
class RowRule:
    """Every row of ``column`` keeps an expectation; the limits are shares (0 to 1) of rows that break it.

    ``of`` is the derived column that is looked at in place of ``column`` (see ``rows.py``).
    ``bounds`` are the expectation's arguments; a text among them names a moment of the slice.
    """

    name: str
    column: str
    expectation: str
    about: str
    bounds: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    of: str | None = None
    warn_above: float = 0.0
    fail_above: float | None = 0.0

    @property
    def looked_at(self) -> str:
        """The column of the frame that the expectation reads."""
        return self.of or self.column

    @property
    def is_reference(self) -> bool:
        """Whether the rule compares the column with the keys of another dataset."""
        return (self.of or "").startswith(UNKNOWN)


@dataclass(frozen=True)
class MeasureRule:
    """One number measured on a whole slice stays between limits (see ``measures.py``)."""

    name: str
    column: str
    measure: str
    about: str
    warn_below: float | None = None
    warn_above: float | None = None
    fail_below: float | None = None
    fail_above: float | None = None
    expectation: str = "expect_column_values_to_be_between"


@dataclass(frozen=True)
class ColumnsRule:
    """The files' own columns and types are those of the contract."""

    name: str
    column: str
    expectation: str
    about: str
    bounds: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    is_critical: bool = True


Rule = RowRule | MeasureRule | ColumnsRule


def contract_rules(dataset: Dataset) -> tuple[Rule, ...]:
    """What follows from the dataset's contract: columns, types, required values, one row per grain."""
    columns = [
        ColumnsRule(
            "columns_present",
            "",
            "expect_table_columns_to_match_set",
            "Every column of the contract is there.",
            {"column_set": dataset.schema.names, "exact_match": False},
        ),
        ColumnsRule(
            "columns_known",
            "",
            "expect_table_columns_to_match_set",
            "No column is there that the contract does not name.",
            {"column_set": dataset.schema.names, "exact_match": True},
            is_critical=False,
        ),
        ColumnsRule(
            "types_as_declared",
            "",
            "expect_column_pair_values_to_be_equal",
            "Every column has the type of the contract.",
            {"column_A": "type", "column_B": "declared"},
        ),
    ]
    required = [
        RowRule(f"{f.name}_given", f.name, "expect_column_values_to_not_be_null", "Never null.")
        for f in dataset.schema
        if not f.nullable
    ]
    grain = MeasureRule(
        "grain_unique",
        ", ".join(dataset.grain),
        "repeated_keys",
        "No key occurs twice.",
        fail_above=0,
    )
    return (*columns, *required, grain)


def suite(dataset: Dataset) -> tuple[Rule, ...]:
    """The contract's rules and the literal rows of ``quality/<dataset>.py``, where there is one."""
    path = f"include.quality.{dataset.name}"
    own: tuple[Rule, ...] = import_module(path).SUITE if find_spec(path) else ()
    return (*contract_rules(dataset), *own)


def adjusted(rules: Sequence[Rule], dataset: Dataset, settings: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules with a firm's own limits: ``{"transactions": {"product_known": {"fail_above": 0.2}}}``."""
    wanted = settings.get(dataset.name) or {}
    if not isinstance(wanted, Mapping):
        raise LimitError(f"quality.{dataset.name} must map rule names to limits, not {wanted!r}")
    movable = {r.name: r for r in rules if not isinstance(r, ColumnsRule)}
    if unknown := sorted(set(wanted) - set(movable)):
        raise LimitError(
            f"quality.{dataset.name}: no rule {unknown} has limits; there are {', '.join(sorted(movable))}"
        )
    return tuple(_moved(rule, dataset, wanted[rule.name]) if rule.name in wanted else rule for rule in rules)


def limits(rule: RowRule | MeasureRule) -> str:
    """A rule's limits in words, for messages and for the table in the documentation."""
    if isinstance(rule, RowRule):
        if rule.fail_above == 0:
            return "(stops at one row)"
        warn = f"above {rule.warn_above:.3g} of rows" if rule.warn_above else "at one row"
        stop = "never stops" if rule.fail_above is None else f"stops above {rule.fail_above:.3g} of rows"
        return f"(warned {warn}; {stop})"
    parts = []
    for word, low, high in (
        ("warned", rule.warn_below, rule.warn_above),
        ("stops", rule.fail_below, rule.fail_above),
    ):
        ends = [
            f"below {low:.3g}" if low is not None else "",
            f"above {high:.3g}" if high is not None else "",
        ]
        if any(ends):
            parts.append(f"{word} {' or '.join(filter(None, ends))}")
    return f"({'; '.join(parts)})"


def _moved(rule: Rule, dataset: Dataset, limits: object) -> Rule:
    place = f"quality.{dataset.name}.{rule.name}"
    there = [name for name in LIMITS if hasattr(rule, name)]
    if not isinstance(limits, Mapping) or (set(limits) - set(there)):
        raise LimitError(f"{place} must give some of {there}, not {limits!r}")
    for name, value in limits.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise LimitError(f"{place}.{name} must be a number or null, not {value!r}")
    moved = replace(rule, **limits)
    for level in ("warn", "fail"):
        low, high = (getattr(moved, f"{level}_{side}", None) for side in ("below", "above"))
        if low is not None and high is not None and low > high:
            raise LimitError(f"{place}: {level}_below {low} is greater than {level}_above {high}")
    return moved
