"""Whatever is wrong with what a firm sends: the message says what, where and how to mend it; nothing is lost.

One firm stands; each case spoils its source or its row, and a later day is run. Yesterday's facts stay as
they were, and once the fault is mended the same command goes through.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from include.firms import FirmError
from include.incidents import first_line
from include.settings import SettingsError
from include.sources import SourceError
from include.warehouse import Warehouse, migrate
from tests.run.conftest import COLUMNS, MAPPING, Shop
from tests.run.test_pipeline import AS_OF, sales
from tests.s3 import free_ports

NEXT = AS_OF + timedelta(days=1)
READ = ["extract_transactions"]
HEADER = ",".join(COLUMNS)
LINE = "o1,1,2025-02-27 12:00:00,c001,p1,1,5"


@pytest.fixture(scope="module")
def standing(tmp_path_factory, module_warehouse_dsn) -> Iterator[Shop]:
    """A firm that was run on a day."""
    migrate(module_warehouse_dsn)
    home = tmp_path_factory.mktemp("bad")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", module_warehouse_dsn)
        shop = Shop(home, module_warehouse_dsn)
        shop.add("acme")
        shop.sell("acme", sales(25))
        shop.run("acme", AS_OF)
        yield shop


def write(name: str, text: str | bytes) -> Callable[[Path], object]:
    data = text if isinstance(text, bytes) else text.encode()
    return lambda folder: (folder / name).write_bytes(data)


FILES = {
    "a missing column": (
        write("bad.csv", f"{HEADER.replace(',amount', '')}\n{LINE}\n"),
        r"bad\.csv.*amount",
    ),
    "no header at all": (write("bad.csv", ""), r"bad\.csv"),
    "a line too short": (write("bad.csv", f"{HEADER}\n{LINE}\no2,1\n"), r"bad\.csv"),
    "a file that was cut off": (
        write("bad.csv.gz", gzip.compress(f"{HEADER}\n{LINE}\n".encode() * 99)[:-30]),
        r"bad\.csv\.gz",
    ),
    "a file that is no text": (write("bad.parquet", b"PAR1 not at all"), r"bad\.parquet|acme"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_cannot_be_read_is_named_and_the_last_snapshot_stays(standing, fault):
    folder = standing.home / "drops" / "acme"
    before, there = standing.facts("acme"), set(folder.iterdir())
    spoil, said = FILES[fault]
    spoil(folder)

    try:
        with pytest.raises(SourceError, match=said):
            standing.run("acme", NEXT, only=READ)
    finally:
        for path in set(folder.iterdir()) - there:
            path.unlink()

    assert standing.facts("acme") == before
    standing.run("acme", NEXT, only=READ)


def test_values_of_a_wrong_type_are_counted_by_reason_and_kept_with_their_row(standing):
    rows = sales(25)
    standing.sell(
        "acme", [*rows, ("x1", "2025-02-27", "c001", "a lot"), ("x2", "soon", "c001", 5)], name="sales.csv"
    )

    standing.run("acme", NEXT, only=["extract_transactions"])

    rejected = dict(
        standing.query(
            "select reason, row_count from control.rejections where firm_key = 'acme' and as_of = %s", NEXT
        )
    )
    standing.sell("acme", rows)
    assert rejected == {"bad_number": 1, "bad_date": 1}


ROWS = {
    "an unknown layout": (
        {"source": {"kind": "csv", "uri": "file:///nowhere", "layout": "excel"}},
        r"layout.*excel.*there are",
    ),
    "a folder that is not there": (
        {"source": {"kind": "csv", "uri": "file:///no/such/place", "layout": "mapped", "mapping": MAPPING}},
        r"/no/such/place",
    ),
    "a connection nobody made": (
        {"source": {"kind": "postgres", "conn_id": "nobody_made", "schema": "shop"}},
        r"nobody_made",
    ),
    "a database that does not answer": (
        {"source": {"kind": "postgres", "conn_id": "deaf", "schema": "shop"}},
        r"cannot connect.*Is the server up",
    ),
    "a schema that is not there": (
        {"source": {"kind": "postgres", "conn_id": "own", "schema": "shopp"}},
        r"no such schema; there are .*Correct source\.schema",
    ),
}


@pytest.mark.parametrize("fault", ROWS)
def test_a_row_without_a_source_is_reported_and_the_last_snapshot_stays(standing, monkeypatch, fault):
    monkeypatch.setenv("AIRFLOW_CONN_OWN", standing.dsn)
    monkeypatch.setenv("AIRFLOW_CONN_DEAF", f"postgresql://bi:hunter2@127.0.0.1:{free_ports(1)[0]}/shop")
    before = standing.facts("acme")
    changes, said = ROWS[fault]
    with Warehouse(standing.dsn) as warehouse:
        good = warehouse.firms.firm_row("acme")
    standing.add("acme", **changes)

    try:
        with pytest.raises((SourceError, FirmError, SettingsError), match=said) as caught:
            standing.run("acme", NEXT, only=READ)
    finally:
        standing.add("acme", source=good["source"])

    assert "hunter2" not in first_line(caught.value)
    assert standing.facts("acme") == before
    standing.run("acme", NEXT, only=READ)


def test_a_schema_named_like_a_keyword_is_read_and_published_to(standing, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OWN", standing.dsn)
    shop_tables = (Path(__file__).parents[2] / "include/sql/extract/postgres/shop.sql").read_text()
    with psycopg.connect(standing.dsn) as connection:
        connection.execute('create schema "order"; set search_path = "order"')
        connection.execute(shop_tables)
        connection.execute("insert into customers (customer_id) values ('ann')")
        connection.execute(
            "insert into orders (order_id, customer_id, ordered_at) values ('o1', 'ann', '2025-02-10Z')"
        )
        connection.execute(
            "insert into order_lines (order_id, line_no, quantity, gross_amount) values ('o1', '1', 1, 50)"
        )
    standing.add(
        "ordering",
        source={"kind": "postgres", "conn_id": "own", "schema": "order"},
        publish={"conn_id": "own", "schema": "order"},
        modules=["rfm", "publish"],
    )

    standing.run("ordering", AS_OF)

    published = standing.query('select unique_customer_id from "order".analytic_customer')
    assert [row[2] for row in standing.facts("ordering")["sales"]] == ["ann"]
    assert published == [("ann",)]
