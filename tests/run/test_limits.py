"""A whole run at the limit of the contracts' amounts: gate, queries, models, loads, views, publication."""

from __future__ import annotations

import random
from datetime import date, timedelta

import psycopg
import pytest
from psycopg import sql

from include import postgres
from include.datasets import AmountError
from include.firms import MODULES, OPTIONAL_MODULES
from include.run.permanent import is_permanent
from include.simulator.writing import create_shop

LIMIT = 90_000_000_000_000  # of one customer's sales; numeric(18, 4) holds 1.1 times that
UNITS = 1_000_000  # the most on one line that the gate takes
CUSTOMERS, RETURNING, ORDERS = 60, 10, 4
FIRST, AS_OF = date(2024, 2, 16), date(2025, 2, 15)  # 365 days, which revenue_year needs
SOURCE = {"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"}
LONG = "ü" * 300  # an index of Postgres holds keys of up to 2,700 bytes
INSERTS = {
    "customers": "(customer_id, full_name)",
    "products": "(product_id, product_name)",
    "orders": "(order_id, customer_id, ordered_at)",
    "order_lines": "(order_id, line_no, product_id, quantity, gross_amount, cost_amount)",
    "returns": "(return_id, customer_id, returned_at)",
    "return_lines": "(return_id, line_no, product_id, quantity, refund_amount, cost_amount)",
    "campaigns": "(campaign_id, campaign_name, budget_amount)",
    "interactions": "(interaction_id, activity_type, occurred_at, customer_id, campaign_id, cost_amount)",
    "leads": "(lead_id, customer_id, created_at, marketing_cost)",
    "loyalty_movements": "(movement_id, customer_id, occurred_at, points_earned)",
}


def sold(amount: int) -> dict[str, list[tuple]]:
    """Rows of the shop's tables: orders of ``amount`` each; the first customers return all of them."""
    rng = random.Random(8)
    rows: dict[str, list[tuple]] = {table: [] for table in INSERTS}
    rows["products"] = [(f"tea {LONG}", LONG)]
    rows["campaigns"] = [("spring", LONG, amount)]
    for n in range(CUSTOMERS):
        who = f"{n:02} {LONG}"
        rows["customers"].append((who, LONG))
        for k in range(ORDERS):
            order, day = (
                f"{n}-{k}",
                FIRST + timedelta(days=rng.randrange((AS_OF - FIRST).days) if n or k else 0),
            )
            rows["orders"].append((order, who, f"{day} 12:00Z"))
            rows["order_lines"].append((order, "1", f"tea {LONG}", UNITS, amount, 2 * amount))
            rows["interactions"].append((order, "targeted", f"{day} 12:00Z", who, "spring", amount))
            rows["loyalty_movements"].append((order, who, f"{day} 12:00Z", amount))
            if n < RETURNING:
                rows["returns"].append((f"back {order}", who, f"{day} 13:00Z"))
                rows["return_lines"].append((f"back {order}", "1", f"tea {LONG}", UNITS, amount, 2 * amount))
        rows["leads"].append((f"lead {n}", who, f"{FIRST} 00:00Z", amount))
    return rows


@pytest.fixture
def own_database(shop, postgres_server, monkeypatch):
    """The database of a firm with all modules, which reads from it and publishes to it."""
    dsn = postgres.create_database(postgres_server, "limits_own")
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", dsn)
    with psycopg.connect(dsn) as connection:
        create_shop(connection, "shop")
        connection.execute("create schema crm; set search_path to shop")
        for table, rows in sold(LIMIT // ORDERS).items():
            marks = ", ".join(["%s"] * len(rows[0]))
            text = f"insert into {table} {INSERTS[table]} values ({marks})"
            connection.cursor().executemany(text, rows)
    shop.add(
        "acme",
        source=SOURCE,
        modules=(*MODULES, *OPTIONAL_MODULES),
        churn={"min_customers": 50, "min_repeat_buyers": 20, "min_events": 10, "most_cutoffs": 3},
        ltv={"min_customers": 50, "min_repeat_buyers": 20},
        publish={"conn_id": "acme_shop", "schema": "crm"},
    )
    yield dsn
    postgres.drop_database(postgres_server, "limits_own")


def test_a_firm_whose_customers_reach_the_limit_is_loaded_read_and_published(shop, own_database):
    total = (CUSTOMERS - RETURNING) * LIMIT

    shop.run("acme", AS_OF)

    spends = [(0,)] * RETURNING + [(LIMIT,)] * (CUSTOMERS - RETURNING)
    for fact, column in (
        ("fact_customer_rfm", "total_spend"),
        ("fact_customer_rfm", "window_spend"),
        ("fact_customer_ltv", "total_historical_revenue"),
    ):
        query = f"select {column} from analytics.{fact} join analytics.dim_customer using (customer_sk)"
        assert shop.query(f"{query} order by customer_id") == spends
    assert shop.query("select sum(spend) from analytics.fact_campaign_performance") == [(CUSTOMERS * LIMIT,)]
    metrics = dict(shop.query("select metric, metric_value from mart.vw_firm_metric where member = ''"))
    assert metrics["revenue"] == metrics["revenue_year"] == total
    assert metrics["median_spend"] == LIMIT
    assert metrics["avg_order_value"] == LIMIT // ORDERS
    assert float(metrics["return_share"]) == pytest.approx(100 * RETURNING / CUSTOMERS, abs=1e-4)
    assert unreadable(shop) == {}
    published = "select sum(total_spend), count(*) from crm.analytic_customer"
    assert asked(own_database, published) == [(total, CUSTOMERS)]
    assert asked(own_database, "select revenue from crm.analytic_firm_based") == [(total,)]


def asked(dsn, query) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def unreadable(shop) -> dict[str, str]:
    """Views that raise an error when every column of every row is read."""
    found = {}
    with psycopg.connect(shop.dsn, autocommit=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.views where table_schema = 'mart'"
        ).fetchall()
        for (name,) in names:
            try:
                connection.execute(sql.SQL("select * from mart.{}").format(sql.Identifier(name))).fetchall()
            except psycopg.Error as error:
                found[name] = str(error)
    return found


def test_a_customer_whose_total_exceeds_the_limit_stops_the_firm_before_a_snapshot_is_loaded(
    shop, own_database
):
    shop.add("acme", source=SOURCE, modules=("rfm",))
    with psycopg.connect(own_database) as connection:
        connection.execute(
            "insert into shop.orders (order_id, customer_id, ordered_at) "
            "select 'more', customer_id, '2024-08-02 12:00Z' from shop.orders where order_id = '59-0'"
        )
        connection.execute(
            "insert into shop.order_lines (order_id, line_no, product_id, quantity, gross_amount) "
            "select 'more', '1', product_id, 1, %s from shop.order_lines where order_id = '59-0'",
            [LIMIT],
        )

    with pytest.raises(
        AmountError, match=r"total_spend_365_days: 180,000,000,000,000\.0000 of customer_id '59 ü"
    ) as caught:
        shop.run("acme", AS_OF)

    assert is_permanent(caught.value)
    assert shop.query("select count(*) from analytics.fact_customer_rfm") == [(0,)]
