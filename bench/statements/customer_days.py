"""Customer days of the firms of ``../shared/data`` and of simulated firms, for checks of statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from include.datasets.computed import CUSTOMER_DAYS
from include.simulator import Plan, generate

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

CANONICAL = """
select customer_id, cast(cast(occurred_at as timestamp) as date) as order_date, transaction_id as order_id,
    cast(net_amount as decimal(18, 4)) as amount
from read_csv($path, all_varchar = true)
where customer_id is not null
"""
CDNOW = """
select customer_id, cast("date" as date) as order_date, cast(row_number() over () as varchar) as order_id,
    cast(spend as decimal(18, 4)) as amount
from read_csv($path, all_varchar = true)
"""
ONLINE_RETAIL = """
select cast(CustomerID as varchar) as customer_id, cast(InvoiceDate as date) as order_date,
    InvoiceNo as order_id, cast(Quantity * UnitPrice as decimal(18, 4)) as amount
from read_parquet($path)
where CustomerID is not null and UnitPrice > 0
"""
DAYS = """
select
    cast(customer_id as varchar) as customer_id,
    order_date,
    count(distinct case when amount >= 0 then order_id end) as order_count,
    count(case when amount >= 0 then 1 end) as line_count,
    cast(0 as decimal(18, 4)) as units,
    coalesce(sum(amount) filter (where amount >= 0), 0) as gross_amount,
    cast(0 as decimal(18, 4)) as discount_amount,
    coalesce(sum(amount) filter (where amount >= 0), 0) as sale_amount,
    count(distinct case when amount < 0 then order_id end) as return_count,
    coalesce(-sum(amount) filter (where amount < 0), 0) as return_amount,
    sum(amount) as net_amount,
    cast(null as decimal(18, 4)) as margin_amount
from lines
where order_date < $as_of
group by customer_id, order_date
order by customer_id, order_date
"""


class Real(NamedTuple):
    """A firm of ``../shared/data``: its file, how to read it, and the snapshots to check."""

    path: str
    sql: str
    days: tuple[date, ...]
    window_days: int = 365
    churn_threshold_days: int = 90


REAL = {
    "cdnow": Real("cdnow/cdnow_master.csv.gz", CDNOW, (date(1998, 4, 1), date(1998, 7, 1)), 730),
    "charity": Real(
        "charity/charity.csv.gz", CANONICAL, (date(2011, 1, 1), date(2013, 7, 1), date(2015, 1, 1)), 365, 365
    ),
    "retail_transactions": Real(
        "retail_transactions/retail_transactions.csv.gz", CANONICAL, (date(2013, 1, 1), date(2014, 9, 15))
    ),
    "online_retail": Real(
        "online_retail_i/online_retail_i.parquet", ONLINE_RETAIL, (date(2011, 9, 1), date(2011, 12, 1))
    ),
    "short": Real("cases/short/sales.csv", CANONICAL, (date(2025, 2, 15),)),
    "subs": Real("cases/subs/sales.csv", CANONICAL, (date(2025, 4, 1),), 365, 45),
    "dormant": Real("cases/dormant/sales.csv", CANONICAL, (date(2025, 1, 1),)),
    "returns": Real("cases/returns/sales.csv", CANONICAL, (date(2025, 1, 1),)),
    "b150000": Real("cases/dec/b150000/sales.csv", CANONICAL, (date(2025, 3, 1),)),
}

_YEARS = {"start": date(2023, 1, 1), "end": date(2026, 1, 1)}
SIMULATED = {
    "plain": Plan(customers=600, seed=1, **_YEARS),
    "one_timers": Plan(customers=600, seed=2, one_timer_share=0.95, **_YEARS),
    "seasonal": Plan(customers=600, seed=3, season_strength=0.9, **_YEARS),
    "dormant": Plan(customers=400, seed=4, joining_share=0.1, counts=(0.25, 4.4, 3.0, 1.0), **_YEARS),
    "weekly": Plan(customers=400, seed=5, counts=(6.0, 6.0, 0.3, 20.0), **_YEARS),
    "b2b": Plan(customers=50, seed=6, counts=(3.0, 12.0, 0.5, 9.0), **_YEARS),
    "returns_heavy": Plan(customers=400, seed=7, return_share=0.6, **_YEARS),
    "young": Plan(customers=300, seed=8, start=date(2025, 11, 15), end=date(2026, 1, 1)),
}


def real(name: str, as_of: date) -> pa.Table | None:
    """customer_days of a real firm before ``as_of``; None where its file is absent."""
    firm = REAL[name]
    path = SHARED / firm.path
    if not path.exists():
        return None
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"create temp table lines as {firm.sql}", {"path": str(path)})
        return _days(connection, as_of)


def simulated(plan: Plan, as_of: date) -> pa.Table:
    """customer_days of a simulated firm before ``as_of``."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, table in _tables(plan):
            connection.register(name, table)
        connection.execute(
            "create temp table lines as "
            "select customer_id, cast(ordered_at as date) as order_date, orders.order_id, "
            "sum(gross_amount - discount_amount) as amount from orders join order_lines using (order_id) "
            "where status = 'completed' and customer_id is not null group by all "
            "union all select returns.customer_id, cast(returned_at as date), return_id, "
            "-sum(abs(refund_amount)) from returns join return_lines using (return_id) "
            "where returns.customer_id is not null group by all"
        )
        return _days(connection, as_of)


def _tables(plan: Plan) -> Iterator[tuple[str, pa.Table]]:
    found: dict[str, list[pa.Table]] = {}
    for batch in generate(plan):
        for name, table in batch.items():
            found.setdefault(name, []).append(table)
    for name in ("orders", "order_lines", "returns", "return_lines"):
        yield name, pa.concat_tables(found[name])


def _days(connection: duckdb.DuckDBPyConnection, as_of: date) -> pa.Table:
    days = connection.sql(DAYS, params={"as_of": as_of}).to_arrow_table()
    return pa.Table.from_batches([CUSTOMER_DAYS.conform(b) for b in days.to_batches()], CUSTOMER_DAYS.schema)
