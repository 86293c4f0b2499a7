"""The Oracle statements turn a tenant into canonical rows; here the same text runs on Postgres."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from include import sql_text
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.sources import SourceError
from include.sources.oracle import Oracle
from tests.sources.conftest import AS_OF, everything, firm, month, reasons, usable
from tests.sources.oracle_server import PostgresAsOracle

CATALOGUE = """
    create or replace view all_tab_columns as
    select upper(table_schema) as owner, upper(table_name) as table_name, upper(column_name) as column_name
    from information_schema.columns
"""
SALE = "insert into transactions values "
POINTS = "insert into loyalty_points values "


@pytest.fixture
def tenant(module_warehouse_dsn):
    class Tenant:
        def __init__(self) -> None:
            self.opened: list[PostgresAsOracle] = []
            self.schemas: list[str] = []
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(CATALOGUE)
            self.create("acme_dwh")

        def create(self, schema: str) -> None:
            self.schema = schema
            self.schemas.append(schema)
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'create schema "{schema}"')
                connection.execute(f'set search_path to "{schema}"')
                connection.execute(sql_text.read("extract", "oracle", "loyalty"))

        def run(self, *statements: str) -> None:
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'set search_path to "{self.schema}"')
                for statement in statements:
                    connection.execute(statement)

        def connect(self, conn_id: str) -> PostgresAsOracle:
            connection = PostgresAsOracle(module_warehouse_dsn)
            connection._connection.execute("set search_path to public")
            self.opened.append(connection)
            return connection

        def source(self, timezone: str = "Europe/Istanbul", schema: str = "") -> Oracle:
            row = {"kind": "oracle", "conn_id": "crm", "schema": schema or self.schema}
            return Oracle(firm(row, timezone), lambda conn_id: "", connect=self.connect)

    made = Tenant()
    yield made
    with psycopg.connect(module_warehouse_dsn) as connection:
        for schema in made.schemas:
            connection.execute(f'drop schema "{schema}" cascade')


def test_a_sale_is_canonical_and_exact(tenant):
    tenant.run(
        "insert into transactions values ('t1', '00123', '2026-11-03 10:00', 90071992547409.9301,"
        " 90071992547409.9300, 1, 0, 20261103, '7')"
    )

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert row == {
        "transaction_id": "t1",
        "line_id": "1",
        "kind": "sale",
        "occurred_at": datetime(2026, 11, 3, 7, tzinfo=UTC),
        "order_date": date(2026, 11, 3),
        "customer_id": "00123",
        "product_id": None,
        "quantity": Decimal(1),
        "gross_amount": Decimal("90071992547409.9301"),
        "discount_amount": Decimal("0.0001"),
        "net_amount": Decimal("90071992547409.9300"),
        "margin_amount": None,
        "channel": None,
        "payment_method": None,
        "programme_id": "7",
        "rejected_reason": None,
        "source_row": None,
    }


@pytest.mark.parametrize("amount", ["7.25, null", "-7.25, null", "10, 7.25", "-10, -7.25"])
def test_a_return_is_positive_whatever_its_sign_in_the_source(tenant, amount):
    tenant.run(SALE + f"('t1', 'a', '2026-11-03', {amount}, 3, 0, 20261103, null)")

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert (row["kind"], row["net_amount"], row["rejected_reason"]) == ("return", Decimal("7.25"), None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("'t', 'a', '2026-11-03', 5, 5, 1, 1, 20261103", "deleted"),
        ("'', 'a', '2026-11-03', 5, 5, 1, 0, 20261103", "missing_id"),
        ("null, 'a', '2026-11-03', 5, 5, 1, 0, 20261103", "missing_id"),
        ("'t', 'a', null, 5, 5, 1, 0, 20261103", "bad_date"),
        ("'t', 'a', '9999-12-31', 5, 5, 1, 0, 20261103", "bad_date"),
        ("'t', 'a', '2026-11-03', 5, 5, 1, 0, null", "bad_date"),
        ("'t', 'a', '2026-11-03', 5, 5, 1, 0, 0", "bad_date"),
        ("'t', 'a', '2026-10-03', 5, 5, 1, 0, 20261103", "dates_disagree"),
        ("'t', 'a', '2026-11-20', 5, 5, 1, 0, 20261103", "dates_disagree"),
        ("'t', 'a', '2026-11-03', 5, 5, 2, 0, 20261103", "unknown_state"),
        ("'t', 'a', '2026-11-03', 5, 5, null, 0, 20261103", "unknown_state"),
        ("'t', 'a', '2026-11-03', null, 5, 1, 0, 20261103", "missing_number"),
        ("'t', 'a', '2026-11-03', 'NaN', 5, 1, 0, 20261103", "bad_number"),
        ("'t', 'a', '2026-11-03', -5, -5, 1, 0, 20261103", "negative_amount"),
        ("'t', 'a', '2026-11-03', 5, 6, 1, 0, 20261103", "net_over_gross"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_once_with_its_reason(tenant, values, reason):
    good = "('good', 'a', '2026-09-03', 5, 5, 1, 0, 20260903, null)"
    tenant.run(SALE + good + f", ({values}, null)")

    rows = everything(tenant.source(), TRANSACTIONS)

    assert reasons(rows) == [reason]
    assert [row["transaction_id"] for row in usable(rows)] == ["good"]
    (rejected,) = [row for row in rows if row["rejected_reason"]]
    assert json.loads(rejected["source_row"])["rejected_reason"] == reason


def test_numbers_wider_than_money_are_rejected_not_rounded(tenant):
    tenant.run(
        "alter table transactions alter column amount type numeric",
        SALE + "('t', 'a', '2026-11-03', 1e14, null, 1, 0, 20261103, null),"
        " ('u', 'a', '2026-11-03', 'infinity', null, 1, 0, 20261103, null)",
    )

    assert reasons(everything(tenant.source(), TRANSACTIONS)) == ["bad_number"] * 2


def test_a_key_may_be_one_day_off_the_transactions_date(tenant):
    tenant.run(
        SALE + "('t', 'a', '2026-11-01 00:40', 5, null, 1, 0, 20261031, null),"
        " ('u', 'a', '2026-10-31 23:40', 5, null, 1, 0, 20261101, null)"
    )
    source = tenant.source()

    rows = everything(source, TRANSACTIONS)
    october = [
        row["transaction_id"]
        for batch in source.extract(TRANSACTIONS, month=month("2026-10"), as_of=AS_OF)
        for row in batch.to_pylist()
    ]

    assert {row["transaction_id"]: row["order_date"] for row in rows} == {
        "t": date(2026, 11, 1),
        "u": date(2026, 10, 31),
    }
    assert len(rows) == 2
    assert october == ["u"]


def test_nothing_on_or_after_as_of_is_seen(tenant):
    tenant.run(
        SALE + "('before', 'a', '2026-11-20 23:59:59', 5, 5, 1, 0, 20261120, null),"
        " ('on', 'a', '2026-11-21 00:00', 5, 5, 1, 0, 20261121, null),"
        " ('night', 'a', '2026-11-21 00:30', 5, 5, 1, 0, 20261120, null),"
        " ('undated', 'a', null, 5, 5, 1, 0, 20261121, null)",
        POINTS + "('a', 1, 0, '2026-11-20 23:59:59', 'p'), ('a', 1, 0, '2026-11-21', 'p')",
    )
    source = tenant.source()

    assert [row["transaction_id"] for row in everything(source, TRANSACTIONS)] == ["before"]
    assert [row["order_date"] for row in everything(source, LOYALTY_MOVEMENTS)] == [date(2026, 11, 20)]


def test_a_local_time_becomes_an_instant_in_the_firms_zone(tenant):
    tenant.run(
        SALE + "('twice', 'a', '2026-10-25 01:30', 5, 5, 1, 0, 20261025, null),"
        " ('never', 'a', '2026-03-29 01:30', 5, 5, 1, 0, 20260329, null)"
    )

    rows = {row["transaction_id"]: row for row in everything(tenant.source("Europe/London"), TRANSACTIONS)}

    assert rows["twice"]["occurred_at"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert rows["never"]["occurred_at"] == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [row["order_date"] for row in rows.values()] == [date(2026, 3, 29), date(2026, 10, 25)]


def test_empty_text_is_null_as_in_oracle(tenant):
    tenant.run(
        SALE + "('t', '', '2026-11-03', 5, 5, 1, 0, 20261103, '')",
        "insert into customers values ('a', '1980-02-29', '', ''), ('b', '0044-03-15 BC', 'F', 'İzmir')",
        "insert into customers values ('', null, null, null)",
    )
    source = tenant.source()

    (sale,) = everything(source, TRANSACTIONS)
    customers = everything(source, CUSTOMERS)

    assert (sale["customer_id"], sale["programme_id"]) == (None, None)
    assert reasons(customers) == ["missing_id"]
    assert [
        (row["customer_id"], row["birth_date"], row["gender"], row["city"]) for row in usable(customers)
    ] == [("a", date(1980, 2, 29), None, None), ("b", None, "F", "İzmir")]


def test_a_schema_may_have_a_column_of_consent(tenant):
    row = "insert into customers (unique_customer_id, may_contact) values "
    tenant.run(row + "('a', 1), ('b', 0), ('c', null)")
    known = {row["customer_id"]: row["may_contact"] for row in everything(tenant.source(), CUSTOMERS)}
    tenant.run("alter table customers drop column may_contact")

    assert known == {"a": True, "b": False, "c": None}
    assert {row["may_contact"] for row in everything(tenant.source(), CUSTOMERS)} == {None}


def test_keys_are_read_unchanged(tenant):
    odd = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "İğ", "a'b--", "👩‍👧"]
    for key in odd:
        tenant.run("insert into customers (unique_customer_id) values ('" + key.replace("'", "''") + "')")

    assert {row["customer_id"] for row in everything(tenant.source(), CUSTOMERS)} == set(odd)


def test_numeric_keys_become_plain_text(tenant):
    tenant.run(
        "alter table transactions alter column transaction_id type numeric(38, 0) using 0",
        SALE + "(12345678901234567890123456789012345678, 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)",
    )

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert row["transaction_id"] == "12345678901234567890123456789012345678"


def test_a_movement_of_points_gets_a_key_from_its_content(tenant):
    tenant.run(
        POINTS
        + "('a', 10.5, 0, '2026-11-03 09:05:06', 'gold'), ('a', 10.5, 0, '2026-11-03 09:05:06', 'gold'),"
        " ('a', null, 3, '2026-11-04', 'gold'), ('', 1, 0, '2026-11-04', 'gold'),"
        " ('a', null, null, '2026-11-04', 'gold'), ('a', -1, 0, '2026-11-04', 'gold'),"
        " ('a', 1, 0, null, 'gold'), ('a', 'NaN', 0, '2026-11-04', 'gold')"
    )

    rows = everything(tenant.source(), LOYALTY_MOVEMENTS)

    assert {row["movement_id"]: (row["points_earned"], row["points_used"]) for row in usable(rows)} == {
        "a/20261103/1090506/1": (Decimal("10.5"), 0),
        "a/20261103/1090506/2": (Decimal("10.5"), 0),
        "a/20261104/1000000/1": (0, 3),
    }
    assert reasons(rows) == [
        "bad_date",
        "bad_number",
        "missing_customer",
        "missing_number",
        "negative_points",
    ]


def test_an_empty_schema_is_no_error(tenant):
    source = tenant.source()

    assert source.first_month(TRANSACTIONS) is None
    assert source.first_month(LOYALTY_MOVEMENTS) is None
    assert everything(source, CUSTOMERS) == []
    assert not source.offers(PRODUCTS)


@pytest.mark.parametrize("key", ["null", "0", "19800101"])
def test_a_table_without_a_usable_key_is_an_error(tenant, key):
    tenant.run(SALE + f"('t', 'a', '2026-11-03', 5, 5, 1, 0, {key}, null)")

    with pytest.raises(SourceError, match="transactions has rows, but none with a date from 1990-01-01 on"):
        tenant.source().first_month(TRANSACTIONS)


@pytest.mark.parametrize(
    ("key", "first"), [(20260931, "2026-09"), (20261301, "2026-12"), (20261101, "2026-10")]
)
def test_the_first_month_allows_for_a_key_one_day_late(tenant, key, first):
    tenant.run(SALE + f"('t', 'a', '2026-11-03', 5, 5, 1, 0, {key}, null)")

    assert str(tenant.source().first_month(TRANSACTIONS)) == first


def test_a_tenant_reads_only_its_own_schema(tenant):
    tenant.run(SALE + "('theirs', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")
    tenant.create("select")
    tenant.run(SALE + "('ours', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")

    rows = everything(tenant.source(), TRANSACTIONS)

    assert [row["transaction_id"] for row in rows] == ["ours"]


def test_no_name_or_value_is_written_into_a_statement(tenant):
    tenant.run(SALE + "('t', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")

    everything(tenant.source(), TRANSACTIONS)
    sent = {text for connection in tenant.opened for text, _ in connection.statements}

    assert sent == {
        sql_text.read("extract", "oracle", name)
        for name in ("catalogue", "transactions_first", "transactions")
    }


def test_what_is_missing_is_named(tenant):
    tenant.run("alter table transactions drop column is_deleted", "drop table customers, loyalty_points")
    source = tenant.source()

    with pytest.raises(SourceError, match=r"TRANSACTIONS has no columns \['IS_DELETED'\]; see docs"):
        source.first_month(TRANSACTIONS)
    with pytest.raises(SourceError, match="missing table CUSTOMERS"):
        everything(source, CUSTOMERS)
    with pytest.raises(
        SourceError, match="schema 'NOBODY': no such schema, or this login cannot read any table"
    ):
        tenant.source(schema="nobody").first_month(TRANSACTIONS)
    assert not source.offers(LOYALTY_MOVEMENTS)


def test_one_data_set_through_two_adapters_is_the_same(tenant, shop):
    shop.create()
    shop.run(
        "insert into orders values ('t1', '', '2026-11-03 07:00Z', 'completed', '', null, '7')",
        "insert into order_lines values ('t1', '1', '', 1, 10.5, 0.25, 0, null)",
    )
    tenant.run(SALE + "('t1', '', '2026-11-03 10:00', 10.5, 10.25, 1, 0, 20261103, '7')")

    assert everything(tenant.source(), TRANSACTIONS) == everything(
        shop.source("Europe/Istanbul"), TRANSACTIONS
    )
