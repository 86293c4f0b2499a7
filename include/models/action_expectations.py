"""What an action is expected to add: the rule's assumption, corrected by the effects that were measured.

The assumption is a prior with a standard deviation as large as itself. The effects of completed quarters are
normal with their standard errors; the expectation is the mean of the posterior (Gelman et al., "Bayesian Data
Analysis", 3rd ed., section 2.5). So a weak test moves an expectation little, and a strong one replaces it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from include.models.action_rules import Rule
from include.models.uplift import MIN_CUSTOMERS


class Measured(NamedTuple):
    """Lift of an action (share of the margin expected in a year) and its standard error."""

    lift: float
    error: float


class Expected(NamedTuple):
    """Expected lift of a rule; ``error`` is None where it was never measured."""

    lift: float
    error: float | None


def measured(effects: pa.Table) -> dict[str, Measured]:
    """By action, the pooled lift of its completed quarters, weighted by precision (fixed effects).

    A quarter counts if both groups have ``MIN_CUSTOMERS`` and the standard error is above zero.
    """
    found: dict[str, list[Measured]] = {}
    for row in effects.to_pylist():
        if (lift := _lift(row)) is not None:
            found.setdefault(row["action_code"], []).append(lift)
    return {code: _pooled(lifts) for code, lifts in found.items()}


def expected(rule: Rule, known: Measured | None) -> Expected:
    """The expectation of a rule: its assumption, or the posterior where an effect was measured."""
    if known is None or not rule.expected_lift:
        return Expected(rule.expected_lift, None)
    prior = Measured(rule.expected_lift, rule.expected_lift)
    posterior = _pooled([prior, known])
    return Expected(min(max(posterior.lift, 0.0), 1.0), posterior.error)


def learned(
    rules: Sequence[Rule], effects: Mapping[str, Measured]
) -> tuple[list[Rule], dict[str, float | None]]:
    """The rules with their expectations, and the standard error of each action's lift (None: assumed)."""
    found = {rule.action_code: expected(rule, effects.get(rule.action_code)) for rule in rules}
    rules = [rule._replace(expected_lift=found[rule.action_code].lift) for rule in rules]
    return rules, {code: expectation.error for code, expectation in found.items()}


def _lift(row: Mapping[str, Any]) -> Measured | None:
    value, error = row["avg_value_at_stake"], row["standard_error"]
    if min(row["treated_customers"], row["held_out_customers"]) < MIN_CUSTOMERS:
        return None
    if not value or value <= 0 or not error or not math.isfinite(error):
        return None
    return Measured(row["margin_effect"] / value, error / value)


def _pooled(lifts: Iterable[Measured]) -> Measured:
    weights = [(1 / lift.error**2, lift.lift) for lift in lifts]
    whole = sum(weight for weight, _ in weights)
    return Measured(sum(weight * lift for weight, lift in weights) / whole, 1 / math.sqrt(whole))
