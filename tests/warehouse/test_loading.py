"""Loads into a real server: what is in the tables after each of them, and after each way to fail."""

import os
import random
import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include.datasets.extracted import CUSTOMERS, TRANSACTIONS
from include.warehouse import Fenced, LoadRefused, LoadSlice, UnknownFirm, Warehouse, WarehouseError, staging
from include.warehouse.loading import FIRM_LOCK
from tests.warehouse.shop import batch, returned, sale, scored

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
    shop.warehouse.connection.execute("update control.loads set loader_sha256 = 'of an older load'")

    again = shop.sales("2026-11", sale("1", NOV), sha256="same")

    assert (again.rows, again.skipped_slices) == (1, 0)


def test_sales_to_nobody_known_go_to_the_anonymous_member(shop):
    shop.sales("2026-11", sale("1", NOV, customer=None, product_id=None))

    rows = shop.ask(
        "select customer_id, is_anonymous, product_id, is_unknown from analytics.fact_sales "
        "join analytics.dim_customer using (customer_sk) join analytics.dim_product using (product_sk)"
    )

    assert rows == [("(anonymous)", True, "(unknown)", True)]


def test_ids_are_kept_byte_for_byte(shop):
    ids = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "é", ""]

    shop.sales("2026-11", *[sale(f"t{i}", NOV, customer=name) for i, name in enumerate(ids)])

    assert {row[0] for row in shop.ask("select customer_id from analytics.dim_customer")} == set(ids)


def test_an_older_attempt_is_fenced_and_changes_nothing(shop):
    shop.rfm(AS_OF, scored("ann", AS_OF), token=20)

    with pytest.raises(Fenced, match="attempt 20"):
        shop.rfm(AS_OF, scored("ann", AS_OF), scored("bob", AS_OF), token=10, manifest=30)

    assert shop.ask("select count(*) from analytics.fact_customer_rfm") == [(1,)]


def test_a_newer_attempt_with_an_older_handoff_is_fenced(shop):
    shop.rfm(AS_OF, scored("ann", AS_OF), token=20, manifest=19)

    with pytest.raises(Fenced):
        shop.rfm(AS_OF, scored("bob", AS_OF), token=30, manifest=18)


def test_an_older_reading_of_a_month_is_left_out(shop):
    shop.sales("2026-11", sale("new", NOV), token=20)

    done = shop.sales("2026-11", sale("old", NOV), token=30, manifest=10)

    assert done.skipped_slices == 1
    assert shop.ask("select transaction_id from analytics.fact_sales") == [("new",)]


def test_a_zombie_that_wakes_after_its_successor_is_fenced(shop):
    zombie = Warehouse(shop.dsn)
    asleep, woken = threading.Event(), threading.Event()
    caught = []

    def late():
        asleep.set()
        woken.wait(30)
        yield batch(TRANSACTIONS, [sale("zombie", NOV)])

    def run():
        try:
            part = LoadSlice("month=2026-11", 1, "zombie", late())
            zombie.load(
                "fact_sales", firm_key="acme", as_of=AS_OF, dataset=TRANSACTIONS, slices=[part], token=1,
                step="zombie",
            )  # fmt: skip
        except Fenced as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    asleep.wait(30)
    shop.sales("2026-11", sale("successor", NOV), token=5, manifest=1)
    woken.set()
    thread.join(30)
    zombie.close()

    assert len(caught) == 1
    assert shop.ask("select transaction_id from analytics.fact_sales") == [("successor",)]


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
        (sale("1", NOV, quantity=-1), "below zero"),
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
        ({"days_since_last_order": 7}, "is not as_of less last_order_date"),
        ({"rfm_score": "111"}, "rfm_score is not its three scores"),
        ({"order_count_30_days": 9}, "longer window holds fewer"),
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
        shop.warehouse.load(
            "dim_customer", firm_key="nobody", as_of=AS_OF, dataset=CUSTOMERS,
            slices=[LoadSlice(f"as_of={AS_OF}", 1, "x", [])], token=1, step="load",
        )  # fmt: skip


def test_contact_data_is_in_pii_alone(shop):
    shop.customers(AS_OF, {"customer_id": "ann", "full_name": "Ann", "email": "a@b.c", "city": "York"})

    columns = shop.ask(
        "select column_name from information_schema.columns "
        "where table_schema in ('analytics', 'mart', 'parts') and table_name <> 'vw_outreach_contact'"
    )

    assert {"full_name", "email", "phone", "birth_date"}.isdisjoint({row[0] for row in columns})
    assert shop.ask("select full_name, email from pii.customer_contact") == [("Ann", "a@b.c")]
    assert shop.ask("select city from analytics.dim_customer") == [("York",)]


def test_customers_keep_the_attributes_of_their_latest_snapshot(shop):
    shop.customers(date(2026, 11, 3), {"customer_id": "ann", "city": "Bath", "email": "new"})
    shop.customers(date(2026, 11, 1), {"customer_id": "ann", "city": "York", "email": "old"})

    shop.customers(
        date(2026, 11, 2), {"customer_id": "ann", "city": "Hull", "email": "mid"}, {"customer_id": "bob"}
    )

    rows = shop.ask(
        "select customer_id, city, email, as_of from analytics.dim_customer "
        "left join pii.customer_contact using (customer_sk) order by 1"
    )
    assert rows == [("ann", "Bath", "new", date(2026, 11, 3)), ("bob", None, None, date(2026, 11, 2))]


def test_previous_score_and_segment_come_from_the_snapshot_before(shop):
    shop.rfm(date(2026, 11, 1), scored("ann", date(2026, 11, 1), score="444", segment="loyal"))

    shop.rfm(
        date(2026, 11, 2),
        scored("ann", date(2026, 11, 2), score="432", segment="needs_attention"),
        scored("bob", date(2026, 11, 2)),
    )

    rows = shop.ask(
        "select customer_id, previous_rfm_score, rfm_score_change, segment_changed, segment_code, "
        "rfm_composite_score from analytics.fact_customer_rfm f "
        "join analytics.dim_customer using (customer_sk) "
        "left join analytics.dim_customer_segment on segment_sk = previous_segment_sk "
        "where f.as_of = '2026-11-02' order by 1"
    )
    assert rows == [
        ("ann", "444", "444->432", True, "loyal", 432),
        ("bob", None, None, None, None, 555),
    ]


DUMPS = (
    "select f.as_of, customer_id, rfm_score, previous_rfm_score, rfm_score_change, segment_changed, "
    "s.segment_code, p.segment_code, f.total_spend from analytics.fact_customer_rfm f "
    "join analytics.dim_customer using (customer_sk) "
    "join analytics.dim_customer_segment s on s.segment_sk = rfm_segment_sk "
    "left join analytics.dim_customer_segment p on p.segment_sk = previous_segment_sk order by 1, 2",
    "select customer_id, city, as_of, email from analytics.dim_customer "
    "left join pii.customer_contact using (customer_sk) order by 1",
    "select segment_code, segment_name, is_active, as_of from analytics.dim_customer_segment order by 1",
    "select fact_name, as_of from analytics.dim_snapshot order by 1, 2",
)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_runs_does_not_show_in_the_tables(shop, seed):
    days = [date(2026, 11, d) for d in range(1, 8)]
    chance = random.Random(7)
    snapshots = {}
    for day in days:
        names = [n for n in "abcdef" if chance.random() < 0.7] or ["a"]
        snapshots[day] = (
            [
                scored(n, day, score=chance.choice(["555", "111", "345"]), segment=chance.choice(["x", "y"]))
                for n in names
            ],
            [{"customer_id": n, "city": f"{n}{day.day}", "email": f"{n}{day.day // 3}"} for n in names],
            [segment("x", f"X of {day.day}")] + ([segment("y", "Y")] if day.day % 2 else []),
        )

    def dump(order):
        for table in ("analytics.fact_customer_rfm", "analytics.dim_snapshot", "control.loads"):
            shop.warehouse.connection.execute(f"delete from {table}")
        shop.warehouse.connection.execute(
            "truncate analytics.dim_customer, pii.customer_contact, analytics.dim_customer_segment cascade"
        )
        for day in order:
            rfm, customers, segments = snapshots[day]
            shop.load("dim_customer_segment", f"as_of={day}", segments)
            shop.customers(day, *customers)
            shop.rfm(day, *rfm)
        return [shop.ask(query) for query in DUMPS]

    shuffled = random.Random(seed).sample(days, k=7)

    assert shuffled != days
    assert dump(shuffled) == dump(days)


def segment(code, name):
    return {
        "segment_code": code,
        "segment_name": name,
        "segment_type": "rfm",
        "cells": "5 5 5",
        "retention_priority": 2,
        "value_tier": "High value",
    }


def test_a_segment_that_left_the_decision_table_stays_inactive(shop):
    shop.load("dim_customer_segment", "as_of=2026-11-01", [segment("x", "X"), segment("y", "Y")])

    shop.load("dim_customer_segment", "as_of=2026-11-02", [segment("x", "X")])

    rows = shop.ask("select segment_code, is_active from analytics.dim_customer_segment order by 1")
    assert rows == [("x", True), ("y", False)]


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


def test_eight_loaders_at_once_give_each_customer_one_key(shop):
    names = [f"c{i:03}" for i in range(60)]
    errors = []

    def work(number):
        chance = random.Random(number)
        mine = chance.sample(names, k=40)
        with Warehouse(shop.dsn) as warehouse:
            try:
                if number % 2:
                    rows = [sale(f"{number}-{n}", date(2026, number, 3), customer=n) for n in mine]
                    warehouse.load(
                        "fact_sales", firm_key="acme", as_of=AS_OF, dataset=TRANSACTIONS, token=100 + number,
                        slices=[LoadSlice(f"2026-0{number}", 1, "x", [batch(TRANSACTIONS, rows)])], step="s",
                    )  # fmt: skip
                else:
                    day = date(2026, 11, 1 + number)
                    rows = [{"customer_id": n, "city": str(number)} for n in mine]
                    warehouse.load(
                        "dim_customer", firm_key="acme", as_of=day, dataset=CUSTOMERS, token=100 + number,
                        slices=[LoadSlice(f"{day}", 1, "x", [batch(CUSTOMERS, rows)])], step="s",
                    )  # fmt: skip
            except WarehouseError as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    keys = shop.ask(
        "select count(*), count(distinct customer_id), max(customer_sk) from analytics.dim_customer"
    )
    assert keys == [(60, 60, 60)]
    assert shop.ask("select count(*) from analytics.fact_sales") == [(160,)]


def test_a_repeated_load_burns_no_keys(shop):
    for day in range(1, 6):
        shop.customers(date(2026, 11, day), {"customer_id": "ann"})

    shop.customers(date(2026, 11, 6), {"customer_id": "ann"}, {"customer_id": "bob"})

    assert shop.ask("select max(customer_sk) from analytics.dim_customer") == [(2,)]


def test_a_session_that_is_ended_while_loading_leaves_nothing(shop):
    def rows():
        shop.ask("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%'")
        yield batch(TRANSACTIONS, [sale("1", NOV)] * 1)

    part = LoadSlice("month=2026-11", 1, "x", rows())
    with pytest.raises(WarehouseError):
        shop.warehouse.load(
            "fact_sales", firm_key="acme", as_of=AS_OF, dataset=TRANSACTIONS, slices=[part], token=1,
            step="load",
        )  # fmt: skip

    assert shop.ask("select count(*) from analytics.fact_sales") == [(0,)]
    assert shop.sales("2026-11", sale("1", NOV)).rows == 1


LOADER = """
import sys
from datetime import date
from include.warehouse import Warehouse
from tests.warehouse.shop import Shop, sale
Shop(sys.argv[1]).sales("2026-11", sale("1", date(2026, 11, 3)), sha256="bytes")
"""


@pytest.mark.parametrize(
    ("point", "kept"),
    [("warehouse.before_copy", 0), ("warehouse.before_commit", 0), ("warehouse.after_commit", 1)],
)
def test_a_loader_killed_at_any_point_is_made_good_by_its_retry(shop, point, kept):
    environ = {**os.environ, "FIRMAMENT_FAULT": f"{point}:1:kill9", "PYTHONPATH": "."}
    project = Path(__file__).parent.parent.parent
    killed = subprocess.run([sys.executable, "-c", LOADER, shop.dsn], env=environ, cwd=project, check=False)
    found = shop.ask("select count(*) from analytics.fact_sales")

    retried = shop.sales("2026-11", sale("1", NOV), sha256="bytes")

    assert killed.returncode == -9
    assert found == [(kept,)]
    assert retried.skipped_slices == kept
    assert shop.ask("select count(*) from analytics.fact_sales") == [(1,)]


def test_a_deadlock_is_tried_again(shop):
    shop.sales("2026-11", sale("1", NOV))
    shop.warehouse.connection.execute(
        "set deadlock_timeout = '3s'"
    )  # of the two it is the loader who gives way
    done = []
    loader = threading.Thread(target=lambda: done.append(shop.sales("2026-11", sale("2", NOV))))
    waiting = "select count(*) from pg_locks where not granted"

    with psycopg.connect(shop.dsn) as other:
        other.execute("set deadlock_timeout = '60s'")
        other.execute("select 1 from control.loads where firm_key = 'acme' for update")
        loader.start()
        while shop.ask(waiting) == [(0,)]:
            pass
        # The loader holds its firm's lock and waits for our row; now we wait for that lock.
        other.execute("select pg_advisory_xact_lock(%s, firm_sk) from analytics.dim_firm", [FIRM_LOCK])
    loader.join()

    deadlocks = shop.ask("select deadlocks from pg_stat_database where datname = current_database()")
    assert [loaded.rows for loaded in done] == [1]
    assert shop.ask("select transaction_id from analytics.fact_sales") == [("2",)]
    assert deadlocks == [(1,)]


def test_a_firm_gets_its_partition_while_a_reader_holds_the_table(shop):
    with psycopg.connect(shop.dsn) as reader:
        reader.execute("select count(*) from analytics.fact_sales").fetchone()

        done = shop.sales("2026-11", sale("1", NOV))

    assert done.rows == 1
    assert shop.ask(
        "select relname from pg_class where relnamespace = 'parts'::regnamespace and relkind = 'r'"
    ) == [("fact_sales_f1",)]


def test_an_empty_snapshot_is_a_snapshot(shop):
    shop.rfm(date(2026, 11, 1), scored("ann", date(2026, 11, 1)))

    shop.rfm(date(2026, 11, 2))

    assert shop.ask("select max(as_of) from analytics.dim_snapshot") == [(date(2026, 11, 2),)]


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
