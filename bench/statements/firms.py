"""Two hundred simulated firms of all kinds, and what the simulator knows of them.

The truth of a customer is its purchase rate and its chance to leave after each purchase. From these and its
history follow the chance that it does not buy in a window, and the orders to expect: BG/NBD of one customer
(Fader, Hardie & Lee 2005), in the simulator's operational time, so a season changes nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.simulator import Plan, generate
from include.simulator.behaviour import Season

Floats = NDArray[np.float64]
END = date(2026, 1, 1)
YEAR = 365
LINES = """
select
    orders.order_id as transaction_id,
    orders.customer_id,
    orders.ordered_at as occurred_at,
    sum(gross_amount - discount_amount) as net_amount
from orders
inner join order_lines on orders.order_id = order_lines.order_id
where status = 'completed' and orders.customer_id is not null
group by all
union all
select return_id, returns.customer_id, returned_at, -sum(abs(refund_amount))
from returns
inner join return_lines using (return_id)
where returns.customer_id is not null
group by all
order by 3, 1
"""


class Simulated(NamedTuple):
    """A firm: its plan, the snapshot's day, its settings, all its lines, and the truth of its customers."""

    plan: Plan
    as_of: date
    churn_threshold_days: int
    lines: pa.Table  # transaction_id, customer_id, occurred_at, net_amount
    truth: pa.Table


def plans(count: int, seed: int = 20261130) -> list[tuple[Plan, int, int]]:
    """Plans with the days after the snapshot that the plan goes on for, and the churn threshold in days."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        is_large = number % 3 == 0  # large enough for models
        history = int(rng.choice([45, 200, 400, 800, 1100], p=[0.1, 0.15, 0.2, 0.25, 0.3]))
        after = YEAR
        found.append(
            (
                Plan(
                    customers=int(rng.integers(600, 1_400) if is_large else rng.integers(20, 400)),
                    start=END - timedelta(days=history + after),
                    end=END,
                    seed=int(seed + number),
                    counts=(
                        float(rng.choice([0.25, 0.6, 1.2, 4.0])),
                        float(rng.choice([4.0, 8.0, 16.0])),
                        float(rng.choice([0.5, 0.8, 1.5])),
                        float(rng.choice([2.4, 6.0, 14.0])),
                    ),
                    spend=(6.25, float(rng.choice([3.74, 6.0])), float(rng.choice([15.44, 60.0]))),
                    joining_share=float(rng.choice([0.1, 0.5, 0.95])) * history / (history + after),
                    one_timer_share=float(rng.choice([0.0, 0.0, 0.3, 0.8])),
                    season_strength=float(rng.choice([0.0, 0.0, 0.4, 0.8])),
                    return_share=float(rng.choice([0.0, 0.05, 0.3])),
                    anonymous_share=0.0,
                    lines_per_order=1.5,
                    products=20,
                ),
                after,
                int(rng.choice([30, 60, 90])),
            )
        )
    return found


def simulate(plan: Plan, after_days: int, churn_threshold_days: int) -> Simulated:
    """The firm of a plan; the snapshot is ``after_days`` before the plan's end."""
    tables: dict[str, list[pa.Table]] = {}
    for batch in generate(plan):
        for name, table in batch.items():
            tables.setdefault(name, []).append(table)
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, parts in tables.items():
            connection.register(name, pa.concat_tables(parts))
        connection.execute("set timezone = 'UTC'")
        lines = connection.sql(LINES).to_arrow_table()
    as_of = plan.end - timedelta(days=after_days)
    return Simulated(plan, as_of, churn_threshold_days, lines, pa.concat_tables(tables["truth"]))


class Expected(NamedTuple):
    """What the simulator expects of each customer who had bought before the snapshot."""

    customer_id: list[str]
    no_purchase: Floats  # chance of none in the next churn_threshold_days
    orders_year: Floats
    order_value: Floats  # mean amount of an order, before returns


def expected(firm: Simulated, last_order_at: dict[str, float]) -> Expected:
    """``last_order_at``: days from the plan's start to the last order before the snapshot, by customer."""
    rows = {row["customer_id"]: row for row in firm.truth.to_pylist()}
    names = sorted(last_order_at)
    rate = np.array([rows[name]["rate_per_week"] for name in names]) / 7
    leaves = np.array([rows[name]["dropout_probability"] for name in names])
    value = np.array([rows[name]["mean_order_value"] for name in names])
    season = Season(days=firm.plan.days, strength=firm.plan.season_strength, start_day=_start_day(firm.plan))
    now = float((firm.as_of - firm.plan.start).days)
    at = season.to_operational(np.array([last_order_at[name] for name in names]))
    today = season.to_operational(np.array([now]))[0]

    def ahead(days: int) -> float:
        return float(season.to_operational(np.array([now + days]))[0] - today)

    silent = np.exp(-rate * (today - at))
    alive = (1 - leaves) * silent / np.maximum(leaves + (1 - leaves) * silent, 1e-300)
    none = 1 - alive * (1 - np.exp(-rate * ahead(firm.churn_threshold_days)))
    span = ahead(YEAR)
    safe = np.maximum(leaves, 1e-12)
    orders = alive * (1 - np.exp(-rate * safe * span)) / safe
    return Expected(names, none, orders, value)


def _start_day(plan: Plan) -> int:
    return plan.start.timetuple().tm_yday
