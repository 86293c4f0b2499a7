"""What was decided earlier in the quarter: one action per customer and quarter.

A decision holds from its day to the end of the calendar quarter. Each snapshot repeats the decisions of the
quarter, so the latest snapshot of a quarter is its whole ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

ACTION, HOLDOUT, BUSINESS_AS_USUAL = "action", "holdout", "business_as_usual"


class Decision(NamedTuple):
    """A decision of an earlier day of the quarter; ``arm`` is the group that the customer was drawn into."""

    customer_id: str
    action_code: str
    arm: str
    decided_date: date
    cost_amount: float
    expected_benefit_amount: float
    value: float | None
    expected_lift: float | None
    lift_error: float | None
    explanation: str


def quarter_of(day: date) -> date:
    """First day of the calendar quarter of ``day``."""
    return date(day.year, 1 + 3 * ((day.month - 1) // 3), 1)


def arm_of(draw: float, holdout_share: float, usual_share: float) -> str:
    """The group of a customer, by its draw in [0, 1)."""
    if draw < holdout_share:
        return HOLDOUT
    return BUSINESS_AS_USUAL if draw < holdout_share + usual_share else ACTION


def decisions_of(past: pa.Table, as_of: date) -> dict[str, Decision]:
    """By customer, the decisions that the latest earlier snapshot of the quarter of ``as_of`` holds.

    Rows without a day (before decisions were kept for a quarter) and rows without a group are left out.
    """
    first = quarter_of(as_of)
    return {
        row["customer_id"]: _decision(row)
        for batch in past.to_batches()
        for row in batch.to_pylist()
        if row["arm"] and row["decided_date"] and first <= row["decided_date"] < as_of
    }


def spent(decisions: Iterable[Decision]) -> float:
    """Cost of the actions that were decided: it counts against the budget of the quarter."""
    return sum(decision.cost_amount for decision in decisions if decision.arm == ACTION)


def _decision(row: Mapping[str, Any]) -> Decision:
    def number(name: str) -> float | None:
        return None if row[name] is None else float(row[name])

    return Decision(
        row["customer_id"],
        row["action_code"],
        row["arm"],
        row["decided_date"],
        float(row["cost_amount"]),
        float(row["expected_benefit_amount"]),
        number("value_at_stake"),
        number("expected_lift"),
        number("lift_error"),
        row["explanation"],
    )
