"""Simulated firms: their sales as files, and how often value's intervals hold what customers then do."""

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import LTV
from include.engines import open_engine
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import backtest as ltv_backtest
from include.models.ltv import model as ltv
from include.simulator import Plan, generate
from tests.models.churn.cases import with_days
from tests.models.ltv.cases import firm, histories
from tests.real_sales import QUERIES

START, ANCHOR, END = date(2024, 1, 1), date(2026, 1, 1), date(2027, 1, 1)
GROCER = (1.1, 9.0, 0.6, 9.0)
KINDS = {
    "like CDNOW": {},
    "a grocer": {"counts": GROCER},
    "with seasons": {"counts": GROCER, "season_strength": 0.3},
}

SALES = """
select
    orders.order_id as transaction_id,
    cast(order_lines.line_no as varchar) as line_id,
    'sale' as kind,
    orders.ordered_at as occurred_at,
    cast(orders.ordered_at at time zone 'UTC' as date) as order_date,
    orders.customer_id,
    order_lines.gross_amount,
    order_lines.discount_amount,
    order_lines.gross_amount - order_lines.discount_amount as net_amount
from orders
inner join order_lines on orders.order_id = order_lines.order_id
where orders.status = 'completed'
union all
select
    returns.return_id as transaction_id,
    cast(return_lines.line_no as varchar) as line_id,
    'return' as kind,
    returns.returned_at as occurred_at,
    cast(returns.returned_at at time zone 'UTC' as date) as order_date,
    orders.customer_id,
    return_lines.refund_amount as gross_amount,
    0 as discount_amount,
    return_lines.refund_amount as net_amount
from returns
inner join return_lines on returns.return_id = return_lines.return_id
inner join orders on returns.order_id = orders.order_id
order by transaction_id, line_id
"""


def sales(plan: Plan, folder: Path) -> dict:
    """Files of the firm's transactions and of the customer days that they give."""
    tables: dict[str, list[pa.Table]] = {}
    for batch in generate(plan):
        for name, table in batch.items():
            tables.setdefault(name, []).append(table)
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    for name, parts in tables.items():
        connection.register(name, pa.concat_tables(parts))
    lines = connection.sql(SALES).to_arrow_table()
    return with_days(_complete(lines), folder)


def _complete(lines: pa.Table) -> pa.Table:
    """Every column of transactions, null where the simulator's is not needed; one unit a line."""
    for field in TRANSACTIONS.schema:
        if field.name not in lines.schema.names:
            value = 1 if field.name == "quantity" else None
            lines = lines.append_column(
                field.name, pa.array([value] * lines.num_rows, pa.float64() if value else field.type)
            )
    return lines.select(TRANSACTIONS.schema.names).cast(TRANSACTIONS.schema)


class Held(NamedTuple):
    """What a firm's 80 % intervals held: of open ones of customers in the year after the anchor, and totals.

    Totals are of the windows of the backtest, and of the horizon and the year after the anchor.
    """

    customers: np.ndarray
    totals: list[bool]


def held(kind: str, seed: int, folder: Path, *, customers: int = 600) -> Held:
    """Train a firm of that kind at the anchor and compare its intervals with what then happens."""
    plan = Plan(customers=customers, start=START, end=END, seed=seed, anonymous_share=0.0, **KINDS[kind])
    files, of = sales(plan, folder), firm(annual_discount_rate=1e-9, margin_share=1.0)
    table = histories(files, folder, anchor=ANCHOR)
    model = ltv.fit(table, firm=of, as_of=ANCHOR)
    now = ltv_backtest.windows_of(table)[-1].rows.to_batches()[0]
    rows = LTV.conform(ltv.predict(now, ltv.prepare(model, firm=of, as_of=ANCHOR), firm=of, as_of=ANCHOR))
    parts = ltv_artefact.read(model)
    header = parts["header"]
    totals = [
        bool(window["metrics"]["total_inside"])
        for window in parts["backtest"]
        if window["candidate"] == header["method"]
    ]
    for name, days in (("horizon", header["horizon_days"]), ("1_year", 365)):
        happened = spent(files, folder, rows["customer_id"], days=days)
        expected, deviation = (
            _floats(rows, f"{what}_{name}") for what in ("expected_spend", "spend_deviation")
        )
        doubt, reach = _floats(rows, f"total_doubt_{name}")[0], _floats(rows, "total_reach")[0]
        room = reach * np.sqrt(np.sum(deviation**2) + (doubt * expected.sum()) ** 2)
        totals.append(bool(abs(happened.sum() - expected.sum()) <= room))
    low, high = (_floats(rows, f"predicted_clv_1_year_{end}") for end in ("low", "high"))
    inside = (low - 0.01 <= happened) & (happened <= high + 0.01)  # money is rounded
    return Held(inside[high > 0], totals)


def spent(files: dict, folder: Path, customers: pa.ChunkedArray, *, days: int) -> np.ndarray:
    """Net spend of these customers in the days after the anchor."""
    engine = open_engine("duckdb", memory_mb=512, threads=1, scratch=folder)
    sql = (QUERIES / "value_holdout.sql").read_text()
    until = {"as_of": ANCHOR, "until": ANCHOR + timedelta(days=days)}
    found = pa.Table.from_batches(engine.query(sql, [(CUSTOMER_DAYS, files[CUSTOMER_DAYS])], until))
    by_customer = dict(zip(found["customer_id"].to_pylist(), found["holdout_spend"].to_pylist(), strict=True))
    return np.array([float(by_customer.get(customer, 0)) for customer in customers.to_pylist()])


def _floats(rows: pa.RecordBatch, name: str) -> np.ndarray:
    return rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
