"""A shop's tables in Postgres become canonical rows."""

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.sources import BATCH_ROWS, SourceError
from tests.sources.conftest import AS_OF, everything, month, reasons, usable
from tests.sources.shop import LINE, ORDER


def test_a_sale_line_is_canonical_and_exact(shop):
    shop.create()
    shop.run(
        "insert into orders"
        " values ('o1', '00123', '2026-11-03 10:00Z', 'completed', 'web', 'card', 'points')",
        "insert into order_lines values ('o1', '1', 'p1', 3, 90071992547409.9301, 0.0001, 0, 1.5)",
    )

    (row,) = everything(shop.source(), TRANSACTIONS)

    assert row == {
        "transaction_id": "o1",
        "line_id": "1",
        "kind": "sale",
        "occurred_at": datetime(2026, 11, 3, 10, tzinfo=UTC),
        "order_date": date(2026, 11, 3),
        "customer_id": "00123",
        "product_id": "p1",
        "quantity": Decimal(3),
        "gross_amount": Decimal("90071992547409.9301"),
        "discount_amount": Decimal("0.0001"),
        "net_amount": Decimal("90071992547409.9300"),
        "margin_amount": Decimal("90071992547408.4300"),
        "channel": "web",
        "payment_method": "card",
        "programme_id": "points",
        "rejected_reason": None,
        "source_row": None,
    }


def test_a_return_has_its_own_date_and_a_positive_amount(shop):
    shop.create()
    shop.run(
        "insert into returns (return_id, customer_id, returned_at) values ('r1', 'a', '2026-11-05Z')",
        "insert into return_lines values ('r1', '1', 'p', 2, 7.25, 4)",
    )

    (row,) = everything(shop.source(), TRANSACTIONS)

    assert (row["kind"], row["order_date"]) == ("return", date(2026, 11, 5))
    assert (row["net_amount"], row["margin_amount"]) == (Decimal("7.25"), Decimal("3.25"))


def test_a_sale_without_a_customer_has_a_null_customer(shop):
    shop.create()
    shop.run(
        ORDER + "('o1', null, '2026-11-03Z'), ('o2', '', '2026-11-03Z')",
        LINE + "('o1', '1', 'p', 1, 5, 0), ('o2', '1', 'p', 1, 5, 0)",
    )

    rows = everything(shop.source(), TRANSACTIONS)

    assert [row["customer_id"] for row in usable(rows)] == [None, None]


def test_a_cancelled_order_is_counted_and_not_used(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at, status) values ('o1', '2026-11-03Z', 'cancelled')",
        LINE + "('o1', '1', 'p', 1, 5, 0)",
    )

    rows = everything(shop.source(), TRANSACTIONS)

    assert reasons(rows) == ["cancelled_order"]
    assert '"transaction_id":"o1"' in rows[0]["source_row"]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ("'NaN', 5, 0", "bad_number"),
        ("1, 'NaN', 0", "bad_number"),
        ("1, 5, 'NaN'", "bad_number"),
        ("-1, 5, 0", "negative_quantity"),
        ("1, -5, 0", "negative_amount"),
        ("1, 5, -1", "negative_amount"),
        ("1, 5, 6", "discount_over_gross"),
    ],
)
def test_a_number_that_cannot_be_used_is_rejected_with_its_reason(shop, numbers, reason):
    shop.create()
    shop.run(ORDER + "('o1', 'a', '2026-11-03Z')", LINE + f"('o1', '1', 'p', {numbers})")

    assert reasons(everything(shop.source(), TRANSACTIONS)) == [reason]


def test_numbers_wider_than_money_are_rejected_not_rounded(shop):
    shop.create()
    shop.run(
        "alter table order_lines alter column gross_amount type numeric",
        ORDER + "('o1', 'a', '2026-11-03Z'), ('o2', 'a', '2026-11-03Z'), ('o3', 'a', '2026-11-03Z')",
        LINE
        + "('o1', '1', 'p', 1, 1e14, 0), ('o2', '1', 'p', 1, 'infinity', 0), ('o3', '1', 'p', 1, 1e400, 0)",
    )

    assert reasons(everything(shop.source(), TRANSACTIONS)) == ["bad_number"] * 3


def test_rows_without_a_usable_date_are_counted_once_in_the_current_month(shop):
    shop.create()
    shop.run(
        "alter table orders alter column ordered_at drop not null",
        ORDER + "('o1', 'a', '2026-09-03Z'), ('o2', 'a', null), ('o3', 'a', '0001-01-01Z'),"
        " ('o4', 'a', '-infinity')",
        LINE + "('o1', '1', 'p', 1, 5, 0), ('o2', '1', 'p', 1, 5, 0), ('o3', '1', 'p', 1, 5, 0),"
        " ('o4', '1', 'p', 1, 5, 0)",
    )
    source = shop.source()

    rows = everything(source, TRANSACTIONS)
    earlier = list(source.extract(TRANSACTIONS, month=month("2026-09"), as_of=AS_OF))

    assert reasons(rows) == ["bad_date"] * 3
    assert len(usable(rows)) == 1
    assert [batch.num_rows for batch in earlier] == [1]


def test_lines_without_an_order_are_counted(shop):
    shop.create()
    shop.run(
        ORDER + "('o1', 'a', '2026-11-03Z')",
        LINE + "('o1', '1', 'p', 1, 5, 0), ('lost', '1', 'p', 1, 5, 0)",
        "insert into return_lines values ('lost', '1', 'p', 1, 5, null)",
    )

    rows = everything(shop.source(), TRANSACTIONS)

    assert reasons(rows) == ["missing_order", "missing_return"]
    assert len(usable(rows)) == 1


def test_a_table_without_a_usable_date_is_an_error(shop):
    shop.create()
    shop.run(ORDER + "('o1', 'a', '1980-01-01Z')", LINE + "('o1', '1', 'p', 1, 5, 0)")

    with pytest.raises(SourceError, match="transactions has rows, but none with a date from 1990-01-01 on"):
        shop.source().first_month(TRANSACTIONS)


def test_an_empty_shop_is_no_error(shop):
    shop.create()
    source = shop.source()

    assert source.first_month(TRANSACTIONS) is None
    assert everything(source, CUSTOMERS) == everything(source, PRODUCTS) == []


def test_nothing_on_or_after_as_of_is_seen(shop):
    shop.create()
    shop.run(
        ORDER
        + "('before', 'a', '2026-11-20 23:59:59Z'), ('on', 'a', '2026-11-21Z'), ('x', 'a', '2100-12-31Z')",
        LINE + "('before', '1', 'p', 1, 5, 0), ('on', '1', 'p', 1, 5, 0), ('x', '1', 'p', 1, 5, 0)",
        "insert into customers (customer_id, created_at) values ('a', '2026-11-20Z'), ('b', '2026-11-21Z')",
    )
    source = shop.source()

    assert [row["transaction_id"] for row in everything(source, TRANSACTIONS)] == ["before"]
    assert [row["customer_id"] for row in everything(source, CUSTOMERS)] == ["a"]


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/Istanbul", "2026-10-31 21:00Z", date(2026, 11, 1)),
        ("America/New_York", "2026-11-01 03:59:59Z", date(2026, 10, 31)),
        ("America/New_York", "2026-11-01 04:00Z", date(2026, 11, 1)),
        ("Pacific/Chatham", "2026-10-31 10:15Z", date(2026, 11, 1)),
        ("Australia/Lord_Howe", "2026-10-31 12:59:59Z", date(2026, 10, 31)),
    ],
)
def test_days_and_months_are_in_the_firms_zone(shop, zone, at, day):
    shop.create()
    shop.run(ORDER + f"('o1', 'a', '{at}')", LINE + "('o1', '1', 'p', 1, 5, 0)")
    source = shop.source(zone)

    (row,) = everything(source, TRANSACTIONS)
    (batch,) = source.extract(TRANSACTIONS, month=source.first_month(TRANSACTIONS), as_of=AS_OF)

    assert row["order_date"] == day
    assert source.first_month(TRANSACTIONS).first == day.replace(day=1)
    assert batch.num_rows == 1


def test_months_share_no_row_and_lose_none_where_clocks_change(shop):
    shop.create()
    hours = "generate_series(timestamptz '2026-03-25Z', '2026-04-03Z', interval '15 minutes') as at"
    shop.run(
        f"insert into orders (order_id, ordered_at) select at::text, at from {hours}",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        " select order_id, '1', 1, 1 from orders",
    )

    rows = everything(shop.source("Europe/London"), TRANSACTIONS)

    assert len(rows) == len({row["transaction_id"] for row in rows}) == 9 * 96 + 1
    assert sum(row["order_date"] == date(2026, 3, 29) for row in rows) == 23 * 4


def test_an_amount_that_is_text_is_an_error_that_names_the_place(shop):
    shop.create()
    shop.run(
        "alter table order_lines alter column gross_amount type text", ORDER + "('o1', 'a', '2026-11-03Z')"
    )

    with pytest.raises(SourceError, match=r"firm acme, postgres source shop, schema 'shop'.*text"):
        everything(shop.source(), TRANSACTIONS)


def test_keys_are_read_unchanged(shop):
    odd = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "İğ", "a'b--", "‮x", "👩‍👧"]
    shop.create()
    with psycopg.connect(shop.dsn) as connection:
        connection.cursor().executemany(
            "insert into shop.customers (customer_id) values (%s)", [[k] for k in odd]
        )

    rows = everything(shop.source(), CUSTOMERS)

    assert {row["customer_id"] for row in rows} == set(odd)


def test_impossible_dates_of_birth_become_null(shop):
    shop.create()
    shop.run(
        "insert into customers (customer_id, birth_date) values ('a', 'infinity'), ('b', '10000-01-01'),"
        " ('c', '0044-03-15 BC'), ('d', '1980-02-29')"
    )

    rows = everything(shop.source(), CUSTOMERS)

    assert {row["customer_id"]: row["birth_date"] for row in rows} == {
        "a": None,
        "b": None,
        "c": None,
        "d": date(1980, 2, 29),
    }


def test_products_and_points_are_read(shop):
    shop.create()
    shop.run(
        "insert into products"
        " values ('p1', 'Tea', 'Food', 'Drinks', '', 1.25), ('p2', null, null, null, null, -1)",
        "insert into loyalty_movements values ('m1', 'a', 'gold', 'o1', '2026-11-03Z', 10.5, 0),"
        " ('m2', '', 'gold', 'o1', '2026-11-03Z', 1, 0), ('m3', 'a', 'gold', 'o1', '2026-11-03Z', -1, 0)",
    )
    source = shop.source()

    (product,) = usable(everything(source, PRODUCTS))
    movements = everything(source, LOYALTY_MOVEMENTS)

    assert (product["product_name"], product["brand"], product["unit_cost"]) == ("Tea", None, Decimal("1.25"))
    assert reasons(everything(source, PRODUCTS)) == ["negative_amount"]
    assert [row["points_earned"] for row in usable(movements)] == [Decimal("10.5")]
    assert reasons(movements) == ["missing_customer", "negative_points"]


def test_a_shop_without_a_loyalty_table_offers_no_movements(shop):
    shop.create()
    shop.run("drop table loyalty_movements")

    assert not shop.source().offers(LOYALTY_MOVEMENTS)
    assert shop.source().offers(TRANSACTIONS)


def test_batches_are_bounded(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at) values ('o1', '2026-11-03Z')",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        f" select 'o1', n, 1, 1 from generate_series(1, {256 + 4096 + BATCH_ROWS + 10}) as n",
    )

    batches = list(shop.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF))

    assert [batch.num_rows for batch in batches] == [256, 4096, BATCH_ROWS, 10]
