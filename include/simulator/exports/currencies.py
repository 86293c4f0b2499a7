"""Add the currency of each order to the rows of a shop that sells in several."""

from __future__ import annotations

from include.simulator.exports.cells import Rows
from include.simulator.exports.layouts import Layout
from include.simulator.exports.shop import Shop


def with_currencies(rows: Rows, shop: Shop, *, layout: Layout) -> Rows:
    """The rows with a column of the currency; a layout that cannot hold it makes the shop have one."""
    if not shop.currencies():
        return rows
    number = next(iter(rows[0]))
    if not layout.languages or layout.has_head or rows[0][number] != str(shop.orders[0].number):
        for order in shop.orders:
            order.currency = ""
        return rows
    of = {str(order.number): order.currency for order in shop.orders}
    return [{**row, "Currency": of[str(row[number])]} for row in rows]
