"""The known platforms: how to recognise their header, and the meaning of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.intake.tables import compact
from include.intake.vocabulary import listed, load


@dataclass(frozen=True)
class Platform:
    """One report of one platform. Names are the platform's headers; case and blanks are ignored."""

    name: str
    signature: tuple[str, ...]  # all must exist; a|b means either
    row_is: str  # order, line or payment
    columns: Mapping[str, str] = field(default_factory=dict)  # our column -> headers, the first that exists
    amount: str = ""  # line: net_amount; order: order_amount once per order; price: quantity x unit_price
    less: tuple[str, ...] = ()  # included in the amount but not sales: tax, shipping
    ignore: tuple[str, ...] = ()  # our columns that mean something else in this report
    words: Mapping[str, str] = field(
        default_factory=dict
    )  # status or kind -> count, drop, return, refunded, other
    default_word: str = ""  # the effect of an unknown type: other if a report lists all payments
    customer: tuple[str, ...] = ("customer_id", "customer_email", "customer_phone", "customer_name")
    payee_on_return: str = ""  # header of the customer on returns
    own_payments: bool = False  # a negative amount of a sale's type is a payment of the firm, not a return
    refuse: tuple[str, str] | None = None  # code and text
    zone: str | None = None  # of times without offset; None: the shop's own
    strict_signs: bool = False  # UCI: prices are positive and returns begin with C
    exact_names: bool = False  # the signature is compared as written, such as amount_refunded
    # Whole amounts are in the smallest unit of their currency: its decimals by currency, 2 if not listed.
    minor_units: Mapping[str, int] | None = None
    about: str = ""  # where the header names come from


def recognise(header: Sequence[str], platforms: Sequence[Platform]) -> Platform | None:
    """The platform whose signature a header contains; the longest one wins."""
    names, written = {compact(name) for name in header}, {name.strip() for name in header}

    def has(platform: Platform, name: str) -> bool:
        return name in written if platform.exact_names else compact(name) in names

    found = [p for p in platforms if all(any(has(p, n) for n in s.split("|")) for s in p.signature)]
    return max(found, key=lambda p: len(p.signature), default=None)


def placed(platform: Platform, header: Sequence[str]) -> dict[str, int]:
    """Our column -> position, for the columns that a platform's row names."""
    names = [compact(name) for name in header]
    found = {}
    for role, wanted in platform.columns.items():
        for name in wanted.split("|"):
            if compact(name) in names:
                found[role] = names.index(compact(name))
                break
    return found


def _row(row: dict[str, Any]) -> Platform:
    words = {word: effect for effect, words in row.pop("words", {}).items() for word in listed(words)}
    if digits := row.get("minor_units"):
        row["minor_units"] = {code: of for of, codes in digits.items() for code in listed(codes)}
    row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Platform(**row, words=words)


PLATFORMS: tuple[Platform, ...] = tuple(_row(row) for row in load("platforms"))
