"""Generate the tables of a simulated firm from its plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.simulator.behaviour import Buyers, Purchases, Season, draw_buyers, draw_purchases
from include.simulator.columns import ids, instants, money, pick
from include.simulator.engagement import directory_of, interactions_of
from include.simulator.orders import CHANNELS, sales
from include.simulator.plan import Plan

TABLES = (
    "customers",
    "products",
    "orders",
    "order_lines",
    "returns",
    "return_lines",
    "loyalty_movements",
    "channels",
    "campaigns",
    "interactions",
    "truth",
)
CITIES = ("Ankara", "Bursa", "Istanbul", "Izmir", "Konya")
PRODUCTS_STREAM, ANONYMOUS_STREAM = 1_000_001, 1_000_002  # differ from every batch number


def generate(plan: Plan) -> Iterator[dict[str, pa.Table]]:
    """Yield the firm's tables in batches: products first, then customers with their orders and movements."""
    yield {"products": products_of(plan), **directory_of(plan)}
    for number, first in enumerate(range(0, plan.customers, plan.batch_customers)):
        count = min(plan.batch_customers, plan.customers - first)
        yield _identified(plan, np.random.default_rng([plan.seed, number]), number, first, count)
    # Anonymous sales: generated like those of this share of customers, without customer_id.
    unknown = round(plan.customers * plan.anonymous_share / max(1 - plan.anonymous_share, 0.01))
    for number, first in enumerate(range(0, unknown, plan.batch_customers)):
        rng = np.random.default_rng([plan.seed, ANONYMOUS_STREAM, number])
        yield _anonymous(plan, rng, number, min(plan.batch_customers, unknown - first))


def products_of(plan: Plan) -> pa.Table:
    """The firm's products; the first ones are bought most."""
    rng = np.random.default_rng([plan.seed, PRODUCTS_STREAM])
    n = np.arange(plan.products)
    return pa.table(
        {
            "product_id": ids("P", n, 5),
            "product_name": ids("Product ", n, 5),
            "department": ids("Department ", n % 5, 1),
            "category": ids("Category ", n % 23, 2),
            "brand": ids("Brand ", n % 11, 2),
            "unit_cost": money(rng.integers(50, 5000, plan.products)),
        }
    )


def _identified(
    plan: Plan, rng: np.random.Generator, batch: int, first: int, count: int
) -> dict[str, pa.Table]:
    buyers, purchases = _behaviour(plan, rng, count)
    customer = ids("C", np.arange(first, first + count), 8)
    tables = sales(plan, rng, buyers, purchases, prefix=f"{batch:05d}-", customer=customer)
    joined = instants(plan, buyers.first_at, np.zeros(count, dtype=np.int64))
    tables["customers"] = pa.table(
        {
            "customer_id": customer,
            "full_name": ids("Customer ", np.arange(first, first + count), 8),
            "email": pc.binary_join_element_wise(pc.utf8_lower(customer), "@example.com", ""),
            "gender": pick(rng, ("f", "m"), count),
            "city": pick(rng, CITIES, count),
            "country": pa.array(["TR"] * count, pa.string()),
            "created_at": joined,
            "acquisition_channel": pick(rng, CHANNELS, count),
        }
    )
    if plan.interactions_per_customer or plan.campaigns:
        tables["interactions"] = interactions_of(plan, batch, customer, buyers.first_at)
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
    no_customer = pa.nulls(count, pa.string())
    return sales(plan, rng, buyers, purchases, prefix=f"A{batch:05d}-", customer=no_customer)


def _behaviour(plan: Plan, rng: np.random.Generator, count: int) -> tuple[Buyers, Purchases]:
    buyers = draw_buyers(
        rng,
        count,
        counts=plan.counts,
        spend=plan.spend,
        one_timer_share=plan.one_timer_share,
        joining_days=plan.days * plan.joining_share,
        joining_power=plan.joining_power,
    )
    season = Season(days=plan.days, strength=plan.season_strength, start_day=plan.start.timetuple().tm_yday)
    return buyers, draw_purchases(rng, buyers, days=plan.days, season=season, regularity=plan.regularity)
