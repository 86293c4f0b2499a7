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
from typing import Any, NamedTuple

import pyarrow as pa

from include.models.firm import FirmSettings

ANY: tuple[str, ...] = ()


class Rule(NamedTuple):
    """Match conditions (segments, risk categories, minimum yearly value; ``ANY``: no condition) and costs."""

    action_code: str
    segments: tuple[str, ...]
    risks: tuple[str, ...]
    least_value: float
    unit_cost: float  # in the firm's currency, per customer
    expected_lift: float  # expected gain as a share of the yearly value, 0 to 1
    en: str
    tr: str


class Customer(NamedTuple):
    """Inputs of a decision; ``value`` is the margin expected in a year, in the firm's currency."""

    customer_id: str
    segment_code: str
    risk_category: str
    value: float


class Action(NamedTuple):
    """One customer's action: code, reason, cost, expected benefit, and whether it is carried out."""

    customer_id: str
    action_code: str
    cost_amount: float
    expected_benefit_amount: float
    roi: float | None
    is_holdout: bool
    is_chosen: bool
    explanation: str


RULES: tuple[Rule, ...] = (
    Rule(
        "personal_call", ("cant_lose_them", "at_risk"), ("High", "Critical"), 200, 8, 0.10,
        "Was among the best buyers and is likely to leave: a personal call.",
        "En iyi müşteriler arasındaydı ve ayrılma olasılığı yüksek: kişisel arama.",
    ),
    Rule(
        "win_back_offer", ("at_risk", "cant_lose_them", "needs_attention", "about_to_sleep"),
        ("High", "Critical"), 20, 2, 0.06,
        "Is likely to leave and worth keeping: a limited offer.",
        "Ayrılma olasılığı yüksek ve elde tutmaya değer: sınırlı süreli teklif.",
    ),
    Rule(
        "second_order_voucher", ("recent", "promising"), ANY, 10, 1.5, 0.08,
        "Has bought seldom so far, but not long ago: a reason for the next order.",
        "Az sayıda ve yakın zamanda alışveriş yaptı: sonraki sipariş için bir neden.",
    ),
    Rule(
        "early_access", ("champions", "loyal", "potential_loyalists"), ("Low", "Medium"), 50, 0.5, 0.02,
        "Buys regularly: early access instead of a discount.",
        "Düzenli alışveriş yapıyor: indirim yerine erken erişim.",
    ),
    Rule(
        "reminder_email", ANY, ANY, 0, 0.05, 0.005,
        "No dearer action pays here: a reminder by e-mail.",
        "Daha pahalı bir eylem burada karşılığını vermez: e-posta ile hatırlatma.",
    ),
)  # fmt: skip


class RuleTableError(ValueError):
    """A rule is invalid; the message names its action_code."""


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
            )
            for batch in candidates.to_batches()
            for row in batch.to_pylist()
        ),
        firm_key=firm.firm_key,
        as_of=as_of,
        budget=math.inf if settings.budget is None else settings.budget,
        holdout_share=settings.holdout_share,
        rules=[_from_firm(rule) for rule in settings.rules] or RULES,
        language=firm.language,
    )
    money = pa.decimal128(18, 4)
    return pa.table(
        {
            name: pa.array([getattr(action, name) for action in decided], kind).cast(
                money if name.endswith("_amount") else kind
            )
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
    language: str = "en",
) -> list[Action]:
    """One action per customer with a rule of positive net benefit, sorted by customer_id.

    The cost of the chosen actions is at most ``budget``.
    """
    _validate(rules)
    offers = [(c, rule) for c in customers if (rule := _best(c, rules)) is not None]
    chosen, held_out = _allocate(
        budget,
        offers,
        is_held=lambda c, rule: draw(firm_key, c.customer_id, rule.action_code, as_of) < holdout_share,
    )
    return sorted(
        Action(
            customer.customer_id,
            rule.action_code,
            rule.unit_cost,
            benefit(customer, rule),
            (benefit(customer, rule) - rule.unit_cost) / rule.unit_cost if rule.unit_cost else None,
            customer.customer_id in held_out,
            customer.customer_id in chosen,
            rule.tr if language == "tr" else rule.en,
        )
        for customer, rule in offers
    )


def benefit(customer: Customer, rule: Rule) -> float:
    """Margin that the action is expected to add in a year, in the firm's currency."""
    return customer.value * rule.expected_lift


def draw(firm_key: str, customer_id: str, action_code: str, as_of: date) -> float:
    """Pseudo-random number in [0, 1), constant within a calendar quarter for a customer and action.

    A new draw each day would move customers between the holdout and the treated group, and the effect could
    not be measured.
    """
    quarter = date(as_of.year, 1 + 3 * ((as_of.month - 1) // 3), 1)
    text = "\x1f".join((firm_key, customer_id, action_code, quarter.isoformat()))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _from_firm(rule: Any) -> Rule:
    """A rule of the firm's row; its explanation is in the firm's language."""
    return Rule(
        rule.action_code, rule.segments, rule.risks, rule.least_value, rule.unit_cost, rule.expected_lift,
        rule.explanation, rule.explanation,
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
    )


def _allocate(
    budget: float, offers: Sequence[tuple[Customer, Rule]], *, is_held: Callable[[Customer, Rule], bool]
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
        if is_held(customer, rule):
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


def _validate(rules: Sequence[Rule]) -> None:
    codes = [rule.action_code for rule in rules]
    for rule in rules:
        if codes.count(rule.action_code) > 1:
            raise RuleTableError(f"action {rule.action_code} has more than one rule")
        if rule.unit_cost < 0 or not 0 <= rule.expected_lift <= 1:
            raise RuleTableError(f"action {rule.action_code}: cost must be 0 or more, lift from 0 to 1")


_SCHEMA = {
    "customer_id": pa.string(),
    "action_code": pa.string(),
    "cost_amount": pa.float64(),
    "expected_benefit_amount": pa.float64(),
    "roi": pa.float64(),
    "is_holdout": pa.bool_(),
    "is_chosen": pa.bool_(),
    "explanation": pa.string(),
}
