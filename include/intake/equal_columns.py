"""Amounts of other columns of a table, to find the one that explains how two amounts are related."""

from __future__ import annotations

import dataclasses

import numpy as np

from include.intake.concepts import concepts_of
from include.intake.money import CENT, Amounts
from include.intake.numbers import parse, votes_of
from include.intake.samples import text_of
from include.intake.tables import Table

MOST = 0.9  # of the rows must agree
ROWS = 5000  # that are compared
FEWEST_SUMS = 10  # rows that show a running total


def amounts_in(table: Table, at: int) -> Amounts | None:
    """The amounts of a column in its own style; None if it has other values."""
    column = text_of(table, at)
    if not column.null_count < len(column):
        return None
    votes = votes_of(column)
    if at not in table.typed and (votes.invalid or (votes.point and votes.comma)):
        return None
    return Amounts.of(parse(column, "," if votes.comma and at not in table.typed else "."))


def first_rows(table: Table) -> Table:
    """The first rows of a table: they suffice to compare columns."""
    if table.rows <= ROWS:
        return table
    return dataclasses.replace(table, columns=[column.slice(0, ROWS) for column in table.columns])


def same_amount(table: Table, taken: set[int], wanted: Amounts, where: np.ndarray) -> int | None:
    """A column that is not in ``taken`` and equals an amount on nearly all of the first rows of ``where``."""
    table = first_rows(table)
    where, wanted = where[:ROWS], Amounts(wanted.units[:ROWS], wanted.known[:ROWS])
    if not where.any():
        return None
    for i in range(len(table.header)):
        if i in taken:
            continue
        own = amounts_in(table, i)
        if own is None:
            continue
        counted = where & wanted.known & own.known
        if counted.sum() < 0.5 * where.sum():
            continue
        if (np.abs(own.units - wanted.units) <= CENT)[counted].mean() >= MOST:
            return i
    return None


def before_fees(table: Table, at: int) -> int | None:
    """The column of which another one is what is left after the payment provider's fee, or None.

    A fee is a column called so. Net = gross - fee on nearly all rows, as in exports of Stripe and PayPal.
    """
    fees = [i for i, name in enumerate(table.header) if _is_fee(name)]
    net = amounts_in(table, at) if fees else None
    if net is None:
        return None
    for fee_at in fees:
        fee = amounts_in(table, fee_at)
        if fee is None or not (charged := fee.known & (fee.units != 0) & (net.units > 0)).any():
            continue
        gross = Amounts(net.units + np.abs(fee.units), net.known & fee.known)
        if (found := same_amount(table, {at, fee_at}, gross, charged)) is not None:
            return found
    return None


def _is_fee(header: str) -> bool:
    """Whether a header names a payment provider's fee, and not the cost of shipping."""
    found = concepts_of(header)
    return "fee" in found and "shipping" not in found


def before_parts(table: Table, at: dict[str, int], of: int) -> int | None:
    """The column that equals an amount less tax, shipping or both; None if the amount is called net."""
    if "net" in concepts_of(table.header[of]):
        return None
    whole = amounts_in(table, of)
    for roles in (("tax_amount",), ("shipping_amount",), ("tax_amount", "shipping_amount")):
        parts = [amounts_in(table, at[role]) if role in at else None for role in roles]
        goods, taken, touched = whole, {of}, np.zeros(table.rows, bool)
        for role, part in zip(roles, parts, strict=True):
            if goods is None or part is None:
                goods = None
                break
            goods, taken = goods.minus(part), {*taken, at[role]}
            touched |= part.known & (part.units != 0) & goods.known
        if goods is None or not touched.any():
            continue
        if (found := same_amount(table, taken, goods, touched)) is not None:
            return found
    return None


def before_sum(table: Table, at: int) -> int | None:
    """The column of which another one is the running total, downwards or upwards; None if there is none."""
    running = amounts_in(table, at)
    if running is None or running.known.sum() < FEWEST_SUMS or not running.known.all():
        return None
    for units in (running.units, running.units[::-1]):
        steps = np.diff(units, prepend=0)
        if units is not running.units and len(steps):
            steps = steps[::-1]
        step = Amounts(steps, np.ones(len(steps), bool))
        where = steps != 0
        if where.mean() >= MOST and (found := same_amount(table, {at}, step, where)) is not None:
            return found
    return None


def use_paid_amounts(table: Table, at: dict[str, int]) -> None:
    """Use what customers paid, not what is left after a fee, and amounts, not their running total."""
    table = first_rows(table)
    for role in ("net_amount", "order_amount", "gross_amount"):
        if role not in at or (role == "gross_amount" and {"net_amount", "order_amount"} & set(at)):
            continue
        if (without := before_parts(table, at, at[role])) is not None:
            at["net_amount" if role == "gross_amount" else role] = without
            continue
        for other in (before_fees(table, at[role]), before_sum(table, at[role])):
            if other is not None:
                at[role] = other
                if at.get("gross_amount") == other:
                    del at["gross_amount"]
