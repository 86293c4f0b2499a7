"""The tables that ``make demo`` prints for a firm: segments, migration, value, risk, and insight."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from include.firms import Firm

SEGMENTS = """
    select
        as_of,
        rfm_segment as segment,
        customer_count as customers,
        pct_of_customers as pct,
        round(total_revenue_365, 2) as revenue_365,
        avg_orders_per_customer as orders_365,
        avg_order_value as order_value,
        avg_days_since_last_order as days_since,
        value_tier
    from mart.vw_rfm_segment_summary
    where firm_key = %s
    order by customer_count desc
"""
VALUE = """
    select
        tier_name as tier,
        customer_count as customers,
        round(total_historical_value, 2) as value_so_far,
        round(total_predicted_1_year, 2) as next_year,
        round(total_predicted_value, 2) as lifetime,
        pct_of_predicted_value as pct_of_value
    from mart.vw_clv_tier_summary
    where firm_key = %s
    order by tier_level desc
"""
RISK = """
    select
        churn_risk_category as risk,
        customer_count as customers,
        pct_of_customers as pct,
        round(expected_churners) as expected_to_leave,
        round(category_spend_365_days, 2) as spend_last_year,
        category_spend_at_risk as spend_at_risk,
        method
    from mart.vw_churn_risk_overview
    where firm_key = %s
    order by avg_churn_probability desc nulls first
"""
MODULES = """
    select
        module,
        reason
    from control.module_status
    where
        firm_key = %s
        and as_of = %s
    order by module
"""
INSIGHT = """
    select sentence
    from mart.vw_firm_insight
    where
        firm_key = %s
        and is_firm_language
    order by place
"""
MOVES = """
    select
        from_as_of,
        from_segment,
        to_segment,
        customers_migrated as customers,
        migration_direction as direction
    from mart.vw_segment_migration
    where firm_key = %s and migration_direction <> 'Stayed'
    order by customers_migrated desc
    limit 8
"""


class NothingToShowError(RuntimeError):
    """A firm has run, but the views have no rows of it."""


def show_firm(dsn: str, firm: Firm, console: Console) -> None:
    """Print a firm's latest snapshot: segments, migration, value, risk, module status, insight."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        segments = connection.execute(SEGMENTS, [firm.firm_key]).fetchall()
        moves = connection.execute(MOVES, [firm.firm_key]).fetchall()
        value = connection.execute(VALUE, [firm.firm_key]).fetchall()
        risk = connection.execute(RISK, [firm.firm_key]).fetchall()
        insight = connection.execute(INSIGHT, [firm.firm_key]).fetchall()
    if not segments or not moves:
        raise NothingToShowError(
            f"{firm.firm_key} has run, but mart.vw_rfm_segment_summary has no rows of it"
        )
    before, latest = moves[0]["from_as_of"], segments[0]["as_of"]
    console.print()
    console.print(_table(f"{firm.name}: segments as of {latest} ({firm.currency})", segments))
    console.print(_table(f"{firm.name}: the largest moves from {before} to {latest}", moves))
    if value:
        console.print(_table(f"{firm.name}: value by tier ({firm.currency})", value))
    if risk:
        console.print(_table(f"{firm.name}: risk of no purchase in {firm.churn_threshold_days} days", risk))
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        for module in connection.execute(MODULES, [firm.firm_key, latest]):
            console.print(f"{module['module']}: {module['reason']}", markup=False, highlight=False)
    console.print()
    for row in insight:
        console.print(f"  {row['sentence']}", markup=False, highlight=False)


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    shown = [name for name in rows[0] if not name.endswith("as_of")]
    for name in shown:
        is_text = all(isinstance(row[name], str) for row in rows)
        table.add_column(name.replace("_", " "), justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*[_cell(row[name]) for name in shown])
    return table


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,}"
