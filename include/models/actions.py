"""One action per customer: rules propose, a random holdout is excluded, a budget limits.

Rules are rows: the firm's own or the standard ones. Of the rules that match a customer, the one with the
highest net benefit is proposed. Its benefit is an assumption (``expected_lift``) until it was measured
(``action_expectations``). A decision holds for its calendar quarter (``action_ledger``).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from include.models.action_expectations import learned, measured
from include.models.action_ledger import ACTION, HOLDOUT, Decision, arm_of, decisions_of, quarter_of
from include.models.action_ledger import spent as spent_before
from include.models.action_offers import Customer, allocate, benefit, best
from include.models.action_rules import RULES, Rule, RuleTableError, check_rules, in_currency
from include.models.contact import ANYBODY, ContactRule, exclusion_of
from include.models.firm import FirmSettings

__all__ = [
    "RULES",
    "Action",
    "Customer",
    "Rule",
    "RuleTableError",
    "compute",
    "decide",
    "draw",
    "in_currency",
]


class Action(NamedTuple):
    """One customer's action: code, reason, cost, expected benefit, and whether it is carried out.

    ``exclusion`` is why the customer may not be contacted; None: may be contacted. ``arm`` is the group of
    the quarter, ``decided_date`` its first day; None: not selected. ``lift_error`` None: assumed.
    """

    customer_id: str
    action_code: str
    cost_amount: float
    expected_benefit_amount: float
    roi: float | None
    is_holdout: bool
    is_chosen: bool
    explanation: str
    exclusion: str | None = None
    decided_date: date | None = None
    arm: str | None = None
    value_at_stake: float | None = None
    expected_lift: float | None = None
    lift_error: float | None = None


class Groups(NamedTuple):
    """Shares of the customers who are left alone, and who get what the firm does without the plan."""

    holdout_share: float = 0.0
    usual_share: float = 0.0


def compute(
    candidates: pa.Table, effects: pa.Table, *, firm: FirmSettings, as_of: date, past: pa.Table
) -> pa.Table:
    """Rows of actions at ``as_of``: the decisions of the quarter so far, and those of today.

    ``effects`` are the measured effects of earlier quarters, ``past`` the latest snapshot of this quarter.
    """
    settings = firm.actions
    rules = in_currency([_from_firm(rule) for rule in settings.rules] or RULES, average_order(candidates))
    check_rules(rules)
    rules, errors = learned(rules, measured(effects))
    groups = Groups(settings.holdout_share, settings.usual_share)
    decided = decide(
        (
            Customer(
                row["customer_id"],
                row["segment_code"],
                row["churn_risk_category"],
                float(row["value_at_stake"]),
                row["order_count"],
                row["may_contact"],
                row["last_contact_date"],
                row["assigned_date"],
            )
            for batch in candidates.to_batches()
            for row in batch.to_pylist()
        ),
        firm_key=firm.firm_key,
        as_of=as_of,
        budget=math.inf if settings.budget is None else settings.budget,
        holdout_share=groups.holdout_share,
        usual_share=groups.usual_share,
        contact=ContactRule(settings.require_consent, settings.contact_gap_days),
        rules=rules,
        errors=errors,
        earlier=decisions_of(past, as_of),
        language=firm.language,
    )
    return _table(decided, groups)


def _table(actions: Sequence[Action], groups: Groups) -> pa.Table:
    """The actions as columns of the dataset; the planned shares are the same in each row."""
    of_plan = groups._asdict()
    columns = {}
    for name, kind in _SCHEMA.items():
        values = [of_plan[name] if name in of_plan else getattr(action, name) for action in actions]
        column = pa.array(values, kind)
        columns[name] = column.cast(_MONEY) if name in _AMOUNTS else column
    return pa.table(columns)


def decide(
    customers: Iterable[Customer],
    *,
    rules: Sequence[Rule] = RULES,
    firm_key: str,
    as_of: date,
    budget: float,
    holdout_share: float,
    usual_share: float = 0.0,
    contact: ContactRule = ANYBODY,
    errors: Mapping[str, float | None] = MappingProxyType({}),
    earlier: Mapping[str, Decision] = MappingProxyType({}),
    language: str = "en",
) -> list[Action]:
    """One action per customer with a rule of positive net benefit, sorted by customer_id.

    A decision of an earlier day of the quarter (``earlier``) stays. The cost of the actions of the quarter is
    at most ``budget``. A customer who may not be contacted is in no group, so the groups differ only by the
    random draw.
    """
    check_rules(rules)
    offers, still = [], {}
    for customer in customers:
        if customer.customer_id in earlier:
            still[customer.customer_id] = customer
        elif (rule := best(customer, rules)) is not None:
            offers.append((customer, rule))
    excluded = {c.customer_id: why for c, _ in offers if (why := _exclusion(contact, c, as_of))}
    arms = allocate(
        budget - spent_before(earlier.values()),
        [(customer, rule) for customer, rule in offers if customer.customer_id not in excluded],
        arm=lambda c: arm_of(draw(firm_key, c.customer_id, as_of), holdout_share, usual_share),
    )
    actions = [_repeated(earlier[key], still.get(key), contact, as_of) for key in earlier]
    for customer, rule in offers:
        arm, gain = arms.get(customer.customer_id), benefit(customer, rule)
        actions.append(
            Action(
                customer.customer_id,
                rule.action_code,
                rule.unit_cost,
                gain,
                (gain - rule.unit_cost) / rule.unit_cost if rule.unit_cost else None,
                arm == HOLDOUT,
                arm == ACTION,
                rule.tr if language == "tr" else rule.en,
                excluded.get(customer.customer_id),
                as_of if arm else None,
                arm,
                customer.value,
                rule.expected_lift,
                errors.get(rule.action_code),
            )
        )
    return sorted(actions, key=attrgetter("customer_id"))


def _exclusion(contact: ContactRule, customer: Customer, as_of: date) -> str | None:
    return exclusion_of(
        contact,
        may_contact=customer.may_contact,
        last_contact=customer.last_contact,
        assigned=customer.assigned,
        as_of=as_of,
    )


def _repeated(decision: Decision, customer: Customer | None, contact: ContactRule, as_of: date) -> Action:
    """An earlier decision of the quarter. It is carried out unless the customer has refused since.

    A message since the decision does not count: it may be the action itself. A customer who is no candidate
    now (``customer`` None) is not contacted, because the consent is not known.
    """
    cost, gain = decision.cost_amount, decision.expected_benefit_amount
    why = None
    if decision.arm == ACTION and customer is not None:
        why = _exclusion(contact, customer._replace(last_contact=None, assigned=None), as_of)
    return Action(
        decision.customer_id,
        decision.action_code,
        cost,
        gain,
        (gain - cost) / cost if cost else None,
        decision.arm == HOLDOUT,
        decision.arm == ACTION and customer is not None and why is None,
        decision.explanation,
        why,
        decision.decided_date,
        decision.arm,
        decision.value,
        decision.expected_lift,
        decision.lift_error,
    )


def average_order(candidates: pa.Table) -> float | None:
    """The firm's average order in its currency; None if it is not known."""
    known = [value for value in candidates["firm_avg_order_value"].to_pylist() if value]
    return float(known[0]) if known else None


def draw(firm_key: str, customer_id: str, as_of: date) -> float:
    """Pseudo-random number in [0, 1), constant within a calendar quarter for a customer.

    It is the same for every action: one holdout for the whole programme, so effects can be pooled. A new draw
    each day would move customers between the holdout and the treated group, and the effect could not be
    measured.
    """
    text = "\x1f".join((firm_key, customer_id, quarter_of(as_of).isoformat()))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _from_firm(rule: Any) -> Rule:
    """A rule of the firm's row; its explanation is in the firm's language."""
    is_in_orders = rule.unit_cost is None
    return Rule(
        rule.action_code, rule.segments, rule.risks, rule.least_value,
        rule.unit_cost_in_orders if is_in_orders else rule.unit_cost, rule.expected_lift,
        rule.explanation, rule.explanation, is_in_orders, rule.max_orders,
    )  # fmt: skip


def spent(actions: Iterable[Action]) -> Mapping[str, float]:
    """Cost of the chosen actions by action_code."""
    totals: dict[str, float] = {}
    for action in actions:
        if action.is_chosen:
            totals[action.action_code] = totals.get(action.action_code, 0.0) + action.cost_amount
    return totals


_SCHEMA = {
    "customer_id": pa.string(),
    "action_code": pa.string(),
    "cost_amount": pa.float64(),
    "expected_benefit_amount": pa.float64(),
    "roi": pa.float64(),
    "is_holdout": pa.bool_(),
    "is_chosen": pa.bool_(),
    "holdout_share": pa.float64(),
    "explanation": pa.string(),
    "exclusion": pa.string(),
    "decided_date": pa.date32(),
    "arm": pa.string(),
    "value_at_stake": pa.float64(),
    "expected_lift": pa.float64(),
    "lift_error": pa.float64(),
    "usual_share": pa.float64(),
}
_MONEY = pa.decimal128(18, 4)
_AMOUNTS = ("cost_amount", "expected_benefit_amount", "value_at_stake")
