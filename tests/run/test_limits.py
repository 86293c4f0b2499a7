"""A whole run at the limit of the contracts' amounts: gate, queries, models, loads, views, publication."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from include import postgres
from include.firms import MODULES, OPTIONAL_MODULES
from include.simulator.writing import create_shop

LIMIT = 90_000_000_000_000  # of one customer's sales; numeric(18, 4) holds 1.1 times that
UNITS = 1_000_000  # the most on one line that the gate takes
CUSTOMERS, ORDERS = 60, 4
FIRST, AS_OF = date(2023, 6, 1), date(2025, 2, 15)
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
    """Rows of the shop's tables: orders of ``amount`` each; the first ten customers return all of them."""
    rng = random.Random(8)
    rows: dict[str, list[tuple]] = {table: [] for table in INSERTS}
    rows["products"] = [(f"tea {LONG}", LONG)]
    rows["campaigns"] = [("spring", LONG, amount)]
    for n in range(CUSTOMERS):
        who = f"{n:02} {LONG}"
        rows["customers"].append((who, LONG))
        for k in range(ORDERS):
            order, day = f"{n}-{k}", FIRST + timedelta(days=rng.randrange((AS_OF - FIRST).days))
            rows["orders"].append((order, who, f"{day} 12:00Z"))
            rows["order_lines"].append((order, "1", f"tea {LONG}", UNITS, amount, 2 * amount))
            rows["interactions"].append((order, "targeted", f"{day} 12:00Z", who, "spring", amount))
            rows["loyalty_movements"].append((order, who, f"{day} 12:00Z", amount))
            if n < 10:
                rows["returns"].append((order, who, f"{day} 13:00Z"))
                rows["return_lines"].append((order, "1", f"tea {LONG}", UNITS, amount, 2 * amount))
        rows["leads"].append((f"lead {n}", who, f"{FIRST} 00:00Z", amount))
    return rows


@pytest.fixture
def run_whole(shop, postgres_server, monkeypatch):
    """Run every module of a firm whose orders are of one amount; the database that it publishes to."""
    names = []

    def run(amount: int) -> str:
        names.append(f"limits_{len(names)}")
        dsn = postgres.create_database(postgres_server, names[-1])
        monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", dsn)
        key = f"firm{len(names)}"
        with psycopg.connect(dsn) as connection:
            create_shop(connection, "shop")
            connection.execute("create schema crm; set search_path to shop")
            for table, rows in sold(amount).items():
                marks = ", ".join(["%s"] * len(rows[0]))
                text = f"insert into {table} {INSERTS[table]} values ({marks})"
                connection.cursor().executemany(text, rows)
        shop.add(
            key,
            source=SOURCE,
            modules=(*MODULES, *OPTIONAL_MODULES),
            churn={"min_customers": 50, "min_repeat_buyers": 20, "min_events": 10, "most_cutoffs": 3},
            ltv={"min_customers": 50, "min_repeat_buyers": 20},
            publish={"conn_id": "acme_shop", "schema": "crm"},
        )
        shop.run(key, AS_OF)
        return dsn

    yield run
    for name in names:
        postgres.drop_database(postgres_server, name)


def test_a_firm_at_the_limit_has_the_facts_of_a_small_one_in_larger_numbers(shop, run_whole):
    factor = LIMIT // ORDERS // 2

    small_dsn, large_dsn = run_whole(2), run_whole(2 * factor)

    by_customer = {
        "fact_customer_rfm": ("total_spend", "total_spend_365_days", "window_spend", "avg_order_value"),
        "fact_customer_ltv": ("total_historical_revenue", "avg_order_value"),
        "fact_customer_churn_risk": ("spend_last_30_days", "spend_last_90_days"),
    }
    for fact, columns in by_customer.items():
        small, large = amounts(shop, fact, "firm1", columns), amounts(shop, fact, "firm2", columns)
        assert len(large) == CUSTOMERS
        assert large == [(who, *(factor * amount for amount in rest)) for who, *rest in small]
    small, large = metrics(shop, "firm1"), metrics(shop, "firm2")
    assert large["revenue"] == (CUSTOMERS - 10) * LIMIT
    assert {name: large[name] / factor for name in ("revenue", "revenue_year", "median_spend")} == {
        name: small[name] for name in ("revenue", "revenue_year", "median_spend")
    }
    for name in ("orders", "customers", "retention_rate", "return_share", "top_tenth_share"):
        assert large[name] == pytest.approx(small[name], rel=1e-9)
    assert unreadable(shop, "firm2") == {}
    told = "select count(*), sum(total_spend) from crm.analytic_customer"
    assert [asked(dsn, told) for dsn in (small_dsn, large_dsn)] == [
        [(CUSTOMERS, 8 * (CUSTOMERS - 10))], [(CUSTOMERS, (CUSTOMERS - 10) * LIMIT)]
    ]  # fmt: skip
    assert asked(large_dsn, "select revenue from crm.analytic_firm_based") == [((CUSTOMERS - 10) * LIMIT,)]


def amounts(shop, fact, key, columns) -> list[tuple]:
    return shop.query(
        f"select customer_id, {', '.join(columns)} from analytics.{fact} "
        "join analytics.dim_firm using (firm_sk) join analytics.dim_customer using (firm_sk, customer_sk) "
        "where firm_key = %s order by 1",
        key,
    )


def metrics(shop, key) -> dict[str, Decimal]:
    return dict(
        shop.query(
            "select metric, metric_value from mart.vw_firm_metric where member = '' and firm_key = %s", key
        )
    )


def asked(dsn, query) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def unreadable(shop, key) -> dict[str, str]:
    """Views that raise an error when every column of every row of the firm is read."""
    found = {}
    with psycopg.connect(shop.dsn, autocommit=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.views where table_schema = 'mart'"
        ).fetchall()
        for (name,) in names:
            try:
                connection.execute(
                    sql.SQL("select * from mart.{} where firm_key = %s").format(sql.Identifier(name)), [key]
                ).fetchall()
            except psycopg.Error as error:
                found[name] = str(error)
    return found
