"""The orders of a simulated firm as a shop whose files can be written."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from include.simulator.exports.currencies import with_currencies
from include.simulator.exports.files import Writer
from include.simulator.exports.layouts import LAYOUTS
from include.simulator.exports.shop import Line, Order, Shop
from include.simulator.exports.styles import random_dates, random_numbers
from include.simulator.firm import generate
from include.simulator.plan import Plan

CENT = Decimal("0.01")


def shop_of(plan: Plan, *, currencies: tuple[str, ...] = ("EUR",)) -> Shop:
    """The orders of a plan: cancelled ones, guests, and returns as refunds of their order.

    With several currencies a customer always pays in one of them.

    Amounts are the net amounts of the lines, with quantity 1, because the quantity does not divide them.
    """
    zone, found = ZoneInfo(plan.timezone), []
    for batch in generate(plan):
        if "orders" not in batch:
            continue
        lines = defaultdict(list)
        for row in batch["order_lines"].to_pylist():
            net = (row["gross_amount"] - row["discount_amount"]).quantize(CENT)
            lines[row["order_id"]].append(Line(row["product_id"], 1, net))
        back: dict[str, Decimal] = defaultdict(Decimal)
        orders = {row["return_id"]: row["order_id"] for row in batch["returns"].to_pylist()}
        for row in batch["return_lines"].to_pylist():
            back[orders[row["return_id"]]] += row["refund_amount"].quantize(CENT)
        for row in batch["orders"].to_pylist():
            guest = row["customer_id"] is None
            at = row["ordered_at"].astimezone(zone).replace(tzinfo=None)
            order = Order(
                0,
                None if guest else int(row["customer_id"][1:]),
                at,
                lines[row["order_id"]],
                refund=back[row["order_id"]],
            )
            order.state = _state(row["status"], order)
            found.append(order)
    found.sort(key=lambda order: order.at)
    for number, order in enumerate(found, start=1001):
        order.number = number
        if len(currencies) > 1:
            order.currency = currencies[(order.customer or 0) % len(currencies)]
    return Shop(found, currencies[0])


def _state(status: str, order: Order) -> str:
    if status == "cancelled":
        return "cancelled"
    return "paid" if not order.refund else "refunded" if order.refund >= order.amount else "partly"


def write_file(shop: Shop, layout: str, folder: Path, *, seed: int, form: str = "csv") -> Path:
    """Write a shop's orders in a layout of ``LAYOUTS``, in a random dialect; equal seeds give equal files."""
    random = Random(seed)
    kind = LAYOUTS[layout]
    numbers = random_numbers(random, shop.currency, whole=False)
    rows = with_currencies(kind.make(shop, random, "en"), shop, layout=kind)
    writer = Writer(random, numbers, random_dates(random), "en")
    if kind.is_fixed:
        writer.fix_numbers()
    return writer.write(rows, folder, form)
