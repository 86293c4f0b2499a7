"""Which rule fits a customer best, and which offers the budget pays for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from include.models.action_ledger import ACTION
from include.models.action_rules import Rule


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
    assigned: date | None = None


def benefit(customer: Customer, rule: Rule) -> float:
    """Margin that the action is expected to add in a year, in the firm's currency."""
    return customer.value * rule.expected_lift


def best(customer: Customer, rules: Sequence[Rule]) -> Rule | None:
    """The rule with the highest net benefit above zero; None if no rule fits."""

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


def allocate(
    budget: float, offers: Sequence[tuple[Customer, Rule]], *, arm: Callable[[Customer], str]
) -> dict[str, str]:
    """The group of each customer within the budget, in order of net benefit per unit of cost.

    Only the group of the action costs money. A customer enters a group only within the budget, so the groups
    differ only by the random draw. The chosen set's net benefit is below the optimum by less than the net
    benefit of the first offer that did not fit (Dantzig 1957, "Discrete-variable extremum problems").
    """

    def rank(offer: tuple[Customer, Rule]) -> tuple[float, str]:
        customer, rule = offer
        net = benefit(customer, rule) - rule.unit_cost
        return (-net / rule.unit_cost if rule.unit_cost else float("-inf"), customer.customer_id)

    found: dict[str, str] = {}
    left = budget
    for customer, rule in sorted(offers, key=rank):
        if rule.unit_cost > left:
            continue
        found[customer.customer_id] = arm(customer)
        if found[customer.customer_id] == ACTION:
            left -= rule.unit_cost
    return found
