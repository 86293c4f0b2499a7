"""The ledger of slices spares the store a request per month, and yields to the store where they differ."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.handoff import Handoff, Slot
from include.handoff.folder import FileStore
from include.periods import Month
from include.settings import Settings
from include.slices import Slice

AS_OF = date(2025, 3, 1)
EVENTS = [
    "extract_transactions", "extract_customers", "extract_products",
    "validate_customers", "validate_products", "validate_transactions",
    "load_dim_product", "load_dim_customer", "load_fact_sales",
]  # fmt: skip
OLD = Slice(Month(2024, 6))


def extract(shop, key: str, as_of: date) -> str:
    return shop.run(key, as_of, only=["extract_transactions"])["extract_transactions"]


def sold(shop, key: str, *, months: int) -> None:
    """A firm with one sale in each of so many months before AS_OF, extracted once."""
    shop.add(key)
    days = [AS_OF - timedelta(days=15 + 30 * n) for n in range(months)]
    shop.sell(key, [(f"o{day}", day, "ann", 5) for day in days])
    extract(shop, key, AS_OF)


def handoff(tmp_path: Path) -> Handoff:
    return Handoff(Settings.read().root, scratch=tmp_path / "scratch")


def index(tmp_path: Path, key: str, as_of: date) -> tuple[str, ...]:
    return handoff(tmp_path).manifest(Slot(key, TRANSACTIONS, Slice(as_of))).made_from


@pytest.fixture
def gets(monkeypatch) -> Counter:
    """How often each path of the store is asked for, from when the test begins to count."""
    counted: Counter = Counter()
    get = FileStore.get

    def counting(self, path):
        counted[path] += 1
        return get(self, path)

    monkeypatch.setattr(FileStore, "get", counting)
    return counted


def test_a_day_is_extracted_checked_and_loaded_with_as_many_reads_for_twenty_months_as_for_three(shop, gets):
    asked = {}
    for key, months in (("few", 3), ("many", 20)):
        sold(shop, key, months=months)
        shop.run(key, AS_OF, only=EVENTS)
        gets.clear()
        notes = shop.run(key, AS_OF + timedelta(days=1), only=EVENTS)
        asked[key] = sum(gets.values())
        assert notes["extract_transactions"].startswith("read 2 of ")
        assert notes["validate_transactions"].startswith("checked ")
        assert "loaded already" in notes["load_fact_sales"]

    assert asked["many"] == asked["few"] > 0


def test_without_the_ledger_the_run_writes_the_same_index_and_fills_the_ledger(shop, tmp_path):
    sold(shop, "acme", months=12)
    extract(shop, "acme", AS_OF + timedelta(days=20))
    with_ledger = index(tmp_path, "acme", AS_OF + timedelta(days=20))
    before = shop.query("select slice, token, manifest_sha256 from control.slices order by slice")
    shop.query("delete from control.slices returning slice")

    extract(shop, "acme", AS_OF + timedelta(days=20))
    after = shop.query("select slice, token, manifest_sha256 from control.slices order by slice")

    closed = [reference for reference in with_ledger if "month=2025-03" not in reference]
    assert len(closed) == 12
    assert closed == [
        r for r in index(tmp_path, "acme", AS_OF + timedelta(days=20)) if "month=2025-03" not in r
    ]
    assert [row for row in after if row[0] < "2025-03"] == [row for row in before if row[0] < "2025-03"]


def test_a_month_that_another_attempt_replaced_is_named_by_its_own_manifest(shop, tmp_path):
    sold(shop, "acme", months=12)
    store, slot = handoff(tmp_path), Slot("acme", TRANSACTIONS, OLD)
    newer = store.write(slot, list(store.read(slot)), token=10_000, as_of=AS_OF)

    extract(shop, "acme", AS_OF + timedelta(days=1))

    assert newer.reference in index(tmp_path, "acme", AS_OF + timedelta(days=1))
    assert shop.query("select token from control.slices where slice = %s", str(OLD)) == [(10_000,)]


def test_a_month_that_the_store_has_lost_is_read_again(shop, tmp_path):
    sold(shop, "acme", months=12)
    lost = tmp_path / "home" / "handoffs" / "acme" / "transactions" / OLD.folder
    shutil.rmtree(lost)

    note = extract(shop, "acme", AS_OF + timedelta(days=1))

    assert note.startswith("read 3 of ")
    assert (lost / "_manifest.json").is_file()
