"""Loads that are overtaken, killed, ended or run side by side: no row is lost and none is there twice."""

import os
import random
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.datasets.extracted import CUSTOMERS, TRANSACTIONS
from include.periods import Month
from include.slices import Slice
from include.warehouse import Fenced, LoadSlice, Warehouse, WarehouseError
from include.warehouse.loading import FIRM_LOCK
from tests.warehouse.shop import batch, sale, scored

NOV = date(2026, 11, 3)
AS_OF = date(2026, 11, 21)


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
            part = LoadSlice(Slice.parse("2026-11"), 1, "zombie", late())
            zombie.loader.load(
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
                    warehouse.loader.load(
                        "fact_sales", firm_key="acme", as_of=AS_OF, dataset=TRANSACTIONS, token=100 + number,
                        step="s",
                        slices=[LoadSlice(Slice(Month(2026, number)), 1, "x", [batch(TRANSACTIONS, rows)])],
                    )  # fmt: skip
                else:
                    day = date(2026, 11, 1 + number)
                    rows = [{"customer_id": n, "city": str(number)} for n in mine]
                    warehouse.loader.load(
                        "dim_customer", firm_key="acme", as_of=day, dataset=CUSTOMERS, token=100 + number,
                        slices=[LoadSlice(Slice(day), 1, "x", [batch(CUSTOMERS, rows)])], step="s",
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


def test_a_session_that_is_ended_while_loading_leaves_nothing(shop):
    def rows():
        shop.ask("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%'")
        yield batch(TRANSACTIONS, [sale("1", NOV)] * 1)

    part = LoadSlice(Slice.parse("2026-11"), 1, "x", rows())
    with pytest.raises(WarehouseError):
        shop.warehouse.loader.load(
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
    shop.warehouse.session.connection.execute(
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
