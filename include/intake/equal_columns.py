"""Amounts of other columns of a table, to find the one that explains how two amounts are related."""

from __future__ import annotations

import numpy as np

from include.intake.concepts import concepts_of
from include.intake.money import CENT, Amounts
from include.intake.numbers import parse, votes_of
from include.intake.samples import text_of
from include.intake.tables import Table

MOST = 0.9  # of the rows must agree
MOST_INVALID = 0.1
FEE_WORDS = frozenset({"fee"})


def amounts_in(table: Table, at: int) -> Amounts | None:
    """The amounts of a column in its own style; None if it has other values."""
    column = text_of(table, at)
    if not column.null_count < len(column):
        return None
    votes = votes_of(column)
    if at not in table.typed and (votes.invalid or (votes.point and votes.comma)):
        return None
    return Amounts.of(parse(column, "," if votes.comma and at not in table.typed else "."))


def same_amount(table: Table, taken: set[int], wanted: Amounts, where: np.ndarray) -> int | None:
    """A column that is not in ``taken`` and equals an amount on nearly all rows of ``where``."""
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
    fees = [i for i, name in enumerate(table.header) if concepts_of(name) >= FEE_WORDS]
    net = amounts_in(table, at) if fees else None
    if net is None:
        return None
    for fee_at in fees:
        fee = amounts_in(table, fee_at)
        if fee is None or not (charged := fee.known & (fee.units != 0) & net.known).any():
            continue
        for sign in (1, -1):
            gross = Amounts(net.units + sign * fee.units, net.known & fee.known)
            found = same_amount(table, {at, fee_at}, gross, charged)
            if found is not None:
                return found
    return None
