"""Orders of a simulated firm, with their lines, returns and loyalty points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.simulator.behaviour import Buyers, Floats, Ints, Purchases, draw_values, split
from include.simulator.columns import ids, instants, money, pick
from include.simulator.plan import Plan

CHANNELS = ("store", "web", "app")
PAYMENTS = ("card", "cash", "transfer", "wallet")
OPENING_SECOND, CLOSING_SECOND = 8 * 3600, 22 * 3600


class _Orders(NamedTuple):
    """One element per order: ``buyer`` is a customer index, ``at`` days from the start, ``net`` in cents."""

    id: pa.Array
    buyer: Ints
    at: Floats
    second: Ints
    net: Ints
    is_real: NDArray[np.bool_]


class _Lines(NamedTuple):
    """One element per line: ``order`` is an order index, money is in cents."""

    order: Ints
    number: Ints
    product_id: pa.Array
    quantity: Ints
    net: Ints
    discount: Ints
    cost: Ints


def sales(
    plan: Plan,
    rng: np.random.Generator,
    buyers: Buyers,
    purchases: Purchases,
    *,
    prefix: str,
    customer: pa.Array,
) -> dict[str, pa.Table]:
    """Tables of the orders of these customers; deterministic for a state of ``rng``."""
    orders = _orders(plan, rng, buyers, purchases, prefix)
    lines = _lines(plan, rng, orders)
    channel = pick(rng, CHANNELS, len(orders.id))
    bought = pa.table(
        {
            "order_id": orders.id,
            "customer_id": customer.take(pa.array(orders.buyer)),
            "ordered_at": instants(plan, orders.at, orders.second),
            "status": pa.array(np.where(orders.is_real, "completed", "cancelled")),
            "channel": channel,
            "payment_method": pick(rng, PAYMENTS, len(orders.id)),
        }
    )
    parts = pa.table(
        {
            "order_id": orders.id.take(pa.array(lines.order)),
            "line_no": pc.cast(pa.array(lines.number), pa.string()),
            "product_id": lines.product_id,
            "quantity": money(lines.quantity * 100),
            "gross_amount": money(lines.net + lines.discount),
            "discount_amount": money(lines.discount),
            "cost_amount": money(lines.cost),
        }
    )
    return {
        "orders": bought,
        "order_lines": parts,
        **_returns(plan, rng, bought, orders, lines, prefix),
        "loyalty_movements": _points(plan, rng, orders, customer, prefix),
    }


def _orders(
    plan: Plan, rng: np.random.Generator, buyers: Buyers, purchases: Purchases, prefix: str
) -> _Orders:
    """Cancelled orders are added to the real ones, so the true parameters still hold."""
    is_copied = rng.random(len(purchases.buyer)) < plan.cancelled_share
    buyer = np.concatenate([purchases.buyer, purchases.buyer[is_copied]])
    at = np.concatenate([purchases.at, purchases.at[is_copied]])
    is_real = np.arange(len(buyer)) < len(purchases.buyer)
    second = rng.integers(OPENING_SECOND, CLOSING_SECOND, len(buyer))
    net = draw_values(rng, buyers.spend_rate[buyer], shape=plan.spend[0])
    return _Orders(ids(prefix, np.arange(len(buyer)), 8), buyer, at, second, net, is_real)


def _lines(plan: Plan, rng: np.random.Generator, orders: _Orders) -> _Lines:
    counts = np.minimum(1 + rng.poisson(max(plan.lines_per_order - 1, 0), len(orders.net)), orders.net)
    order, number, net = split(rng, orders.net, counts)
    has_discount = rng.random(len(order)) < plan.discount_share
    discount = np.where(has_discount, net * rng.integers(5, 40, len(order)) // 100, 0)
    product = np.minimum(rng.zipf(1.3, len(order)) - 1, 10**6) % plan.products
    quantity = 1 + rng.poisson(0.4, len(order))
    cost = net * rng.integers(40, 80, len(order)) // 100
    return _Lines(order, number, ids("P", product, 5), quantity, net, discount, cost)


def _returns(
    plan: Plan, rng: np.random.Generator, bought: pa.Table, orders: _Orders, lines: _Lines, prefix: str
) -> dict[str, pa.Table]:
    """Whole lines returned some days after the order."""
    returned = np.flatnonzero(
        (rng.random(len(lines.order)) < plan.return_share) & orders.is_real[lines.order]
    )
    at = orders.at[lines.order[returned]] + 1 + rng.exponential(8, len(returned))
    returned, at = returned[at < plan.days], at[at < plan.days]
    return_id = ids(f"R{prefix}", np.arange(len(returned)), 8)
    second = rng.integers(OPENING_SECOND, CLOSING_SECOND, len(returned))
    order = pa.array(lines.order[returned])
    return {
        "returns": pa.table(
            {
                "return_id": return_id,
                "order_id": orders.id.take(order),
                "customer_id": bought["customer_id"].combine_chunks().take(order),
                "returned_at": instants(plan, at, second),
                "channel": bought["channel"].combine_chunks().take(order),
            }
        ),
        "return_lines": pa.table(
            {
                "return_id": return_id,
                "line_no": pa.array(["1"] * len(returned), pa.string()),
                "product_id": lines.product_id.take(pa.array(returned)),
                "quantity": money(lines.quantity[returned] * 100),
                "refund_amount": money(lines.net[returned]),
                "cost_amount": money(lines.cost[returned]),
            }
        ),
    }


def _points(
    plan: Plan, rng: np.random.Generator, orders: _Orders, customer: pa.Array, prefix: str
) -> pa.Table:
    """Members earn one point per whole currency unit; one order in ten also uses points."""
    is_member = rng.random(len(customer)) < plan.member_share
    is_known = customer.null_count == 0
    earns = np.flatnonzero(is_member[orders.buyer] & orders.is_real) if is_known else np.array([], np.int64)
    uses = rng.random(len(earns)) < 0.1
    points = orders.net[earns] // 100 * 100
    return pa.table(
        {
            "movement_id": ids(f"M{prefix}", np.arange(len(earns)), 8),
            "customer_id": customer.take(pa.array(orders.buyer[earns])),
            "programme_id": pa.array(["points"] * len(earns), pa.string()),
            "order_id": orders.id.take(pa.array(earns)),
            "occurred_at": instants(plan, orders.at[earns], orders.second[earns]),
            "points_earned": money(points),
            "points_used": money(np.where(uses, points // 2, 0)),
        }
    )
