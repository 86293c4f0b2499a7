"""Map columns by the words of their headers and by their values, where no header has a known name."""

from __future__ import annotations

from collections.abc import Mapping as Roles
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from include.intake.concepts import concepts_of, is_net, role_of
from include.intake.dates import parts_of
from include.intake.headers import SYNONYMS
from include.intake.numbers import votes_of
from include.intake.samples import sample_of, share_of
from include.intake.tables import Table, compact
from include.intake.words import effect_of

if TYPE_CHECKING:
    from include.intake.mapping import Mapping

NOT_ORDERS = frozenset({"customer", "product", "line", "email", "date", "kind"})
TOTALS = ("net_amount", "order_amount", "gross_amount")
NUMERIC = frozenset({"net_amount", "order_amount", "unit_price", "quantity", "refund_amount"})
MOST_KINDS = 50
MOST_QUANTITIES = 50  # different values of a quantity
FEWEST_NUMBERS = 0.3  # of the values of a column of amounts
MOST_INVALID = 0.1  # of the shapes of a numeric column


def placed_by_words(table: Table, at: Roles[str, int], used: set[int], skip: set[str]) -> dict[str, int]:
    """Our columns that only the words of a header name. ``at``: columns that have a known name.

    A column must have values of its type. Of several columns with one meaning the net amount is used; if
    none is net, none is mapped, so the amount becomes a question.
    """
    candidates: dict[str, list[int]] = {}
    for i, name in enumerate(table.header):
        role = role_of(name) if i not in used else None
        if role and role not in at and role not in skip and _holds(table, i, role):
            candidates.setdefault(role, []).append(i)
    if any(role in at for role in TOTALS) or {"unit_price", "quantity"} <= set(at):
        candidates = {r: c for r, c in candidates.items() if r not in (*TOTALS, "unit_price")}
    found = {role: _one_of(table, role, columns) for role, columns in candidates.items()}
    return {role: i for role, i in found.items() if i is not None}


def quantity_candidates(table: Table, at: Roles[str, int]) -> list[int]:
    """Columns that may hold the quantity of a price: small whole numbers that vary, of an unknown meaning."""
    taken = set(at.values())
    found = []
    for i, name in enumerate(table.header):
        values = sample_of(table, i)
        whole = share_of(values, r"^-?\d{1,3}([.,]0+)?$") == 1.0
        if i in taken or len(values) < 2 or len(values) > MOST_QUANTITIES or not whole:
            continue
        if not concepts_of(name) - {"product", "unit"}:
            found.append(i)
    return found


def may_be_numbers(table: Table, at: int) -> bool:
    """Whether a column called like an amount has numbers: Payment may be an amount or a way to pay."""
    values = sample_of(table, at)
    return not len(values) or at in table.typed or share_of(values, r"\d") >= FEWEST_NUMBERS


def other_statuses(table: Table, mapping: Mapping) -> list[int]:
    """Further columns with a status of the order: an order may be paid by one and cancelled by another."""
    if mapping.platform.name or "status" in mapping.stated:
        return []
    taken = set(mapping.at.values())
    return [
        i
        for i, name in enumerate(table.header)
        if i not in taken and _is_status(name) and _holds(table, i, "status")
    ]


def _is_status(header: str) -> bool:
    words = concepts_of(header)
    return compact(header) in SYNONYMS["status"] or ("status" in words and not words & NOT_ORDERS)


def _one_of(table: Table, role: str, columns: list[int]) -> int | None:
    if len(columns) == 1 or role not in TOTALS:
        with_id = [i for i in columns if "id" in concepts_of(table.header[i])]
        return (with_id or columns)[0]
    net = [i for i in columns if is_net(table.header[i])]
    if len(net) == 1:
        return net[0]
    first = table.columns[columns[0]]
    return columns[0] if all(table.columns[i].equals(first) for i in columns) else None


def _holds(table: Table, at: int, role: str) -> bool:
    """Whether the values of a column may be of one of our columns."""
    values = sample_of(table, at)
    if not len(values):
        return False
    if role in NUMERIC:
        votes = votes_of(values)
        shapes = pc.count_distinct(pc.replace_substring_regex(values, r"\d", "9")).as_py()
        return votes.invalid <= MOST_INVALID * shapes
    if role == "kind":
        return len(values) < MOST_KINDS and any(effect_of(v, {}, role="kind") for v in values.to_pylist())
    if role == "occurred_at":
        return float(parts_of(values).valid.mean()) >= 0.5
    return True
