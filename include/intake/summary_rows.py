"""Rows that repeat the sum of their order's lines, as eBay and tills write above the lines."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from include.intake.columns import Numbers
from include.intake.mapping import Mapping
from include.intake.money import CENT, Amounts, Bools, Ints, four_digits, per_group
from include.intake.order_totals import Orders
from include.intake.samples import text_of
from include.intake.tables import Table

MOST = 0.9  # of the rows without a product must equal the sum of the other rows of their order


def summary_rows(table: Table, mapping: Mapping, numbers: Numbers, orders: Orders) -> Bools:
    """The rows without a product whose amount is the sum of the rows of their order that have one."""
    none = np.zeros(table.rows, bool)
    columns = [mapping.at[role] for role in ("product_id", "product_name") if role in mapping.at]
    if not columns or "transaction_id" not in mapping.at:
        return none
    has_product = np.zeros(table.rows, bool)
    for at in columns:
        has_product |= np.asarray(pc.is_valid(text_of(table, at)))
    lines = np.bincount(orders.code, weights=has_product, minlength=orders.size)
    possible = ~has_product & (lines[orders.code] > 0)
    if not possible.any():
        return none
    for own, of_lines in _amounts(numbers):
        sums = per_group(orders.code, orders.size, np.where(has_product & of_lines.known, of_lines.units, 0))
        counted = possible & own.known & (own.units != 0)
        equal = np.abs(own.units - sums[orders.code]) <= CENT * np.maximum(_ints(lines)[orders.code], 1)
        if counted.any() and equal[counted].mean() >= MOST:
            return possible & (equal | ~counted)
    return none


def _ints(values: np.ndarray) -> Ints:
    return values.astype("int64")


def _amounts(numbers: Numbers) -> list[tuple[Amounts, Amounts]]:
    """The amounts to compare: of the row, and of its order's lines."""
    found = [
        (numbers.amounts[role],) * 2 for role in ("net_amount", "gross_amount") if role in numbers.amounts
    ]
    if "unit_price" in numbers.decimals:
        price = Amounts.of(four_digits(numbers.decimals["unit_price"]))
        found.append((price, price))
        if "quantity" in numbers.decimals:
            product = Amounts.product(numbers.decimals["quantity"], numbers.decimals["unit_price"])
            found += [(price, product), (product, product)]
    return found
