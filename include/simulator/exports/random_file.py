"""One random file of known figures: layout, language, locale, dialect, encoding, format and faults.

Equal seeds give equal files. ``tests.intake.random_files`` reads thousands of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

from include.simulator.exports.cells import Rows
from include.simulator.exports.currencies import with_currencies
from include.simulator.exports.files import ENCODINGS, Writer
from include.simulator.exports.layouts import LAYOUTS, Layout
from include.simulator.exports.shop import Shop, random_shop
from include.simulator.exports.styles import random_dates, random_numbers

FORMS = ["csv"] * 8 + [
    "gz",
    "zip",
    "json",
    "jsonl",
    "columns",
    "parquet",
    "xlsx",
    "xlsx",
    "html",
    "folder",
    "parts",
]
LEFT_OUT = {  # columns of a layout that hold the customer, the date and the amount
    "orders": {"customer": [2], "date": [1], "amount": [3]},
    "uci": {"customer": [6], "date": [4], "amount": [3, 5]},
}


@dataclass
class RandomFile:
    """A random file, the shop it holds, and how it was written."""

    path: Path
    shop: Shop
    about: str
    missing: str = ""  # customer, date or amount: the column that was left out


def random_file(seed: int, folder: Path) -> RandomFile:
    """Write one random file."""
    random = Random(seed)
    name = random.choice(list(LAYOUTS))
    layout = LAYOUTS[name]
    language = random.choice(list(ENCODINGS)) if layout.languages else "en"
    whole = random.random() < 0.15
    shop = _shop(random, name, layout, whole=whole)
    numbers = random_numbers(random, shop.currency, whole=whole)
    if name == "discounted":
        numbers.digits = 2
    rows = layout.make(shop, random, language)
    rows = with_currencies(rows, shop, layout=layout)
    rows, missing = _without_column(rows, name, random)
    form = random.choice(FORMS)
    if form in ("folder", "parts") and (len(rows) < 8 or layout.has_head):
        form = "csv"
    writer = Writer(random, numbers, random_dates(random), language)
    if layout.is_fixed:
        writer.fix_numbers("$" if name == "square" and shop.currency == "USD" else "")
    path = writer.write(rows, folder, form)
    about = f"seed {seed}: {name} {language} {form} {writer.dates} {writer.numbers} {writer.about} {missing}"
    return RandomFile(path, shop, about, missing)


def _shop(random: Random, name: str, layout: Layout, *, whole: bool) -> Shop:
    shop = random_shop(
        random,
        whole=whole,
        with_returns=layout.returns and random.random() < 0.6,
        with_states=layout.states and random.random() < 0.7,
        with_guests=layout.guests and random.random() < 0.4,
        with_refunds=layout.refunds and random.random() < 0.7,
        single_lines=name == "no_order_id",
    )
    if name == "no_order_id":
        shop.orders = list({(o.customer, o.at.date()): o for o in reversed(shop.orders)}.values())[::-1]
    for order in shop.orders:
        if order.state == "partly" and not layout.parts:
            order.state, order.refund = "paid", Decimal(0)
    if layout.languages and random.random() < 0.06:
        others = [code for code in ("EUR", "USD", "GBP", "TRY") if code != shop.currency]
        other = random.choice(others)
        for order in shop.orders:
            order.currency = other if random.random() < 0.3 else shop.currency
    return shop


def _without_column(rows: Rows, name: str, random: Random) -> tuple[Rows, str]:
    if name not in LEFT_OUT or random.random() >= 0.3:
        return rows, ""
    missing = random.choice(["customer", "date", "amount"])
    drop = {list(rows[0])[i] for i in LEFT_OUT[name][missing]}
    return [{key: value for key, value in row.items() if key not in drop} for row in rows], missing
