"""A shop's orders as the rows of tills and spreadsheets in several languages: header and cells."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from include.simulator.exports.cells import Rows, customer, sign
from include.simulator.exports.languages import HEADERS, WORDS
from include.simulator.exports.shop import Shop


def order_rows(shop: Shop, random: Random, language: str) -> Rows:
    """One row per order; returns are negative."""
    names = HEADERS[language]
    amount = random.choice([6, 7])
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[amount]: sign(o) * o.amount,
        }
        for o in shop.orders
    ]


def order_rows_with_words(shop: Shop, random: Random, language: str) -> Rows:
    """One row per order, with a state and a kind; amounts are positive."""
    names, words = HEADERS[language], WORDS[language]
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[7]: o.amount,
            names[8]: words[{"cancelled": 1, "refunded": 2}.get(o.state, 0)],
            names[9]: words[4 if o.is_return else 3],
        }
        for o in shop.orders
    ]


def line_rows(shop: Shop, random: Random, language: str) -> Rows:
    """One row per line: quantity and unit price, and sometimes totals."""
    names = HEADERS[language]
    with_line, with_order = random.random() < 0.4, random.random() < 0.4
    rows: Rows = []
    for o in shop.orders:
        who = customer(o, random)
        for line in o.lines:
            row: dict[str, object] = {
                names[0]: str(o.number),
                names[1]: o.at,
                names[2]: who,
                names[3]: line.product,
                names[4]: Decimal(sign(o) * line.quantity),
                names[5]: line.price,
            }
            if with_line:
                row[names[6]] = sign(o) * line.amount
            if with_order:
                row[names[7]] = sign(o) * o.amount
            rows.append(row)
    return rows


def head_on_first_line(shop: Shop, random: Random, language: str) -> Rows:
    """One row per line; the order's fields stand on its first line alone."""
    names = HEADERS[language]
    rows: Rows = []
    for o in shop.orders:
        for i, line in enumerate(o.lines):
            head = i == 0
            rows.append(
                {
                    names[0]: str(o.number) if head else "",
                    names[1]: o.at if head else "",
                    names[2]: customer(o, random) if head else "",
                    names[3]: line.product,
                    names[4]: Decimal(sign(o) * line.quantity),
                    names[6]: sign(o) * line.amount,
                }
            )
    return rows


def no_order_id(shop: Shop, random: Random, language: str) -> Rows:
    """Customer, date and amount alone."""
    names = HEADERS[language]
    return [{names[1]: o.at, names[2]: customer(o, random), names[6]: o.amount} for o in shop.orders]


def repeated_total(shop: Shop, random: Random, language: str) -> Rows:
    """One row per line, each with the order's total; no price."""
    names = HEADERS[language]
    column = random.choice([6, 7])
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[3]: line.product,
            names[column]: o.amount,
        }
        for o in shop.orders
        for line in o.lines
    ]


def price_total(shop: Shop, random: Random, language: str) -> Rows:
    """One row per line, whose price column holds the line's total."""
    names = HEADERS[language]
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[4]: Decimal(line.quantity),
            names[5]: line.amount,
            names[7]: o.amount,
        }
        for o in shop.orders
        for line in o.lines
    ]


def discounted(shop: Shop, random: Random, language: str) -> Rows:
    """Gross, discount and net of each order; discounts of either sign."""
    written = random.choice([1, -1])
    with_net = random.random() < 0.6
    rows: Rows = []
    for o in shop.orders:
        off = Decimal(random.choice(["0.00", "2.50", "10.00"]))
        row: dict[str, object] = {
            "Receipt No": str(o.number),
            "Date": o.at,
            "Customer Code": customer(o, random),
            "Gross Sales": sign(o) * (o.amount + off),
            "Discount": written * sign(o) * off,
        }
        if with_net:
            row["Net Sales"] = sign(o) * o.amount
        rows.append(row)
    return rows


def messy(shop: Shop, random: Random, language: str) -> Rows:
    """Product names with delimiters, quotes and line breaks; ids with blanks, cases and zeros behind."""
    texts = ['12" plate', "red; small, round", 'a "b" c', "two\nlines", "tab\there", "plain", "|x|"]
    rows: Rows = []
    for o in shop.orders:
        mail = f"c{o.customer}@example.com"
        who = (
            random.choice([mail, mail.upper(), f" {mail} ", f"\u00a0{mail}"])
            if o.customer is not None
            else "None"
        )
        for line in o.lines:
            rows.append(
                {
                    "Order ID": str(o.number),
                    "Customer Email": who,
                    "Item Name": random.choice(texts),
                    "Qty": Decimal(line.quantity),
                    "Item Price": line.price,
                    "Order Date": o.at,
                    "Ship City": "Rome",
                }
            )
    return rows


def refund_column(shop: Shop, random: Random, language: str) -> Rows:
    """One row per order with its status and the money that was given back."""
    names, words = HEADERS[language], WORDS[language]
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[7]: o.amount,
            names[10]: o.refund,
            names[8]: words[{"cancelled": 1, "refunded": 2}.get(o.state, 0)],
        }
        for o in shop.orders
    ]
