"""Impossible days: every kind of source counts each once and keeps the original text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include import sql_text
from include.datasets.engagement import DIRECTORY, INTERACTIONS, LEADS
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, TRANSACTIONS
from include.sources import open_source
from include.sources.oracle import Oracle
from tests.sources.conftest import everything, firm, reasons, usable
from tests.sources.oracle_server import PostgresAsOracle

# What a database or a spreadsheet writes for "never", "unknown" and a slip of the finger.
WRITTEN = (
    "0044-03-15 BC", "0001-01-01", "1899-12-30", "1989-12-31", "2101-01-01", "9999-12-31", "10000-01-01",
    "infinity", "-infinity",
)  # fmt: skip
OF_A_FILE = (*WRITTEN, "20261103", "2026-13-01", "2026-02-29", "03/11/2026", "NaT", "0000-00-00")
GOOD = "2026-11-03"

SHOP = {
    "orders": (
        TRANSACTIONS,
        "insert into orders (order_id, ordered_at) values ('{key}', '{at}');"
        "insert into order_lines (order_id, line_no, quantity, gross_amount) values ('{key}', '1', 1, 5)",
    ),
    "returns": (
        TRANSACTIONS,
        "insert into returns (return_id, returned_at) values ('{key}', '{at}');"
        "insert into return_lines values ('{key}', '1', 'p', 1, 5, null)",
    ),
    "points": (
        LOYALTY_MOVEMENTS,
        "insert into loyalty_movements (movement_id, customer_id, occurred_at) values ('{key}', 'a', '{at}')",
    ),
    "events": (
        INTERACTIONS,
        "insert into interactions (interaction_id, activity_type, occurred_at)"
        " values ('{key}', 'login', '{at}')",
    ),
    "leads": (LEADS, "insert into leads (lead_id, created_at) values ('{key}', '{at}')"),
}


def holds(rows: list[dict], written: tuple[str, ...] = WRITTEN) -> bool:
    """Whether each rejected row still says when it was dated."""
    result = "\n".join(row["source_row"] for row in rows if row["rejected_reason"])
    return all(text.split(" ")[0] in result for text in written)


@pytest.mark.parametrize("table", SHOP)
def test_an_impossible_day_is_counted_once_in_a_shop(shop, table):
    dataset, insert = SHOP[table]
    shop.create()
    shop.run(*[insert.format(key=at, at=at) for at in (GOOD, *WRITTEN)])

    rows = everything(shop.source("UTC"), dataset)

    assert len(usable(rows)) == 1
    assert reasons(rows) == ["bad_date"] * len(WRITTEN)
    assert holds(rows)


def test_a_customer_with_an_impossible_joining_day_is_read(shop):
    shop.create()
    insert = "insert into customers (customer_id, created_at) values ('{0}', '{0}')"
    shop.run(*[insert.format(at) for at in (GOOD, *WRITTEN)])

    joined = {row["customer_id"]: row["joined_date"] for row in everything(shop.source("UTC"), CUSTOMERS)}

    assert joined == dict.fromkeys(WRITTEN) | {GOOD: date(2026, 11, 3), "1989-12-31": date(1989, 12, 31)}


def test_a_campaign_with_an_impossible_day_is_read(shop):
    shop.create()
    insert = "insert into campaigns (campaign_id, created_at) values ('{0}', '{0}')"
    shop.run(*[insert.format(at) for at in WRITTEN])

    codes = [row["code"] for row in usable(everything(shop.source("UTC"), DIRECTORY))]

    assert sorted(codes) == sorted(WRITTEN)


LAYOUTS = {
    "mapped": ("transaction_id,occurred_at,customer_id,net_amount\n", "{key},{at},a,5\n"),
    "online_retail": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
        "{key},1,TEA,1,{at},1.5,1,X\n",
    ),
    "cdnow": ("customer_id,date,cds,spend\n", "c{key},{at},1,5\n"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_impossible_day_is_counted_once_in_a_file(drop, layout):
    header, line = LAYOUTS[layout]
    # To CDNOW eight digits are a day.
    written = tuple(at for at in OF_A_FILE if layout != "cdnow" or at != "20261103")
    lines = [line.format(key=i, at=at) for i, at in enumerate((GOOD, *written))]
    drop.write("sales.csv", header + "".join(lines))

    rows = everything(drop.source(layout, timezone="UTC"), TRANSACTIONS)

    assert len(usable(rows)) == 1
    assert reasons(rows) == ["bad_date"] * len(written)
    assert holds(rows, written)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_a_parquet_file_follow_the_same_rules(drop, unit):
    days = ("0001-01-01", "1899-12-30", "2101-01-01", "9999-12-31", "10000-01-01", "-9999-01-01")
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    since_1970 = [int((datetime.fromisoformat(GOOD).replace(tzinfo=UTC)).timestamp()), -62135596800]
    since_1970 += [-2209161600, 4133980800, 253402214400, 253402300800, -377705116800]
    kept = [(day, at * per_second) for day, at in zip((GOOD, *days), since_1970, strict=True)]
    kept = [(day, at) for day, at in kept if abs(at) < 2**63]  # nanoseconds end in 1677 and 2262
    table = pa.table(
        {
            "transaction_id": [day for day, _ in kept],
            "occurred_at": pa.array([at for _, at in kept], pa.timestamp(unit)),
            "customer_id": ["a"] * len(kept),
            "net_amount": [5] * len(kept),
        }
    )
    drop.write("sales.parquet", b"")
    pq.write_table(table, drop.folder / "sales.parquet")

    rows = everything(drop.source("mapped", timezone="UTC"), TRANSACTIONS)

    assert [row["transaction_id"] for row in usable(rows)] == [GOOD]
    assert reasons(rows) == ["bad_date"] * (len(kept) - 1)


@pytest.fixture
def database(module_warehouse_dsn) -> Iterator[psycopg.Connection]:
    """A schema of another system."""
    with psycopg.connect(module_warehouse_dsn, autocommit=True) as connection:
        connection.execute("create schema theirs; set search_path = theirs")
        yield connection
        connection.execute("drop schema theirs cascade")


ODOO = {
    "orders": (
        TRANSACTIONS,
        "insert into sale_order (id, name, company_id, partner_id, state, date_order)"
        " values ({n}, 'S', 1, 10, 'sale', '{at}');"
        "insert into sale_order_line (id, order_id, product_id, product_uom_qty, price_subtotal)"
        " values ({n}, {n}, 5, 1, 5)",
    ),
    "credit notes": (
        TRANSACTIONS,
        "insert into account_move (id, company_id, partner_id, move_type, state, invoice_date)"
        " values ({n}, 1, 10, 'out_refund', 'posted', '{at}');"
        "insert into account_move_line (id, move_id, product_id, quantity, balance, display_type)"
        " values ({n}, {n}, 5, 1, 5, 'product')",
    ),
    "points": (
        LOYALTY_MOVEMENTS,
        "insert into loyalty_history (id, card_id, create_date, issued) values ({n}, 1, '{at}', 5)",
    ),
}


@pytest.mark.parametrize("table", ODOO)
def test_an_impossible_day_is_counted_once_in_odoo(database, module_warehouse_dsn, table):
    dataset, insert = ODOO[table]
    database.execute(Path(__file__).with_name("odoo.sql").read_text())
    database.execute("insert into res_partner (id, name, commercial_partner_id) values (10, 'Ann', 10)")
    database.execute(
        "create table loyalty_card (id integer, program_id integer, partner_id integer, company_id integer);"
        "create table loyalty_history (id integer, card_id integer, issued float8, used float8,"
        " order_model text, order_id integer, create_date timestamp);"
        "insert into loyalty_card values (1, 4, 10, null)"
    )
    for n, at in enumerate((GOOD, *WRITTEN), start=1):
        database.execute(insert.format(n=n, at=at))
    row = {"kind": "odoo", "conn_id": "erp", "schema": "theirs"}

    rows = everything(open_source(firm(row, "UTC"), lambda conn_id: module_warehouse_dsn), dataset)

    assert len(usable(rows)) == 1
    assert reasons(rows) == ["bad_date"] * len(WRITTEN)
    assert holds(rows)


LOYALTY = {
    "sales": (
        TRANSACTIONS,
        "insert into transactions values ('{at}', 'a', '{at}', 5, null, 1, 0, {day}, null)",
    ),
    "points": (LOYALTY_MOVEMENTS, "insert into loyalty_points values ('a', 5, 0, '{at}', null)"),
}


@pytest.mark.parametrize("table", LOYALTY)
def test_an_impossible_day_is_counted_once_in_oracle(database, module_warehouse_dsn, table):
    dataset, insert = LOYALTY[table]
    database.execute(sql_text.read("extract", "oracle", "loyalty"))
    database.execute(
        "create view all_tab_columns as select upper(table_schema) as owner, upper(table_name) as table_name,"
        " upper(column_name) as column_name from information_schema.columns"
    )
    keys = (
        "20261103",
        "null",
        "10101",
        "18991230",
        "19891231",
        "21010101",
        "99991231",
        "20261103",
        "20261104",
    )
    for at, day in zip((GOOD, *WRITTEN), (*keys, "0"), strict=True):
        database.execute(insert.format(at=at, day=day))

    def connect(conn_id: str) -> PostgresAsOracle:
        server = PostgresAsOracle(module_warehouse_dsn)
        server._connection.execute("set search_path to theirs")
        return server

    row = {"kind": "oracle", "conn_id": "crm", "schema": "theirs"}
    rows = everything(Oracle(firm(row, "UTC"), lambda conn_id: "", connect=connect), dataset)

    assert len(usable(rows)) == 1
    assert reasons(rows) == ["bad_date"] * len(WRITTEN)
    assert holds(rows, WRITTEN[1:7])


def test_a_sale_with_a_future_date_is_read_when_its_day_has_passed(shop):
    dataset, insert = SHOP["orders"]
    shop.create()
    shop.run(*[insert.format(key=at, at=at) for at in (GOOD, "2026-11-22")])
    source = shop.source("UTC")

    before = everything(source, dataset, date(2026, 11, 22))
    after = everything(source, dataset, date(2026, 11, 23))

    assert [row["transaction_id"] for row in before] == [GOOD]
    assert [row["transaction_id"] for row in after] == [GOOD, "2026-11-22"]
