"""The hashes of facts: equal for equal facts whatever ran before, and a difference is located."""

import json
from datetime import date

import psycopg
import pytest

from include import postgres
from tests.run.conftest import Shop
from tools import facts_hash
from tools.facts_hash import SHARED, compare, describe, hash_warehouse, main

AS_OF = date(2026, 3, 1)


def sales(prefix: str, count: int = 30) -> list[tuple]:
    return [
        (f"{prefix}{n}", date(2026, 1 + n % 2, 1 + n % 28), f"{prefix}c{n % 7}", 10 + n) for n in range(count)
    ]


@pytest.fixture
def installation(tmp_path, postgres_server, migrated, monkeypatch):
    """Makes an installation with firms of given keys, run once each in that order; its database's URL."""
    made = []

    def build(*keys: str) -> str:
        name = f"hash_{tmp_path.name[-8:]}_{len(made)}".replace("-", "_")
        made.append(name)
        dsn = postgres.create_database(postgres_server, name, template=migrated)
        home = tmp_path / name
        monkeypatch.setenv("FIRMAMENT_HOME", str(home))
        monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", dsn)
        shop = Shop(home, dsn)
        for key in keys:
            shop.add(key)
            shop.sell(key, sales(key))
            shop.run(key, AS_OF)
        return dsn

    yield build
    for name in made:
        postgres.drop_database(postgres_server, name)


def change(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection:
        assert connection.execute(statement).rowcount == 1 or "alter" in statement


def test_equal_facts_have_equal_hashes_whatever_surrogate_keys_and_tokens_they_got(installation):
    first, second = installation("acme"), installation("beta", "acme")

    before, after = hash_warehouse(first), hash_warehouse(second)

    assert before["firms"]["acme"] == after["firms"]["acme"]
    assert compare(before, after) == []
    assert before["firms"]["acme"]["fact_sales"]["slices"]["all"]["rows"] == 30
    assert set(before["firms"]["acme"]["fact_customer_rfm"]["slices"]) == {"2026-03-01"}
    assert before["firms"][SHARED]["dim_date"]["slices"]["all"]["rows"] > 40_000


def test_a_changed_value_is_reported_with_table_date_column_and_key(
    installation, tmp_path, capsys, monkeypatch
):
    dsn = installation("acme")
    earlier = tmp_path / "facts.json"
    assert main(["--dsn", dsn, "--out", str(earlier)]) == 0
    sampled = json.loads(earlier.read_text())["firms"]["acme"]["fact_customer_rfm"]["slices"]["2026-03-01"]
    customer = next(iter(sampled["samples"])).split("\t")[1]
    assert main(["--dsn", dsn, "--compare", str(earlier)]) == 0

    change(
        dsn,
        "update analytics.fact_customer_rfm set total_spend = total_spend + 0.0001 where customer_sk = "
        f"(select customer_sk from analytics.dim_customer where customer_id = '{customer}')",
    )

    assert main(["--dsn", dsn, "--compare", str(earlier)]) == 1
    monkeypatch.setitem(facts_hash.PREDICTIONS, "fact_customer_rfm", "a test")
    assert main(["--dsn", dsn, "--compare", str(earlier)]) == 0
    assert main(["--dsn", dsn, "--compare", str(earlier), "--predictions"]) == 1
    capsys.readouterr()
    monkeypatch.delitem(facts_hash.PREDICTIONS, "fact_customer_rfm")
    assert main(["--dsn", dsn, "--compare", str(earlier)]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("acme")]
    assert line == (
        "acme fact_customer_rfm 2026-03-01: 7 rows before, 7 now; columns that differ: total_spend; "
        f"keys that differ: 2026-03-01, {customer}"
    )


def test_added_columns_are_ignored_and_renamed_ones_are_found_by_the_name_map(installation, monkeypatch):
    dsn = installation("acme")
    before = hash_warehouse(dsn)
    change(dsn, "alter table analytics.fact_customer_rfm add column added int default 1")
    assert compare(before, hash_warehouse(dsn, like=before)) == []

    change(dsn, "alter table analytics.fact_customer_rfm rename column total_spend to spend_amount")

    assert compare(before, hash_warehouse(dsn, like=before)) == [
        "acme fact_customer_rfm: columns ['total_spend'] are missing; if renamed, see RENAMED_COLUMNS"
    ]
    monkeypatch.setitem(facts_hash.RENAMED_COLUMNS, "fact_customer_rfm", {"total_spend": "spend_amount"})
    assert compare(before, hash_warehouse(dsn, like=before)) == []


def test_a_missing_table_and_a_missing_firm_are_differences(installation):
    dsn = installation("acme")
    before = hash_warehouse(dsn)
    before["firms"]["beta"] = before["firms"]["acme"]
    change(dsn, "alter table analytics.fact_action rename to fact_campaign_action")

    lines = compare(before, hash_warehouse(dsn, like=before))

    assert lines == [
        "acme fact_action: the table is missing; if it was renamed, add it to RENAMED_TABLES",
        "beta: the warehouse has no such firm",
    ]


def test_a_surrogate_key_without_a_business_key_is_refused(migrated_dsn):
    change(migrated_dsn, "alter table analytics.fact_action add column parcel_sk int")

    with (
        psycopg.connect(migrated_dsn) as connection,
        pytest.raises(ValueError, match=r"fact_action: surrogate keys \['parcel_sk'\] are unknown"),
    ):
        describe(connection)


def test_facts_of_sales_and_rfm_are_no_predictions():
    assert not {name for name in facts_hash.PREDICTIONS if "rfm" in name or "sales" in name or "dim_" in name}


def test_every_table_that_facts_are_hashed_from_has_a_business_key(migrated_dsn):
    with psycopg.connect(migrated_dsn) as connection:
        layouts = describe(connection)

    assert [table for table, layout in layouts.items() if not layout["key"]] == []
    assert {"fact_sales", "fact_customer_rfm", "fact_scorecard", "dim_customer"} <= set(layouts)
    assert "dim_summary" not in layouts
