import statistics
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import psycopg
import pytest

from include import postgres
from include.datasets.computed import RFM
from include.datasets.extracted import TRANSACTIONS
from include.slices import Slice
from include.warehouse import LoadSlice, WarehouseError, migrate
from tests.warehouse.shop import Shop, batch, sale, scored

AS_OF = date(2026, 11, 21)
NOV = date(2026, 11, 3)
BATCHES, ROWS = 5, 400
READERS = 20


@pytest.fixture
def own_shop(tmp_path) -> Iterator[tuple[Shop, Callable[[], None]]]:
    """A shop on a server of its own, and a way to crash that server and bring it up again."""
    folder = tmp_path / "server"
    server = postgres.start(folder)
    dsn = postgres.create_database(server, "shop")
    migrate(dsn)

    def crash() -> None:
        postgres.stop(folder, mode="immediate")
        postgres.start(folder, port=server.port)

    shop = Shop(dsn)
    yield shop, crash
    shop.warehouse.close()
    postgres.stop(folder, mode="immediate")


def sales(number: int):
    return [sale(f"{number}-{row}", NOV, customer=f"c{row}") for row in range(ROWS)]


def scores(number: int):
    return [scored(f"c{number}-{row}", AS_OF) for row in range(ROWS)]


@pytest.mark.parametrize(
    ("table", "dataset", "slice_text", "rows"),
    [
        ("fact_sales", TRANSACTIONS, "2026-11", sales),
        ("fact_customer_rfm", RFM, AS_OF.isoformat(), scores),
    ],
)
def test_a_server_that_crashes_during_a_load_keeps_what_stood(own_shop, table, dataset, slice_text, rows):
    shop, crash = own_shop
    stood = sales(0)[:1] if table == "fact_sales" else scores(0)[:1]
    shop.load(table, slice_text, stood, as_of=AS_OF)
    count = f"select count(*) from analytics.{table}"

    for offset in range(BATCHES):

        def crashing(offset=offset):
            for number in range(BATCHES):
                if number == offset:
                    crash()
                yield batch(dataset, rows(number))

        token = shop.warehouse.runs.draw_token("acme", f"load_{table}", slice_text)
        part = LoadSlice(Slice.parse(slice_text), token, f"crash {offset}", crashing())
        with pytest.raises(WarehouseError):
            shop.warehouse.loader.load(
                table, firm_key="acme", as_of=AS_OF, dataset=dataset, slices=[part], token=token, step="load"
            )
        assert shop.ask(count) == [(1,)]

    retried = shop.load(table, slice_text, rows(9), as_of=AS_OF)
    assert (retried.rows, shop.ask(count)) == (ROWS, [(ROWS,)])


def test_readers_do_not_wait_for_loads_nor_loads_for_a_long_reader(shop):
    days = [AS_OF - timedelta(days=back) for back in range(4)]
    for day in days:
        shop.rfm(day, *[scored(f"c{row}", day) for row in range(ROWS)])
    waits: list[float] = []
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(shop.dsn, autocommit=True) as connection:
            while not done.is_set():
                started = time.monotonic()
                rows = connection.execute(
                    "select count(*) from analytics.fact_customer_rfm where as_of = %s", [days[0]]
                ).fetchone()
                waits.append(time.monotonic() - started)
                seen.add(rows[0])
                time.sleep(0.02)

    with psycopg.connect(shop.dsn) as long_reader:
        long_reader.execute("select count(*) from analytics.fact_customer_rfm").fetchone()
        readers = [threading.Thread(target=read) for _ in range(READERS)]
        for one in readers:
            one.start()
        for size in (ROWS, ROWS // 2, ROWS):
            shop.rfm(days[0], *[scored(f"c{row}", days[0], spend=size) for row in range(size)])
        done.set()
        for one in readers:
            one.join()
        still = long_reader.execute("select count(*) from analytics.fact_customer_rfm").fetchone()

    # Statements of the long reader, who reads what is committed, see the last load whole.
    assert still == (ROWS * len(days),)
    assert seen <= {ROWS, ROWS // 2}
    assert statistics.quantiles(waits, n=20)[-1] < 2.5
