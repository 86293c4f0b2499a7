"""A full disk, wherever a step writes: the message says where, nothing half done stands, a rerun heals."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from include.datasets import Dataset
from include.engines.duckdb import DuckDb, QueryError
from include.run import NoRoomError
from include.sources import SourceError
from include.warehouse import WarehouseError
from tests.run.source import fill
from tests.run.test_pipeline import AS_OF, sales
from tests.things import ended, forked

NEXT = AS_OF + timedelta(days=1)
SALES = ("extract_transactions", "load_fact_sales")


def with_files_of_at_most(size: int, work: Callable[[], object]) -> None:
    """Do it in a child that may write no longer file, which fails as a full disk does; it must go well."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work()

    assert ended(forked(limited)) == 0


def refused(shop, error: type[Exception], said: str) -> Callable[[], None]:
    def run() -> None:
        with pytest.raises(error, match=said):
            shop.run("acme", NEXT, only=["extract_transactions"])

    return run


def test_where_a_shops_rows_find_no_room_the_message_says_where_and_a_rerun_heals(shop, monkeypatch):
    fill(shop.dsn, "till", customers=20, as_of=AS_OF)
    monkeypatch.setenv("AIRFLOW_CONN_TILL", shop.dsn)
    shop.add("acme", source={"kind": "postgres", "conn_id": "till", "schema": "till"})
    shop.run("acme", AS_OF, only=SALES)
    before = shop.facts("acme")

    with_files_of_at_most(
        600, refused(shop, NoRoomError, "extract_transactions of acme: file too large in .*scratch")
    )

    assert list((shop.home / "home" / "scratch").iterdir()) == []
    assert shop.facts("acme") == before
    shop.run("acme", NEXT, only=SALES)
    assert shop.facts("acme") == before


def test_where_a_file_cannot_be_staged_the_message_says_where_and_a_rerun_heals(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))

    with_files_of_at_most(600, refused(shop, SourceError, "cache/acme.*has no space.*Free disk space"))

    assert list((shop.home / "home").rglob("building-*")) == []
    shop.run("acme", NEXT, only=["extract_transactions"])


def test_a_query_that_finds_no_room_to_spill_says_where(tmp_path):
    rows = pa.table({"a": np.random.default_rng(1).permutation(3_000_000)})
    pq.write_table(rows, tmp_path / "numbers.parquet")
    numbers = Dataset(name="numbers", about="", grain=(), schema=rows.schema)

    def run() -> None:
        engine = DuckDb(memory_mb=20, threads=1, scratch=tmp_path)
        inputs = [(numbers, [tmp_path / "numbers.parquet"])]
        with pytest.raises(
            QueryError, match=f"no room is left in {tmp_path}: free space there.*rerun the step"
        ):
            list(engine.query("select a from numbers order by a % 1000003, a", inputs, {}))

    with_files_of_at_most(1 << 20, run)
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_query_that_needs_more_memory_than_it_may_have_says_which_setting(tmp_path):
    pq.write_table(pa.table({"a": pa.array([0, 1])}), tmp_path / "numbers.parquet")
    numbers = Dataset(name="numbers", about="", grain=(), schema=pa.schema({"a": pa.int64()}))
    engine = DuckDb(memory_mb=20, threads=1, scratch=tmp_path)
    one_value = "select repeat('x', 90000000 + a::integer) as x from numbers"

    with pytest.raises(QueryError, match="a step may hold 20 MB: set FIRMAMENT_MEMORY_MB higher"):
        list(engine.query(one_value, [(numbers, [tmp_path / "numbers.parquet"])], {}))


@pytest.fixture
def small_disk(shop) -> Iterator[str]:
    """Two megabytes, and no more, for the temporary tables of the warehouse."""
    folder = tempfile.mkdtemp(prefix="firmament-small-")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        Path(folder).rmdir()
        pytest.skip("a small disk cannot be mounted here")
    try:
        place = Path(folder, "tables")
        place.mkdir(mode=0o700)
        shutil.chown(place, "nobody")  # who runs the server for root
        name = sql.Identifier(f"small_{os.getpid()}")
        with psycopg.connect(shop.dsn, autocommit=True) as connection:
            database = sql.Identifier(connection.info.dbname)
            try:
                create = sql.SQL("create tablespace {} location {}")
                connection.execute(create.format(name, sql.Literal(str(place))))
            except psycopg.Error as error:  # a server in a namespace of its own does not see the mount
                pytest.skip(f"the server cannot use the small disk: {error}")
            connection.execute(sql.SQL("alter database {} set temp_tablespaces = {}").format(database, name))
            try:
                yield folder
            finally:
                connection.execute(sql.SQL("alter database {} reset temp_tablespaces").format(database))
                connection.execute(sql.SQL("drop tablespace {}").format(name))
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        Path(folder).rmdir()


def test_a_warehouse_whose_disk_is_full_keeps_yesterday_and_a_rerun_heals(shop, small_disk):
    shop.add("acme")
    shop.sell("acme", sales(25))
    shop.run("acme", AS_OF, only=SALES)
    before = shop.facts("acme")
    more = [(f"x{n}", AS_OF - timedelta(days=5), f"n{n}", 5) for n in range(40_000)]
    shop.sell("acme", [*sales(25), *more])

    with pytest.raises(
        WarehouseError, match=r"No space left on device.*the server's disk is full; nothing was"
    ):
        shop.run("acme", NEXT, only=SALES)

    assert shop.facts("acme") == before
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    shop.run("acme", NEXT, only=["load_fact_sales"])
    assert len(shop.facts("acme")["sales"]) == len(before["sales"]) + 40_000
