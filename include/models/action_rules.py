"""Rules of actions: which customers an action is for, what it costs and what it is expected to bring.

Standard costs are in the firm's average orders, so that they suit every currency and price level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

ANY: tuple[str, ...] = ()
CAN_BE_WON = (
    "champions", "loyal", "potential_loyalists", "recent", "promising", "needs_attention", "about_to_sleep",
    "at_risk", "cant_lose_them",
)  # fmt: skip
"""The standard segments without the long silent: a work list is of customers who can still be won."""


class Rule(NamedTuple):
    """Match conditions (segments, risk categories, minimum yearly value; ``ANY``: no condition) and costs.

    ``least_value`` and ``unit_cost`` are in the firm's currency, or in its average orders (``is_in_orders``),
    so that one rule suits every currency and price level. ``max_orders``: customers with so few orders.
    """

    action_code: str
    segments: tuple[str, ...]
    risks: tuple[str, ...]
    least_value: float
    unit_cost: float  # per customer
    expected_lift: float  # expected gain as a share of the yearly value, 0 to 1
    en: str
    tr: str
    is_in_orders: bool = False
    max_orders: int | None = None


RULES: tuple[Rule, ...] = (
    Rule(
        "personal_call", ("cant_lose_them", "at_risk"), ("High", "Critical"), 5, 0.2, 0.10,
        "Was among the best buyers and is likely to leave: a personal call.",
        "En iyi müşteriler arasındaydı ve ayrılma olasılığı yüksek: kişisel arama.",
        is_in_orders=True,
    ),
    Rule(
        "win_back_offer", ("at_risk", "cant_lose_them", "needs_attention", "about_to_sleep"),
        ("High", "Critical"), 0.5, 0.05, 0.06,
        "Is likely to leave and worth keeping: a limited offer.",
        "Ayrılma olasılığı yüksek ve elde tutmaya değer: sınırlı süreli teklif.",
        is_in_orders=True,
    ),
    Rule(
        "second_order_voucher", ("recent", "promising", "needs_attention"), ANY, 0.25, 0.0375, 0.08,
        "Has ordered once, not long ago: a reason for the second order.",
        "Yakın zamanda tek bir sipariş verdi: ikinci sipariş için bir neden.",
        is_in_orders=True, max_orders=1,
    ),
    Rule(
        "early_access", ("champions", "loyal", "potential_loyalists"), ("Low", "Medium"), 1.25, 0.0125, 0.02,
        "Buys regularly: early access instead of a discount.",
        "Düzenli alışveriş yapıyor: indirim yerine erken erişim.",
        is_in_orders=True,
    ),
    Rule(
        "reminder_email", CAN_BE_WON, ANY, 0, 0.00125, 0.005,
        "Expected to bring most after its cost: a reminder by e-mail.",
        "Maliyeti düşüldükten sonra en çok getirmesi beklenen: e-posta ile hatırlatma.",
        is_in_orders=True,
    ),
)  # fmt: skip


class RuleTableError(ValueError):
    """A rule is invalid; the message names its action_code."""


def in_currency(rules: Iterable[Rule], order: float | None) -> list[Rule]:
    """The rules with costs in the firm's currency; rules in average orders need one to be known."""
    return [
        rule._replace(
            unit_cost=round(rule.unit_cost * order, 4),
            least_value=rule.least_value * order,
            is_in_orders=False,
        )
        if rule.is_in_orders and order
        else rule
        for rule in rules
        if order or not rule.is_in_orders
    ]


def check_rules(rules: Sequence[Rule]) -> None:
    """RuleTableError if two rules have one code, or a cost or lift is impossible."""
    codes = [rule.action_code for rule in rules]
    for rule in rules:
        if codes.count(rule.action_code) > 1:
            raise RuleTableError(f"action {rule.action_code} has more than one rule")
        if rule.unit_cost < 0 or not 0 <= rule.expected_lift <= 1:
            raise RuleTableError(f"action {rule.action_code}: cost must be 0 or more, lift from 0 to 1")
