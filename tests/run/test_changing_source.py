"""A firm's system is written to between two steps of a run: nothing is lost; the next run puts it right."""

from __future__ import annotations

from datetime import timedelta

import psycopg

from tests.run.source import fill
from tests.run.test_pipeline import AS_OF

STEPS = ("extract_transactions", "load_dim_customer", "load_fact_sales")


def known(shop) -> list[tuple]:
    return shop.query(
        "select transaction_id, customer_id, as_of from analytics.fact_sales "
        "join analytics.dim_customer using (firm_sk, customer_sk) where transaction_id = 'between'"
    )


def test_a_sale_to_a_customer_who_came_between_two_steps_is_kept_and_known_the_next_day(shop, monkeypatch):
    fill(shop.dsn, "till", customers=20, as_of=AS_OF)
    monkeypatch.setenv("AIRFLOW_CONN_TILL", shop.dsn)
    shop.add("acme", source={"kind": "postgres", "conn_id": "till", "schema": "till"})
    shop.run("acme", AS_OF, only=["extract_customers"])
    with psycopg.connect(shop.dsn) as connection:
        connection.execute(
            "set search_path = till;"
            "insert into customers (customer_id, created_at) values ('new', '2025-02-20Z');"
            "insert into orders (order_id, customer_id, ordered_at) values ('between', 'new', '2025-02-27Z');"
            "insert into order_lines (order_id, line_no, quantity, gross_amount)"
            " values ('between', '1', 1, 5)"
        )

    shop.run("acme", AS_OF, only=STEPS)
    same_day = known(shop)
    shop.run("acme", AS_OF + timedelta(1), only=["extract_customers", *STEPS])

    assert same_day == [("between", "new", None)]
    assert known(shop) == [("between", "new", AS_OF + timedelta(1))]
