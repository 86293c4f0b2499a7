"""Compare amounts per order: find those that repeat the order's total and those that add up to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from include.intake.answer import Findings
from include.intake.mapping import Mapping
from include.intake.money import CENT, Amounts, Bools, Ints, per_group
from include.intake.tables import Table

ENOUGH_ORDERS = 5


@dataclass
class Orders:
    """The order number of each row, and whether the row is the first of its order."""

    code: Ints
    size: int
    first: Bools
    have_ids: bool = True  # False: an order is a customer's day, so that no amount is an order's total

    @property
    def multi(self) -> Bools:
        """Orders of more than one row."""
        return np.bincount(self.code, minlength=self.size) > 1


def repeats(amount: Amounts, orders: Orders) -> bool:
    """Whether an amount is the same on all lines of an order but differs between orders."""
    return repetition(amount, orders) == "proven"


def repetition(amount: Amounts, orders: Orders) -> str:
    """proven (the order's total is on each line), likely or possible (few orders), or none."""
    if not orders.have_ids:
        return "none"
    several = np.bincount(orders.code, weights=amount.known, minlength=orders.size) > 1
    multi = several[orders.code] & amount.known
    if not multi.any():
        return "none"
    first = first_value(amount, orders)
    same = (amount.units == first[orders.code]) | ~multi
    by_order = np.ones(orders.size, bool)
    np.logical_and.at(by_order, orders.code, same)
    chosen = np.unique(orders.code[multi & (first[orders.code] != 0)])
    if not len(chosen) or by_order[chosen].mean() < 0.98:
        return "none"
    # Order totals differ; prices of a few plans or passes recur.
    varied = len(np.unique(first[chosen])) >= len(chosen) / 2
    if not varied or len(chosen) < 2:
        return "possible"
    return "proven" if len(chosen) >= ENOUGH_ORDERS else "likely"


def first_value(amount: Amounts, orders: Orders) -> Ints:
    """The first known amount of each order."""
    first = np.zeros(orders.size, "int64")
    at = np.flatnonzero(amount.known)[::-1]
    first[orders.code[at]] = amount.units[at]
    return first


def once_quietly(order: Amounts, orders: Orders) -> Amounts:
    """The first known amount of each order, on its first row."""
    known = np.zeros(orders.size, bool)
    known[orders.code[order.known]] = True
    return Amounts(
        np.where(orders.first, first_value(order, orders)[orders.code], 0), orders.first & known[orders.code]
    )


def once_per_order(
    order: Amounts, orders: Orders, name: str, findings: Findings, table: Table, mapping: Mapping
) -> Amounts:
    """Put the order's amount on its first row; amounts that differ within an order are kept as they are."""
    warn_order_total(order, orders, name, findings)
    if "transaction_id" not in mapping.at:
        return order
    first = first_value(order, orders)
    differs = order.known & (order.units != first[orders.code]) & (order.units != 0)
    if differs.any() and not repeats(order, orders):
        return order  # amounts that differ within an order are parts of it
    return once_quietly(order, orders)


def warn_order_total(order: Amounts, orders: Orders, name: str, findings: Findings) -> None:
    """Warn if an order's total is repeated on each of its lines."""
    if repeats(order, orders):
        findings.warn("order_total_repeated", column=name, sum=order.total())


def agree(a: Amounts, b: Amounts, groups: npt.NDArray[np.int64], size: int) -> float:
    """The share of groups in which two amounts have the same sum, within a cent per row."""
    known = a.known & b.known
    if not known.any():
        return 0.0
    left = per_group(groups, size, np.where(known, a.units, 0))
    right = per_group(groups, size, np.where(known, b.units, 0))
    count = np.bincount(groups, weights=known, minlength=size)
    used = count > 0
    return float((np.abs(left - right) <= CENT * count)[used].mean())


def agree_per_order(lines: Amounts, order: Amounts, orders: Orders) -> float:
    """The share of orders whose lines add up to the order's amount."""
    known = np.zeros(orders.size, bool)
    known[orders.code[order.known]] = True
    left = per_group(orders.code, orders.size, np.where(lines.known, lines.units, 0))
    count = np.bincount(orders.code, minlength=orders.size)
    equal = np.abs(left - first_value(order, orders)) <= CENT * count
    return float(equal[known].mean()) if known.any() else 0.0
