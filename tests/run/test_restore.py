"""Backup and restore: warehouse, handoffs and registry in an empty place, then the next day's run."""

import shutil
import subprocess
from datetime import timedelta

from include import postgres
from include.registry import read_registry, sync_firms
from include.settings import Settings
from include.warehouse import Warehouse
from tests.run.conftest import Shop
from tests.run.everything import everything, same
from tests.run.test_pipeline import AS_OF, sales

NEXT = AS_OF + timedelta(days=1)
CLOSED = "month=2025-01"


def months(home):
    """Each manifest of a month of sales, by its folder: other bytes mean that the month was read again."""
    place = home / "handoffs" / "acme" / "transactions"
    return {path.parent.name: path.read_bytes() for path in place.glob("month=*/*.json")}


def test_a_restored_copy_runs_the_next_day_and_reads_no_closed_month_again(
    shop, warehouse_dsn, tmp_path, monkeypatch
):
    shop.add("acme")
    shop.sell("acme", sales(25))
    shop.run("acme", AS_OF)
    with Warehouse(shop.dsn) as warehouse:
        sync_firms(warehouse.firms, Settings.read().registry)
    home, copy = shop.home / "home", tmp_path / "restored"
    copy.mkdir()

    # As docs/upgrade.md backs up and rolls back, but into another database and another home.
    dump = tmp_path / "warehouse.dump"
    subprocess.run(
        [postgres.program("pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={shop.dsn}"], check=True
    )
    shutil.copytree(home / "handoffs", copy / "handoffs")
    shutil.copy(home / "registry.json", copy / "registry.json")
    subprocess.run(
        [postgres.program("pg_restore"), "--exit-on-error", f"--dbname={warehouse_dsn}", dump], check=True
    )
    shop.run("acme", NEXT)
    wanted = everything(shop.dsn, "acme")
    shutil.rmtree(home)
    monkeypatch.setenv("FIRMAMENT_HOME", str(copy))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", warehouse_dsn)
    before = months(copy)

    Shop(shop.home, warehouse_dsn).run("acme", NEXT)

    after = months(copy)
    assert [shape.firm_key for shape in read_registry(Settings.read().registry)] == ["acme"]
    assert before[CLOSED] == after[CLOSED]
    assert before["month=2025-02"] != after["month=2025-02"]
    assert len(wanted["analytics.fact_customer_rfm"]) == 50
    same(everything(warehouse_dsn, "acme"), wanted)
