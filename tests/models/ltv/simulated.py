"""Simulated firms as files of canonical sales: customers who buy by BG/NBD, spend by Gamma-Gamma, return."""

from pathlib import Path

import duckdb
import pyarrow as pa

from include.datasets.extracted import TRANSACTIONS
from include.simulator import Plan, generate
from tests.models.churn.cases import with_days

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
