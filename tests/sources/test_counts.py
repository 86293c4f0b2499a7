"""A month counted in the source has as many rows as an extract yields, rejected rows included."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from include import sql_text
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS, TRANSACTIONS
from include.sources import Source
from include.sources.oracle import Oracle
from tests.sources.conftest import AS_OF, firm, month
from tests.sources.oracle_server import PostgresAsOracle

MONTHS = {month("2026-09"): date(2026, 10, 20), month("2026-10"): AS_OF, month("2026-11"): AS_OF}


def given(source: Source, dataset) -> dict:
    return {
        one: sum(batch.num_rows for batch in source.extract(dataset, month=one, as_of=as_of))
        for one, as_of in MONTHS.items()
    }


@pytest.mark.parametrize("dataset", [TRANSACTIONS, INTERACTIONS, LOYALTY_MOVEMENTS], ids=lambda d: d.name)
def test_a_shops_months_are_counted_by_the_server(shop, dataset):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at) select 'o' || n,"
        " timestamptz '2026-09-01 12:00Z' + n * interval '1 day' from generate_series(0, 80) as n",
        "insert into order_lines (order_id, line_no, quantity, gross_amount) select order_id, '1', 1,"
        " case when order_id like '%3' then numeric 'NaN' else 5 end from orders",
        "insert into order_lines (order_id, line_no, quantity, gross_amount) values ('lost', '1', 1, 5)",
        "insert into interactions (interaction_id, activity_type, occurred_at)"
        " select order_id, 'login', ordered_at from orders",
        "insert into loyalty_movements (movement_id, customer_id, occurred_at)"
        " select order_id, 'a', ordered_at from orders",
    )
    source = shop.source()

    counted = source.counts(dataset, MONTHS)

    lost = dataset is TRANSACTIONS  # the current month tells of lines without an order
    assert list(counted.values()) == [30, 31, 20 + lost]
    assert counted == given(source, dataset)


def test_a_files_months_are_counted_in_its_staged_lines(drop):
    days = ["2026-09-19", "2026-09-20", "2026-10-02", "2026-10-02", "2026-11-20", "2026-11-21", "soon"]
    lines = "".join(f"o{n},{day},a,5\n" for n, day in enumerate(days))
    drop.write("sales.csv", "transaction_id,occurred_at,customer_id,net_amount\n" + lines)
    source = drop.source("mapped", timezone="UTC")

    counted = source.counts(TRANSACTIONS, MONTHS)

    assert list(counted.values()) == [2, 2, 2]
    assert counted == given(source, TRANSACTIONS)


def test_a_tenants_months_are_counted_by_the_server(module_warehouse_dsn):
    with psycopg.connect(module_warehouse_dsn) as connection:
        connection.execute("create schema theirs; set search_path = theirs")
        connection.execute(sql_text.read("extract", "oracle", "loyalty"))
        connection.execute(
            "create view all_tab_columns as select upper(table_schema) as owner, upper(table_name) as"
            " table_name, upper(column_name) as column_name from information_schema.columns"
        )
        connection.execute(
            "insert into transactions select 't' || d::date, 'a', d, 5, null, 1, 0,"
            " to_char(d, 'YYYYMMDD')::int, null"
            " from generate_series(timestamp '2026-09-01', '2026-11-30', '1 day') as d"
        )

    def connect(conn_id: str) -> PostgresAsOracle:
        server = PostgresAsOracle(module_warehouse_dsn)
        server._connection.execute("set search_path to theirs")
        return server

    row = {"kind": "oracle", "conn_id": "crm", "schema": "theirs"}
    source = Oracle(firm(row, "UTC"), lambda conn_id: "", connect=connect)

    counted = source.counts(TRANSACTIONS, MONTHS)

    assert list(counted.values()) == [30, 31, 20]
    assert counted == given(source, TRANSACTIONS)
