"""Compute the net amount of each row: line total, price times quantity, or an order's total once.

If a file has several amounts, their sums per order identify them: if quantity x price adds up to the order
total, the price is a unit price; if the price alone does, it is a line total. A total that is repeated on
each line of an order counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Asks, Findings, Question
from include.intake.columns import Numbers
from include.intake.mapping import Mapping
from include.intake.money import UNIT, Amounts, four_digits, shown
from include.intake.options import Options
from include.intake.order_totals import (
    Orders,
    agree,
    agree_per_order,
    once_per_order,
    once_quietly,
    repetition,
    warn_order_total,
)
from include.intake.pricing import price_is_total
from include.intake.side_amounts import Others, discounted, goods_of, minus_all, without_shipping
from include.intake.tables import Table, compact

ORDERS_ONLY = "orders only"
MOST = 0.9  # of the orders must agree
LINE_NAMES = ("line", "item", "position", "satir", "ligne", "linea", "row")
NET_NAMES = ("net", "paid", "afterdiscount")


@dataclass
class Net:
    """The net amount of each row; ``per_order``: the order's amount is only on its first row."""

    amounts: Amounts
    per_order: bool
    column: str  # or quantity x price; ORDERS_ONLY without an amount
    lines: Amounts | None = None  # weights that divide an order's amount among its lines
    less: str = ""  # the column of the discount that was subtracted

    @property
    def what(self) -> str:
        """The columns of the amount, as stored in a firm's form."""
        return f"{self.column} less {self.less}" if self.less else self.column


def net_of(
    table: Table,
    mapping: Mapping,
    numbers: Numbers,
    orders: Orders,
    products: pa.Array | None,
    options: Options,
    findings: Findings,
) -> Net:
    """The net amount of each row and its source column; Asks if two interpretations differ."""
    amounts, platform = numbers.amounts, mapping.platform
    rows = table.rows
    line = amounts.get("net_amount")
    order = amounts.get("order_amount")
    price = (
        Amounts.of(four_digits(numbers.decimals["unit_price"])) if "unit_price" in numbers.decimals else None
    )
    product = None
    if price is not None and "quantity" in numbers.decimals:
        product = Amounts.product(_kept(numbers), numbers.decimals["unit_price"])
    if numbers.discount_rate is not None:
        base = product or amounts.get("gross_amount") or line or order or Amounts.zeros(rows)
        amounts["discount_amount"] = _share_of(base, numbers.discount_rate)
    names = {role: mapping.header(table, role) for role in (*amounts, "unit_price") if role in mapping.at}
    if options.amount == "none" and line is None and order is None and price is None:
        return Net(Amounts.zeros(rows), False, ORDERS_ONLY)
    if platform.amount == "price" and product is not None:
        line, order = None, None
    elif platform.amount == "line" and line is not None:
        return Net(minus_all(line, amounts, platform.less), False, names["net_amount"])
    elif platform.amount == "order" and order is not None:
        once = once_per_order(order, orders, names["order_amount"], findings, table, mapping)
        return Net(minus_all(once, amounts, platform.less), True, names["order_amount"], product)
    others = Others(table, frozenset(mapping.at.values()))
    if line is None and price is not None and product is None:
        line, names["net_amount"] = price, names["unit_price"]
    if line is not None:
        return _from_lines(line, order, product, names, amounts, orders, options, findings, others)
    if product is not None and price is not None:
        return _from_prices(product, price, order, names, numbers, orders, products, options, findings)
    if order is not None:
        once = once_per_order(order, orders, names["order_amount"], findings, table, mapping)
        return Net(
            goods_of(once, names["order_amount"], amounts, others, findings), True, names["order_amount"]
        )
    gross = amounts["gross_amount"]
    discount = amounts.get("discount_amount")
    if discount is None:
        return Net(gross, False, names["gross_amount"])
    return Net(discounted(gross, discount), False, names["gross_amount"], less=names["discount_amount"])


def _kept(numbers: Numbers) -> pa.Array:
    """The quantity less what was returned, unless a column has the money that was given back."""
    quantity, returned = numbers.decimals["quantity"], numbers.decimals.get("returned_quantity")
    if returned is None or "refund_amount" in numbers.amounts:
        return quantity
    zero = pa.scalar(0, returned.type)
    return pc.subtract(quantity, pc.abs(pc.coalesce(returned, zero))).cast(quantity.type)


def _share_of(base: Amounts, rate: Amounts) -> Amounts:
    """A percentage of an amount."""
    part = np.round(np.abs(base.units).astype("float64") * np.abs(rate.units) / (100 * UNIT)).astype("int64")
    return Amounts(np.where(base.known & rate.known, part, 0), base.known)


def _from_lines(
    line: Amounts,
    order: Amounts | None,
    product: Amounts | None,
    names: dict[str, str],
    amounts: dict[str, Amounts],
    orders: Orders,
    options: Options,
    findings: Findings,
    others: Others,
) -> Net:
    name = names["net_amount"]
    discount, gross = amounts.get("discount_amount"), amounts.get("gross_amount")
    has_discount = discount is not None and bool((discount.units != 0).any())
    if product is not None and agree(line, product, np.arange(len(line.units)), len(line.units)) >= MOST:
        # line total = quantity x price; another column may show that the discount is not in it
        less = others.less(line, discount) if discount is not None and has_discount else None
        return Net(less or line, False, name, less=names["discount_amount"] if less else "")
    found = repetition(line, orders) if options.amount != "lines" else "none"
    goods = without_shipping(line, amounts, Findings())
    if found != "none" and product is not None:
        is_sum = any(agree_per_order(product, of, orders) >= MOST for of in (line, goods))
        found = "proven" if is_sum else found
    is_line = any(part in compact(name) for part in LINE_NAMES)
    if (found == "possible" and not is_line) or found == "likely":
        return _possibly_repeated(line, product, name, orders, options)
    if found == "proven" or (found != "none" and options.amount == "order"):
        return _repeated(line, product, names, amounts, orders, findings)
    if order is not None:
        warn_order_total(order, orders, names["order_amount"], findings)
    if discount is None or not has_discount or gross is not None:
        return Net(line, False, name)
    rows = np.arange(len(line.units))
    if product is not None and agree(line, discounted(product, discount), rows, len(rows)) >= MOST:
        return Net(line, False, name)
    if order is not None and agree_per_order(discounted(line, discount), order, orders) >= MOST:
        return Net(discounted(line, discount), False, name, less=names["discount_amount"])
    if options.amount == "gross":
        return Net(discounted(line, discount), False, name, less=names["discount_amount"])
    if options.amount == "net" or any(part in compact(name) for part in NET_NAMES):
        return Net(line, False, name)
    less = discounted(line, discount)
    raise Asks(
        Question(
            "discount_included",
            f"column {name}: before or after the discount in {names['discount_amount']}? No other "
            "column decides",
            name,
            {
                "net": f"after: {shown(line.total())} in total",
                "gross": f"before: {shown(less.total())} in total",
            },
            "--amount",
        )
    )


def _repeated(
    line: Amounts,
    product: Amounts | None,
    names: dict[str, str],
    amounts: dict[str, Amounts],
    orders: Orders,
    findings: Findings,
) -> Net:
    """An order total on each line: use quantity x price if it adds up, else count the total once."""
    name, total = names["net_amount"], line.total()
    goods = without_shipping(line, amounts, Findings())
    if product is not None and any(agree_per_order(product, of, orders) >= MOST for of in (line, goods)):
        what = f"{names['quantity']} x {names['unit_price']}"
        findings.warn("order_total_repeated", "product", column=name, used=what, sum=total)
        return Net(product, False, what)
    once = Amounts(line.units, line.known & orders.first)
    findings.warn("order_total_repeated", "once", column=name, money=once.total(), sum=total)
    return Net(once, True, name, product)


def _possibly_repeated(
    line: Amounts, product: Amounts | None, name: str, orders: Orders, options: Options
) -> Net:
    """Ask about an amount that is equal on all lines of the few orders with several lines."""
    once = Amounts(line.units, line.known & orders.first)
    if options.amount == "order":
        return Net(once, True, name, product)
    raise Asks(
        Question(
            "which_amount",
            f"column {name} has the same value on all lines of an order: "
            "is it the order's total or the line's amount?",
            name,
            {
                "order": f"the order's total, counted once: {shown(once.total())}",
                "lines": f"lines: {shown(line.total())}",
            },
            "--amount",
        )
    )


def _from_prices(
    product: Amounts,
    price: Amounts,
    order: Amounts | None,
    names: dict[str, str],
    numbers: Numbers,
    orders: Orders,
    products: pa.Array | None,
    options: Options,
    findings: Findings,
) -> Net:
    what = f"{names['quantity']} x {names['unit_price']}"
    amounts = numbers.amounts
    is_total = options.price == "total"
    rows = np.arange(len(price.units))
    if order is not None and not options.price and agree(order, product, rows, len(rows)) >= MOST:
        order = None  # it is the line's total
    if order is not None and not options.price:
        once = Amounts(order.units, order.known & orders.first)
        whole = without_shipping(once, amounts, Findings())
        for wanted in (order, whole):
            if agree_per_order(product, wanted, orders) >= MOST:
                warn_order_total(order, orders, names["order_amount"], findings)
                return Net(product, False, what)
        discount = amounts.get("discount_amount")
        if discount is not None and agree_per_order(discounted(product, discount), order, orders) >= MOST:
            warn_order_total(order, orders, names["order_amount"], findings)
            return Net(discounted(product, discount), False, what, less=names["discount_amount"])
        is_total = agree_per_order(price, order, orders) >= MOST
        if not is_total and options.amount not in ("lines", "order"):
            lines, total = product.total(), once_quietly(order, orders).total()
            if lines != total:
                raise Asks(
                    Question(
                        "which_amount",
                        f"{what} and {names['order_amount']} give different sums",
                        names["order_amount"],
                        {
                            "lines": f"{what}: {shown(lines)}",
                            "order": f"{names['order_amount']}: {shown(total)}",
                        },
                        "--amount",
                    )
                )
        if options.amount == "order":
            return Net(once_quietly(order, orders), True, names["order_amount"], product)
    elif not options.price:
        is_total = price_is_total(amounts["quantity"], price, products)
    if is_total:
        findings.warn(
            "price_is_line_total",
            column=names["unit_price"],
            money=price.total(),
            quantity=names["quantity"],
            product=product.total(),
        )
        return Net(price, False, names["unit_price"])
    discount = amounts.get("discount_amount")
    if discount is not None and bool((discount.units != 0).any()):
        less = discounted(product, discount)
        findings.warn(
            "discount_subtracted",
            discount=names["discount_amount"],
            used=what,
            money=less.total(),
            sum=product.total(),
        )
        return Net(less, False, what, less=names["discount_amount"])
    return Net(product, False, what)
