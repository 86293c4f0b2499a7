"""Shipping, tax, tips and discounts: what an order's total may contain beside the goods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.intake.answer import Findings
from include.intake.concepts import says_net
from include.intake.equal_columns import same_amount
from include.intake.money import Amounts, Bools
from include.intake.tables import Table, compact

SUBTOTALS = frozenset({"subtotal", "zwischensumme", "soustotal", "aratoplam", "subtotaal", "warenwert"})


@dataclass(frozen=True)
class Others:
    """The columns of a table that are none of ours, as evidence of what an amount includes."""

    table: Table
    taken: frozenset[int]

    def less(self, line: Amounts, discount: Amounts) -> Amounts | None:
        """The amount less the discount if another column equals that; None if none does."""
        less = discounted(line, discount)
        where = discount.known & (discount.units != 0)
        return less if self.has(less, where) else None

    def has(self, amount: Amounts, where: Bools) -> bool:
        """Whether a column equals an amount on nearly all rows of ``where``."""
        return bool(where.any()) and same_amount(self.table, set(self.taken), amount, where) is not None


def minus_all(amount: Amounts, amounts: dict[str, Amounts], roles: tuple[str, ...]) -> Amounts:
    """An amount less other columns; discounts are subtracted whatever their sign."""
    for role in roles:
        if role in amounts:
            part = amounts[role]
            signed = role.endswith("discount")
            amount = amount.minus(Amounts(np.abs(part.units), part.known) if signed else part)
    return amount


def discounted(gross: Amounts, discount: Amounts) -> Amounts:
    """Gross less discount, for discounts of either sign; returns keep their sign."""
    off = np.where(discount.known, np.abs(discount.units), 0)
    return Amounts(gross.units - np.sign(gross.units) * np.minimum(off, np.abs(gross.units)), gross.known)


def goods_of(
    order: Amounts, name: str, amounts: dict[str, Amounts], others: Others, findings: Findings
) -> Amounts:
    """An order's total without shipping, tax and tips, unless it does not contain them.

    It does not if it is a subtotal, or if another column is the sum of it and them.
    """
    if SUBTOTALS & _parts_of(name):
        return order
    if says_net(name):
        amounts = {role: amount for role, amount in amounts.items() if role != "tax_amount"}
    parts = _parts(amounts)
    groups = [parts, *([role] for role in parts)] if parts else []
    for some in groups:
        more = order
        for role in some:
            more = Amounts(more.units + np.where(amounts[role].known, amounts[role].units, 0), more.known)
        if others.has(more, order.known & (more.units != order.units)):
            amounts = {role: amount for role, amount in amounts.items() if role not in some}
            break
    return without_shipping(order, amounts, findings)


def _parts_of(name: str) -> frozenset[str]:
    return frozenset(part for part in SUBTOTALS if part in compact(name))


def _parts(amounts: dict[str, Amounts]) -> list[str]:
    """The columns of shipping, tax and tips that are not zero everywhere."""
    roles = ("shipping_amount", "tax_amount", "tip_amount")
    return [role for role in roles if role in amounts and (amounts[role].units != 0).any()]


def without_shipping(order: Amounts, amounts: dict[str, Amounts], findings: Findings) -> Amounts:
    """Subtract shipping, tax and tips, which are not sales, from an order's total."""
    parts = _parts(amounts)
    if not parts:
        return order
    goods = minus_all(order, amounts, tuple(parts))
    findings.warn("shipping_left_out", money=goods.total(), sum=order.total())
    return goods
