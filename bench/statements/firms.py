"""Two hundred simulated firms of all kinds: what their files hold, and the truth of their customers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from include.simulator import Plan, generate

END = date(2026, 1, 1)
YEAR = 365
AFTER = YEAR  # days that a plan goes on after the snapshot
LINES = """
with lines as (
    select orders.order_id as transaction_id, orders.customer_id, orders.ordered_at as occurred_at,
        sum(gross_amount - discount_amount) as net_amount,
        sum(gross_amount - discount_amount - cost_amount) as margin_amount
    from orders
    inner join order_lines on orders.order_id = order_lines.order_id
    where status = 'completed'
    group by all
    union all
    select return_id, returns.customer_id, returned_at, -sum(abs(refund_amount)),
        -sum(abs(refund_amount) - cost_amount)
    from returns
    inner join return_lines using (return_id)
    group by all
)
select transaction_id, customer_id, occurred_at, net_amount,
    case when $costs then margin_amount end as margin_amount,
    case when $consent and customer_id is not null
        then case hash(customer_id) % 5 when 0 then 'no' when 1 then null else 'yes' end
    end as may_contact
from lines
order by 3, 1
"""


class Kind(NamedTuple):
    """A kind of firm: the fields of its plan that make it one, and how long its history is."""

    name: str
    fields: dict[str, Any]
    history_days: int = 0  # 0: drawn
    churn_threshold_days: int = 0  # 0: drawn


KINDS: tuple[Kind, ...] = (
    Kind("mixed", {}),
    Kind("one-time shop", {"one_timer_share": 0.95}),
    Kind(
        "fifty business customers",
        {"customers": 50, "counts": (4.0, 4.0, 0.5, 14.0), "spend": (6.25, 3.74, 3_000.0)},
    ),
    Kind(
        "subscription",
        {"counts": (40.0, 160.0, 0.4, 9.0), "regularity": 30, "season_strength": 0.0},
        churn_threshold_days=60,
    ),
    Kind("dormant", {"joining_share": 0.1, "counts": (0.6, 4.0, 3.0, 2.0)}, 1100),
    Kind("growing", {"joining_share": 0.98, "joining_power": 0.4}),
    Kind("shrinking", {"joining_share": 0.6, "joining_power": 2.5, "counts": (0.8, 4.0, 1.5, 4.0)}, 800),
    Kind("many returns", {"return_share": 0.4}),
    Kind("seasonal", {"season_strength": 0.8}),
    Kind("45 days", {}, 45),
    Kind("guests", {"anonymous_share": 0.3}),
    Kind("two sizes of orders", {"spend": (1.2, 2.2, 60.0)}),
)  # fmt: skip


class Case(NamedTuple):
    """A firm to simulate, days of the plan after the snapshot, and what its file has."""

    kind: str
    plan: Plan
    after_days: int
    churn_threshold_days: int
    has_costs: bool = False
    has_consent: bool = False


class Simulated(NamedTuple):
    """A firm: its case, the snapshot's day, its settings, all its lines, and the truth of its customers."""

    case: Case
    as_of: date
    churn_threshold_days: int
    lines: pa.Table  # transaction_id, customer_id, occurred_at, net_amount, margin_amount, may_contact
    truth: pa.Table

    @property
    def plan(self) -> Plan:
        """The plan of its customers."""
        return self.case.plan


def plans(count: int, seed: int = 20261130) -> list[Case]:
    """Firms of every kind in turn, each with its own draw of the other parameters."""
    rng = np.random.default_rng(seed)
    return [_case(KINDS[number % len(KINDS)], rng, seed + number) for number in range(count)]


def _case(kind: Kind, rng: np.random.Generator, seed: int) -> Case:
    history = int(kind.history_days or rng.choice([200, 400, 800, 1100], p=[0.2, 0.2, 0.3, 0.3]))
    fields = {
        "customers": int(rng.integers(500, 1_200) if rng.random() < 0.4 else rng.integers(20, 400)),
        "counts": (
            float(rng.choice([0.25, 0.6, 1.2, 4.0])),
            float(rng.choice([4.0, 8.0, 16.0])),
            float(rng.choice([0.5, 0.8, 1.5])),
            float(rng.choice([2.4, 6.0, 14.0])),
        ),
        "spend": (6.25, float(rng.choice([3.74, 6.0])), float(rng.choice([15.44, 60.0]))),
        "joining_share": float(rng.choice([0.1, 0.5, 0.95])),
        "season_strength": float(rng.choice([0.0, 0.0, 0.0, 0.4])),
        "return_share": float(rng.choice([0.0, 0.05])),
        **kind.fields,
    }
    fields["joining_share"] *= history / (history + AFTER)
    plan = Plan(
        start=END - timedelta(days=history + AFTER), end=END, seed=seed, lines_per_order=1.5, products=20,
        **{"anonymous_share": 0.0, **fields},
    )  # fmt: skip
    return Case(
        kind.name,
        plan,
        AFTER,
        kind.churn_threshold_days or int(rng.choice([30, 60, 90])),
        has_costs=bool(rng.random() < 0.4),
        has_consent=bool(rng.random() < 0.4),
    )


def simulate(case: Case) -> Simulated:
    """The firm of a case; the snapshot is ``after_days`` before the plan's end."""
    tables: dict[str, list[pa.Table]] = {}
    for batch in generate(case.plan):
        for name, table in batch.items():
            tables.setdefault(name, []).append(table)
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, parts in tables.items():
            connection.register(name, pa.concat_tables(parts, promote_options="permissive"))
        connection.execute("set timezone = 'UTC'")
        params = {"costs": case.has_costs, "consent": case.has_consent}
        lines = connection.sql(LINES, params=params).to_arrow_table()
    as_of = case.plan.end - timedelta(days=case.after_days)
    return Simulated(case, as_of, case.churn_threshold_days, lines, pa.concat_tables(tables["truth"]))
