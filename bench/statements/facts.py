"""The facts of a simulated firm, counted from its lines by queries of their own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import duckdb

from bench.statements.firms import Simulated
from include import metrics

Facts = Mapping[str, Any]
FACTS = """
with days as (
    select customer_id, cast(occurred_at as date) as day,
        count(*) filter (where net_amount >= 0) as orders,
        coalesce(sum(net_amount) filter (where net_amount >= 0), 0) as sold,
        sum(net_amount) as net
    from lines where customer_id is not null and occurred_at < $as_of::timestamp group by all
),
customers as (
    select customer_id, min(day) filter (where orders > 0) as first_day,
        max(day) filter (where orders > 0) as last_day, sum(orders) as orders, sum(net) as net,
        count(*) filter (where orders > 0) as sale_days,
        coalesce(sum(net) filter (where day >= $as_of::date - 365), 0) as net_year
    from days group by customer_id having max(orders) > 0
),
known as (
    select *, $as_of::date - last_day as silent, $as_of::date - first_day as age,
        (select min(d.day) from days as d where d.customer_id = customers.customer_id and d.orders > 0
            and d.day > customers.first_day) as second_day,
        exists (select 1 from days as d where d.customer_id = customers.customer_id and d.orders > 0
            and d.day < $as_of::date - $period and d.day >= $as_of::date - 2 * $period) as was_active
    from customers
)
select
    count(*) as customers,
    max(age) as history_days,
    count(*) filter (where silent <= $period) as active_customers,
    sum(orders) as orders,
    (select coalesce(sum(net), 0) from days) as revenue,
    median(net) as median_spend,
    median(silent) as median_days_since_last_order,
    count(*) filter (where orders = 1) as one_time_customers,
    count(*) filter (where age <= $period) as new_customers,
    count(*) filter (where was_active) as earlier_customers,
    count(*) filter (where was_active and silent <= $period) as retained_customers,
    count(*) filter (where age > $period) as matured,
    count(*) filter (where age > $period and second_day - first_day <= $period) as converted,
    (select coalesce(sum(orders), 0) from days where day >= $as_of::date - 365) as orders_year,
    (select coalesce(sum(sold), 0) from days where day >= $as_of::date - 365) as sales_year,
    (select coalesce(sum(net), 0) from days where day >= $as_of::date - 365) as revenue_year,
    (select coalesce(sum(net), 0) from days
        where day >= $as_of::date - 730 and day < $as_of::date - 365) as revenue_before
from known
"""


PAGE = """
with days as (
    select customer_id, cast(occurred_at as date) as day,
        count(*) filter (where net_amount >= 0) as orders, sum(net_amount) as net
    from lines where customer_id is not null and occurred_at < $as_of::timestamp group by all
),
customers as (
    select customer_id, sum(orders) as orders, sum(net) as net,
        min(day) filter (where orders > 0) as first_day, max(day) filter (where orders > 0) as last_day,
        count(*) filter (where orders > 0) as sale_days
    from days group by customer_id having max(orders) > 0
),
guests as (
    select coalesce(sum(net_amount), 0) as sold, count(*) filter (where net_amount >= 0) as orders
    from lines where customer_id is null and occurred_at < $as_of::timestamp
),
months as (
    select date_trunc('month', day) as month, sum(net) as net from days group by all
)
select
    (select count(*) from customers) as customers,
    (select sum(orders) from customers)::bigint as orders,
    (select sum(net) from customers) as net_sales,
    (select sum(net) / sum(orders) from customers) as avg_order,
    (select count(*) from customers where orders = 1) as one_time_customers,
    (select count(*) from customers where sale_days > 1) as repeat_customers,
    (select min(first_day) from customers) as first_day,
    (select max(last_day) from customers) as last_day,
    (select median(net) from customers) as median_spend,
    (select median((last_day - first_day) / (sale_days - 1)) from customers where sale_days > 1)
        as median_gap_days,
    (select sold from guests) as guest_sales,
    (select orders from guests) as guest_orders,
    (select max(net) from months) as best_month_sales,
    (select count(distinct customer_id) from days where orders > 0 and day >= $as_of::date - $days)
        as active_customers,
    (select count(*) from customers where first_day >= $as_of::date - $days) as new_customers,
    (select coalesce(sum(net), 0) from days where day >= $as_of::date - $days) as now_sales,
    (select coalesce(sum(net), 0) from days
        where day < $as_of::date - $days and day >= $as_of::date - 2 * $days) as before_sales,
    (select coalesce(sum(net), 0) from days
        where day < $as_of::date - 365 and day >= $as_of::date - 365 - $days) as year_ago_sales,
    (select sum(net) filter (where place <= top) / nullif(sum(net), 0) from (
        select net, row_number() over (order by net desc) as place,
            2 * (count(*) over () // 20) + least(2, count(*) over () % 20) as top
        from customers)) as top_net_sales,
    (select count(distinct customer_id) from lines
        where may_contact is not null and customer_id in (select customer_id from customers)
        and occurred_at < $as_of::timestamp) as answered_customers
"""


def facts_of(firm: Simulated) -> dict[str, Any]:
    """Counts and sums behind the descriptive metrics of insight."""
    return _one(firm, FACTS, {"as_of": firm.as_of, "period": firm.churn_threshold_days})


def facts_of_page(firm: Simulated, window_days: int) -> dict[str, Any]:
    """Figures of the page of ``try``, by its own names; ``window_days`` is the page's latest window."""
    return _one(firm, PAGE, {"as_of": firm.as_of, "days": window_days})


def true_metrics(facts: Facts) -> dict[str, Decimal]:
    """The values of descriptive metrics."""
    names = {metric.name for metric in metrics.GLOSSARY}
    found = {name: Decimal(value) for name, value in facts.items() if value is not None and name in names}

    def share(part: str, whole: str) -> Decimal | None:
        return 100 * Decimal(facts[part]) / Decimal(facts[whole]) if facts[whole] else None

    ratios = {
        "active_share": share("active_customers", "customers"),
        "one_time_share": share("one_time_customers", "customers"),
        "new_customer_share": share("new_customers", "active_customers"),
        "retention_rate": share("retained_customers", "earlier_customers"),
        "one_timer_conversion": share("converted", "matured"),
        "avg_order_value": (share("sales_year", "orders_year") or Decimal(0)) / 100,
    }
    if facts["revenue_before"]:
        change = Decimal(facts["revenue_year"]) / Decimal(facts["revenue_before"]) - 1
        ratios["revenue_change"] = abs(100 * change)
    return found | {name: value for name, value in ratios.items() if value is not None}


def unsubscribed(firm: Simulated) -> set[str]:
    """Customers whose file says that they may not be contacted."""
    rows = zip(firm.lines["customer_id"].to_pylist(), firm.lines["may_contact"].to_pylist(), strict=True)
    return {name for name, answer in rows if answer == "no"}


def customer_days(firm: Simulated) -> Any:
    """Rows of customer_days as ``promises.broken`` reads them."""
    sql = """
        select customer_id, cast(occurred_at as date) as order_date,
            count(*) filter (where net_amount >= 0) as order_count
        from lines where customer_id is not null and occurred_at < $as_of::timestamp group by all
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("lines", firm.lines)
        return connection.sql(sql, params={"as_of": firm.as_of}).to_arrow_table()


def _one(firm: Simulated, sql: str, params: dict[str, object]) -> dict[str, Any]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("lines", firm.lines)
        found: dict[str, Any] = connection.sql(sql, params=params).to_arrow_table().to_pylist()[0]
    return found
