"""One action per customer: rules propose, a random holdout is excluded, a budget limits.

Rules are rows: the firm's own or the standard ones. Of the rules that match a customer, the one with the
highest net benefit is proposed. Its benefit is an assumption (``expected_lift``) until
``mart.vw_action_effect`` has measured it against the holdout.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa

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


class Customer(NamedTuple):
    """Inputs of a decision; ``value`` is the margin expected in a year, in the firm's currency.

    ``orders``: orders so far; None: not known, so no rule with ``max_orders`` fits.
    """

    customer_id: str
    segment_code: str
    risk_category: str | None
    value: float
    orders: int | None = None
    may_contact: bool | None = None
    last_contact: date | None = None


class Action(NamedTuple):
    """One customer's action: code, reason, cost, expected benefit, and whether it is carried out.

    ``exclusion`` is why the customer may not be contacted; None: may be contacted.
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


def compute(candidates: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of actions at ``as_of``: one per customer with a rule of positive net benefit."""
    settings = firm.actions
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
            )
            for batch in candidates.to_batches()
            for row in batch.to_pylist()
        ),
        firm_key=firm.firm_key,
        as_of=as_of,
        budget=math.inf if settings.budget is None else settings.budget,
        holdout_share=settings.holdout_share,
        contact=ContactRule(settings.require_consent, settings.contact_gap_days),
        rules=in_currency([_from_firm(rule) for rule in settings.rules] or RULES, average_order(candidates)),
        language=firm.language,
    )
    money = pa.decimal128(18, 4)
    values = {
        name: [
            settings.holdout_share if name == "holdout_share" else getattr(action, name) for action in decided
        ]
        for name in _SCHEMA
    }
    return pa.table(
        {
            name: pa.array(values[name], kind).cast(money if name.endswith("_amount") else kind)
            for name, kind in _SCHEMA.items()
        }
    )


def decide(
    customers: Iterable[Customer],
    *,
    rules: Sequence[Rule] = RULES,
    firm_key: str,
    as_of: date,
    budget: float,
    holdout_share: float,
    contact: ContactRule = ANYBODY,
    language: str = "en",
) -> list[Action]:
    """One action per customer with a rule of positive net benefit, sorted by customer_id.

    The cost of the chosen actions is at most ``budget``. A customer who may not be contacted is neither
    chosen nor held out, so treated and holdout differ only by the random draw.
    """
    check_rules(rules)
    offers = [(c, rule) for c in customers if (rule := _best(c, rules)) is not None]
    excluded = {
        customer.customer_id: why
        for customer, _ in offers
        if (
            why := exclusion_of(
                contact, may_contact=customer.may_contact, last_contact=customer.last_contact, as_of=as_of
            )
        )
    }
    chosen, held_out = _allocate(
        budget,
        [(customer, rule) for customer, rule in offers if customer.customer_id not in excluded],
        is_held=lambda c: draw(firm_key, c.customer_id, as_of) < holdout_share,
    )
    actions = [
        Action(
            customer.customer_id,
            rule.action_code,
            rule.unit_cost,
            benefit(customer, rule),
            (benefit(customer, rule) - rule.unit_cost) / rule.unit_cost if rule.unit_cost else None,
            customer.customer_id in held_out,
            customer.customer_id in chosen,
            rule.tr if language == "tr" else rule.en,
            excluded.get(customer.customer_id),
        )
        for customer, rule in offers
    ]
    return sorted(actions, key=attrgetter("customer_id"))


def benefit(customer: Customer, rule: Rule) -> float:
    """Margin that the action is expected to add in a year, in the firm's currency."""
    return customer.value * rule.expected_lift


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
    quarter = date(as_of.year, 1 + 3 * ((as_of.month - 1) // 3), 1)
    text = "\x1f".join((firm_key, customer_id, quarter.isoformat()))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _from_firm(rule: Any) -> Rule:
    """A rule of the firm's row; its explanation is in the firm's language."""
    is_in_orders = rule.unit_cost is None
    return Rule(
        rule.action_code, rule.segments, rule.risks, rule.least_value,
        rule.unit_cost_in_orders if is_in_orders else rule.unit_cost, rule.expected_lift,
        rule.explanation, rule.explanation, is_in_orders, rule.max_orders,
    )  # fmt: skip


def _best(customer: Customer, rules: Sequence[Rule]) -> Rule | None:
    def net(rule: Rule) -> float:
        return benefit(customer, rule) - rule.unit_cost

    paying = [rule for rule in rules if _matches(rule, customer) and net(rule) > 0]
    return max(paying, key=lambda rule: (net(rule), rule.action_code), default=None)


def _matches(rule: Rule, customer: Customer) -> bool:
    return (
        (not rule.segments or customer.segment_code in rule.segments)
        and (not rule.risks or customer.risk_category in rule.risks)
        and customer.value >= rule.least_value
        and (rule.max_orders is None or (customer.orders is not None and customer.orders <= rule.max_orders))
    )


def _allocate(
    budget: float, offers: Sequence[tuple[Customer, Rule]], *, is_held: Callable[[Customer], bool]
) -> tuple[set[str], set[str]]:
    """Customers chosen and held out, in order of net benefit per unit of cost, within the budget.

    A customer is held out only within the budget, and costs nothing. So treated and holdout differ only
    by the random draw. The chosen set's net benefit is below the optimum by less than the net benefit of the
    first offer that did not fit (Dantzig 1957, "Discrete-variable extremum problems").
    """

    def rank(offer: tuple[Customer, Rule]) -> tuple[float, str]:
        customer, rule = offer
        net = benefit(customer, rule) - rule.unit_cost
        return (-net / rule.unit_cost if rule.unit_cost else float("-inf"), customer.customer_id)

    chosen: set[str] = set()
    held_out: set[str] = set()
    left = budget
    for customer, rule in sorted(offers, key=rank):
        if rule.unit_cost > left:
            continue
        if is_held(customer):
            held_out.add(customer.customer_id)
        else:
            left -= rule.unit_cost
            chosen.add(customer.customer_id)
    return chosen, held_out


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
}
