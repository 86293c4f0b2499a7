"""Cells that all layouts share: who bought, and the sign of a return."""

from __future__ import annotations

from random import Random

from include.simulator.exports.shop import Order

Rows = list[dict[str, object]]  # cells: text, Decimal or datetime, written in the file's style later


def customer(order: Order, random: Random, *, mail: bool = False) -> str:
    """The id of a customer; a guest is blank or a placeholder."""
    if order.customer is None:
        return random.choice(["", "", "guest", "N/A", "0"]) if not mail else ""
    return f"c{order.customer}@example.com" if mail else f"{12000 + order.customer}"


def sign(order: Order) -> int:
    """-1 for a return, else 1."""
    return -1 if order.is_return else 1
