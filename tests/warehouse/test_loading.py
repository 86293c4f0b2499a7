"""Loads into a real server: what is in the tables after each of them, and what is refused."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest

from include.datasets.extracted import CUSTOMERS
from include.slices import Slice
from include.warehouse import LoadRefused, LoadSlice, UnknownFirm, staging
from tests.warehouse.shop import returned, sale, scored

NOV = date(2026, 11, 3)
AS_OF = date(2026, 11, 21)


def test_returns_are_negative_so_that_plain_sums_are_right(shop):
    shop.sales("2026-11", sale("1", NOV, amount=10), returned("2", NOV, amount=4, margin_amount=1))

    rows = shop.ask(
        "select kind, quantity, net_amount, margin_amount from analytics.fact_sales order by kind"
    )

    assert rows == [
        ("return", Decimal(-1), Decimal(-4), Decimal(-1)),
        ("sale", Decimal(1), Decimal(10), None),
    ]


def test_amounts_arrive_to_the_last_decimal(shop):
    shop.sales("2026-11", sale("1", NOV, amount="99999999999999.9999"))

    assert shop.ask("select net_amount from analytics.fact_sales") == [(Decimal("99999999999999.9999"),)]


def test_a_month_is_replaced_and_its_neighbours_stay(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 31)))
    shop.sales("2026-11", sale("2", date(2026, 11, 1)), sale("3", NOV))

    shop.sales("2026-11", sale("4", NOV))

    assert shop.ask("select transaction_id from analytics.fact_sales order by 1") == [("1",), ("4",)]


def test_a_month_that_has_become_empty_is_emptied(shop):
    shop.sales("2026-11", sale("1", NOV))

    shop.sales("2026-11")

    assert shop.ask("select count(*) from analytics.fact_sales") == [(0,)]


def test_equal_bytes_are_not_loaded_again(shop):
    first = shop.sales("2026-11", sale("1", NOV), sha256="same")
    before = shop.ask("select xmin::text, ctid::text from analytics.fact_sales")

    second = shop.sales("2026-11", sale("1", NOV), sha256="same")

    assert (first.rows, first.skipped_slices) == (1, 0)
    assert (second.rows, second.skipped_slices) == (0, 1)
    assert shop.ask("select xmin::text, ctid::text from analytics.fact_sales") == before


def test_equal_bytes_are_loaded_again_when_the_load_itself_has_changed(shop):
    shop.sales("2026-11", sale("1", NOV), sha256="same")
    shop.warehouse.session.connection.execute("update control.loads set loader_sha256 = 'of an older load'")

    again = shop.sales("2026-11", sale("1", NOV), sha256="same")

    assert (again.rows, again.skipped_slices) == (1, 0)


def test_sales_without_a_customer_go_to_the_anonymous_member(shop):
    shop.sales("2026-11", sale("1", NOV, customer=None, product_id=None))

    rows = shop.ask(
        "select customer_id, is_anonymous, product_id, is_unknown from analytics.fact_sales "
        "join analytics.dim_customer using (customer_sk) join analytics.dim_product using (product_sk)"
    )

    assert rows == [("(anonymous)", True, "(unknown)", True)]


def test_a_return_may_have_the_number_and_line_of_a_sale(shop):
    shop.sales("2026-11", returned("1", NOV, amount=4), sale("1", NOV, amount=10))

    assert shop.ask("select kind, net_amount from analytics.fact_sales order by kind") == [
        ("return", -4),
        ("sale", 10),
    ]


def test_ids_are_kept_byte_for_byte(shop):
    ids = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "é", ""]

    shop.sales("2026-11", *[sale(f"t{i}", NOV, customer=name) for i, name in enumerate(ids)])

    assert {row[0] for row in shop.ask("select customer_id from analytics.dim_customer")} == set(ids)


def test_wrong_rows_roll_everything_back(shop):
    shop.sales("2026-11", sale("1", NOV))

    with pytest.raises(LoadRefused, match="line twice: 1 rows, such as transaction 2 line 1"):
        shop.sales("2026-11", sale("2", NOV, customer="new"), sale("2", NOV, customer="new"))

    assert shop.ask("select transaction_id from analytics.fact_sales") == [("1",)]
    assert shop.ask("select count(*) from analytics.dim_customer where customer_id = 'new'") == [(0,)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (sale("1", date(2026, 10, 3)), "2026-10-03 to 2026-10-03, outside the month"),
        (sale("1", NOV, quantity=-1), "negative staged"),
        (sale("1", NOV, kind="gift"), "kind_check"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(shop, row, said):
    with pytest.raises(LoadRefused, match=said):
        shop.sales("2026-11", row)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"recency_percentile": float("nan")}, "recency_percentile"),
        ({"avg_days_between_orders": float("inf")}, "avg_days_between_orders"),
        ({"monetary_score": 6, "rfm_score": "556"}, "monetary_score"),
        ({"days_since_last_order": 7}, "is not as_of minus last_order_date"),
        ({"rfm_score": "111"}, "rfm_score is not made of the three scores"),
        ({"order_count_30_days": 9}, "longer window has fewer"),
    ],
)
def test_a_customer_whose_row_contradicts_itself_is_refused(shop, more, said):
    with pytest.raises(LoadRefused, match=said):
        shop.rfm(AS_OF, scored("ann", AS_OF, **more))

    assert shop.ask("select count(*) from analytics.fact_customer_rfm") == [(0,)]


def test_errors_name_the_column_and_no_value(shop):
    with pytest.raises(LoadRefused) as caught:
        shop.customers(AS_OF, {"customer_id": "ann", "email": "ann@example.com\x00"})

    assert "copying the handoff to its staging table: " in str(caught.value)
    assert ", table stg_customers, row 1, column email" in str(caught.value)
    assert "example" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_statement_that_fails_is_named_by_its_file(shop):
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("alter table analytics.fact_sales add check (1 / (net_amount - 10) is not null)")

    with pytest.raises(LoadRefused, match=r"of acme: sql/load/fact_sales\.sql: division by zero \(SQLSTATE"):
        shop.sales("2026-11", sale("1", NOV, amount=10))

    assert shop.sales("2026-11", sale("1", NOV, amount=11)).rows == 1


def test_an_unknown_firm_is_named(shop):
    with pytest.raises(UnknownFirm, match="no firm 'nobody'"):
        shop.warehouse.loader.load(
            "dim_customer", firm_key="nobody", as_of=AS_OF, dataset=CUSTOMERS,
            slices=[LoadSlice(Slice(AS_OF), 1, "x", [])], token=1, step="load",
        )  # fmt: skip


def test_the_text_copy_of_machines_without_pgpq_loads_the_same_rows(shop, monkeypatch):
    rows = [
        sale("1", NOV, amount="12345678901234.5678", channel='say "hi", \\N\nthere', payment_method=""),
        sale("2", NOV, customer=None, programme_id="é"),
    ]
    query = "select f.*, xmin is null from analytics.fact_sales f order by transaction_id"
    shop.sales("2026-11", *rows)
    binary = shop.ask(query)

    monkeypatch.setattr(staging, "pgpq", None)
    shop.sales("2026-11", *rows)

    assert shop.ask(query) == binary


def test_a_firms_sales_are_indexed_by_day_and_customer(shop):
    shop.sales("2026-11", sale("1", NOV))
    shop.sales("2026-10")

    rows = shop.ask(
        "select substring(indexdef from 'USING .*') from pg_indexes "
        "where tablename = 'fact_sales_f1' order by 1"
    )

    assert rows == [
        ("USING brin (order_date) WITH (autosummarize='on')",),
        ("USING btree (customer_sk, order_date)",),
    ]
