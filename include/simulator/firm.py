"""A simulated firm: its plan, and the tables that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.simulator.behaviour import (
    Buyers,
    Floats,
    Ints,
    Purchases,
    Season,
    draw_buyers,
    draw_purchases,
    draw_values,
    split,
)

MONEY = pa.decimal128(18, 4)
TABLES = (
    "customers",
    "products",
    "orders",
    "order_lines",
    "returns",
    "return_lines",
    "loyalty_movements",
    "truth",
)
CHANNELS = ("store", "web", "app")
PAYMENTS = ("card", "cash", "transfer", "wallet")
CITIES = ("Ankara", "Bursa", "Istanbul", "Izmir", "Konya")
OPENING_SECOND, CLOSING_SECOND = 8 * 3600, 22 * 3600
PRODUCTS_STREAM, ANONYMOUS_STREAM = 1_000_001, 1_000_002  # seeds apart from the batches'


@dataclass(frozen=True)
class Plan:
    """What a simulated firm is like. Same plan, same rows."""

    customers: int
    start: date
    end: date  # exclusive
    seed: int
    timezone: str = "UTC"
    counts: tuple[float, float, float, float] = (0.25, 4.4, 0.8, 2.4)  # BG/NBD r, alpha, a, b; weeks
    spend: tuple[float, float, float] = (6.25, 3.74, 15.44)  # Gamma-Gamma p, q, gamma
    joining_share: float = 0.7  # first purchases fall in this first part of the time
    one_timer_share: float = 0.0
    season_strength: float = 0.0
    lines_per_order: float = 2.5
    discount_share: float = 0.2
    return_share: float = 0.05
    cancelled_share: float = 0.02
    anonymous_share: float = 0.1
    member_share: float = 0.6
    products: int = 500
    batch_customers: int = 10_000

    @property
    def days(self) -> int:
        """Days from start to end."""
        return (self.end - self.start).days


# A grocer's two years: about 5 million lines.
LARGE = Plan(
    customers=200_000,
    start=date(2024, 1, 1),
    end=date(2026, 1, 1),
    seed=2026,
    timezone="Europe/Istanbul",
    counts=(1.1, 9.0, 0.6, 9.0),
    season_strength=0.3,
    lines_per_order=3.3,
    products=5_000,
)


def generate(plan: Plan) -> Iterator[dict[str, pa.Table]]:
    """The firm's tables in batches: products first, then customers with all that is theirs."""
    yield {"products": products_of(plan)}
    for number, first in enumerate(range(0, plan.customers, plan.batch_customers)):
        count = min(plan.batch_customers, plan.customers - first)
        yield _identified(plan, np.random.default_rng([plan.seed, number]), number, first, count)
    # As many more sales as would come of this share of customers, with nobody's name on them.
    unknown = round(plan.customers * plan.anonymous_share / max(1 - plan.anonymous_share, 0.01))
    for number, first in enumerate(range(0, unknown, plan.batch_customers)):
        rng = np.random.default_rng([plan.seed, ANONYMOUS_STREAM, number])
        yield _anonymous(plan, rng, number, min(plan.batch_customers, unknown - first))


def products_of(plan: Plan) -> pa.Table:
    """The firm's products; the first are bought most."""
    rng = np.random.default_rng([plan.seed, PRODUCTS_STREAM])
    n = np.arange(plan.products)
    return pa.table(
        {
            "product_id": _ids("P", n, 5),
            "product_name": _ids("Product ", n, 5),
            "department": _ids("Department ", n % 5, 1),
            "category": _ids("Category ", n % 23, 2),
            "brand": _ids("Brand ", n % 11, 2),
            "unit_cost": money(rng.integers(50, 5000, plan.products)),
        }
    )


def _identified(
    plan: Plan, rng: np.random.Generator, batch: int, first: int, count: int
) -> dict[str, pa.Table]:
    buyers, purchases = _behaviour(plan, rng, count)
    customer = _ids("C", np.arange(first, first + count), 8)
    tables = _sales(plan, rng, buyers, purchases, prefix=f"{batch:05d}-", customer=customer)
    joined = _instants(plan, buyers.first_at, np.zeros(count, dtype=np.int64))
    tables["customers"] = pa.table(
        {
            "customer_id": customer,
            "full_name": _ids("Customer ", np.arange(first, first + count), 8),
            "email": pc.binary_join_element_wise(pc.utf8_lower(customer), "@example.com", ""),
            "gender": _pick(rng, ("f", "m"), count),
            "city": _pick(rng, CITIES, count),
            "country": pa.array(["TR"] * count, pa.string()),
            "created_at": joined,
            "acquisition_channel": _pick(rng, CHANNELS, count),
        }
    )
    p, _, _ = plan.spend
    bought = np.bincount(purchases.buyer, minlength=count)
    tables["truth"] = pa.table(
        {
            "customer_id": customer,
            "rate_per_week": buyers.rate,
            "dropout_probability": buyers.dropout,
            "spend_rate": buyers.spend_rate,
            "mean_order_value": p / np.maximum(buyers.spend_rate, 1e-9),
            "is_alive": purchases.is_alive,
            "orders": bought,
        }
    )
    return tables


def _anonymous(plan: Plan, rng: np.random.Generator, batch: int, count: int) -> dict[str, pa.Table]:
    buyers, purchases = _behaviour(plan, rng, count)
    nobody = pa.nulls(count, pa.string())
    return _sales(plan, rng, buyers, purchases, prefix=f"A{batch:05d}-", customer=nobody)


def _behaviour(plan: Plan, rng: np.random.Generator, count: int) -> tuple[Buyers, Purchases]:
    buyers = draw_buyers(
        rng,
        count,
        counts=plan.counts,
        spend=plan.spend,
        one_timer_share=plan.one_timer_share,
        joining_days=plan.days * plan.joining_share,
    )
    season = Season(days=plan.days, strength=plan.season_strength, start_day=plan.start.timetuple().tm_yday)
    return buyers, draw_purchases(rng, buyers, days=plan.days, season=season)


def _sales(
    plan: Plan,
    rng: np.random.Generator,
    buyers: Buyers,
    purchases: Purchases,
    *,
    prefix: str,
    customer: pa.Array,
) -> dict[str, pa.Table]:
    """Orders, their lines, what came back, and points."""
    is_real = np.ones(len(purchases.buyer), dtype=bool)
    copied = rng.random(len(is_real)) < plan.cancelled_share
    # A cancelled order is one more beside the real ones, so the truth stays the truth.
    buyer = np.concatenate([purchases.buyer, purchases.buyer[copied]])
    at = np.concatenate([purchases.at, purchases.at[copied]])
    is_real = np.concatenate([is_real, np.zeros(int(copied.sum()), dtype=bool)])

    count = len(buyer)
    order_id = _ids(prefix, np.arange(count), 8)
    second = rng.integers(OPENING_SECOND, CLOSING_SECOND, count)
    net = draw_values(rng, buyers.spend_rate[buyer], shape=plan.spend[0])
    lines = np.minimum(1 + rng.poisson(max(plan.lines_per_order - 1, 0), count), net)
    order, number, line_net = split(rng, net, lines)
    has_discount = rng.random(len(order)) < plan.discount_share
    discount = np.where(has_discount, line_net * rng.integers(5, 40, len(order)) // 100, 0)
    product = np.minimum(rng.zipf(1.3, len(order)) - 1, 10**6) % plan.products
    quantity = 1 + rng.poisson(0.4, len(order))
    cost = line_net * rng.integers(40, 80, len(order)) // 100
    product_id = _ids("P", product, 5)
    channel, payment = _pick(rng, CHANNELS, count), _pick(rng, PAYMENTS, count)

    returned = np.flatnonzero((rng.random(len(order)) < plan.return_share) & is_real[order])
    back_at = at[order[returned]] + 1 + rng.exponential(8, len(returned))
    returned, back_at = returned[back_at < plan.days], back_at[back_at < plan.days]
    return_id = _ids(f"R{prefix}", np.arange(len(returned)), 8)
    back_second = rng.integers(OPENING_SECOND, CLOSING_SECOND, len(returned))

    is_member = rng.random(len(customer)) < plan.member_share
    earns = (
        np.flatnonzero(is_member[buyer] & is_real)
        if customer.null_count == 0
        else np.array([], dtype=np.int64)
    )
    spends = rng.random(len(earns)) < 0.1
    points = net[earns] // 100 * 100

    return {
        "orders": pa.table(
            {
                "order_id": order_id,
                "customer_id": customer.take(pa.array(buyer)),
                "ordered_at": _instants(plan, at, second),
                "status": pa.array(np.where(is_real, "completed", "cancelled")),
                "channel": channel,
                "payment_method": payment,
            }
        ),
        "order_lines": pa.table(
            {
                "order_id": order_id.take(pa.array(order)),
                "line_no": pc.cast(pa.array(number), pa.string()),
                "product_id": product_id,
                "quantity": money(quantity * 100),
                "gross_amount": money(line_net + discount),
                "discount_amount": money(discount),
                "cost_amount": money(cost),
            }
        ),
        "returns": pa.table(
            {
                "return_id": return_id,
                "order_id": order_id.take(pa.array(order[returned])),
                "customer_id": customer.take(pa.array(buyer[order[returned]])),
                "returned_at": _instants(plan, back_at, back_second),
                "channel": channel.take(pa.array(order[returned])),
            }
        ),
        "return_lines": pa.table(
            {
                "return_id": return_id,
                "line_no": pa.array(["1"] * len(returned), pa.string()),
                "product_id": product_id.take(pa.array(returned)),
                "quantity": money(quantity[returned] * 100),
                "refund_amount": money(line_net[returned]),
                "cost_amount": money(cost[returned]),
            }
        ),
        "loyalty_movements": pa.table(
            {
                "movement_id": _ids(f"M{prefix}", np.arange(len(earns)), 8),
                "customer_id": customer.take(pa.array(buyer[earns])),
                "programme_id": pa.array(["points"] * len(earns), pa.string()),
                "order_id": order_id.take(pa.array(earns)),
                "occurred_at": _instants(plan, at[earns], second[earns]),
                "points_earned": money(points),
                "points_used": money(np.where(spends, points // 2, 0)),
            }
        ),
    }


def _instants(plan: Plan, days: Floats, second: Ints) -> pa.Array:
    """Moments of the firm's local days, in UTC."""
    start = int(datetime.combine(plan.start, datetime.min.time(), tzinfo=UTC).timestamp())
    local = pa.array((start + np.floor(days).astype(np.int64) * 86_400 + second) * 1_000_000)
    naive = local.cast(pa.timestamp("us"))
    zoned = pc.assume_timezone(naive, plan.timezone, ambiguous="earliest", nonexistent="latest")
    return zoned.cast(pa.timestamp("us", tz="UTC"))


def money(cents: Ints) -> pa.Array:
    """Cents as an exact decimal of units."""
    hundredths = pa.array(cents.astype(np.int64)).cast(pa.decimal128(19, 0))
    return pc.multiply(hundredths, pa.scalar(pa.scalar("0.01").cast(pa.decimal128(3, 2)))).cast(MONEY)


def _ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """``prefix`` and a zero-padded number."""
    text = pc.utf8_lpad(pc.cast(pa.array(numbers.astype(np.int64)), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, text, "")


def _pick(rng: np.random.Generator, values: tuple[str, ...], count: int) -> pa.Array:
    """Values drawn evenly."""
    return pa.array(values).take(pa.array(rng.integers(0, len(values), count)))
