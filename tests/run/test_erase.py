"""Erasing a customer: gone from all data, filtered from later extracts, completed after any kill."""

from __future__ import annotations

import json
import signal
import time
from datetime import date, timedelta

import psycopg
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from include.cli import app
from include.erasure import EraseError, erase
from include.erasure.places import in_statistics
from include.erasure.search_terms import SearchTerms
from include.settings import Settings
from include.warehouse import Warehouse
from tests.run.conftest import Shop
from tests.run.source import fill, person
from tests.things import ended, forked

AS_OF = date(2026, 11, 21)
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


@pytest.fixture(scope="module")
def acme(tmp_path_factory, module_migrated_dsn):
    """A firm with a shop in Postgres, run twice; each test erases another of its customers."""
    shop = Shop(tmp_path_factory.mktemp("acme"), module_migrated_dsn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(shop.home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", shop.dsn)
        patch.setenv("AIRFLOW_CONN_ACME_SHOP", shop.dsn)
        patch.delenv("FIRMAMENT_FAULT", raising=False)
        fill(shop.dsn, "shop", customers=25, as_of=AS_OF)
        with psycopg.connect(shop.dsn) as connection:
            connection.execute("create schema crm")
        shop.add(
            "acme",
            source={"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"},
            modules=["rfm", "publish"],
            publish={"conn_id": "acme_shop", "schema": "crm", "tables": ["analytic_customer"]},
        )
        shop.run("acme", AS_OF - timedelta(days=1))
        shop.run("acme", AS_OF)
        yield shop


def sales(shop) -> list[tuple]:
    return shop.query(
        "select order_date, count(*), sum(net_amount) from analytics.fact_sales group by 1 order by 1"
    )


def places_of(shop, number: int) -> list[str]:
    """Where a customer is, searched independently of the product: all rows and all files as text."""
    told = person(number)
    found = []
    for path in (shop.home / "home").rglob("*.parquet"):
        text = json.dumps(pq.read_table(path).to_pylist(), default=str)
        found += [str(path)] if any(value in text for value in told) else []
    for schema, table in shop.query(
        "select table_schema, table_name from information_schema.tables "
        "where table_schema in ('analytics', 'mart', 'control', 'pii', 'parts', 'crm')"
    ):
        text = "\n".join(str(row) for row in shop.query(f'select t::text from "{schema}"."{table}" as t'))
        found += [f"{schema}.{table}"] if any(value in text for value in told) else []
    return found


def erase_one(shop, number: int):
    return erase(Settings.read(), "acme", person(number).customer_id, actor="test")


def anonymous(shop) -> tuple:
    return shop.query(
        "select count(*), coalesce(sum(net_amount), 0) from analytics.fact_sales "
        "join analytics.dim_customer using (firm_sk, customer_sk) where is_anonymous"
    )[0]


def test_an_erased_customer_is_nowhere_and_totals_do_not_change(acme):
    before, nobody = sales(acme), anonymous(acme)
    who = person(7)
    logs = acme.home / "home" / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "step.log").write_text(f"a line\nrow of {who.customer_id}, {who.email}, refused\nthe last\n")
    acme.query(
        "insert into control.step_runs (firm_key, as_of, step, status, message) "
        "values ('acme', '2026-11-21', 'x', 'failed', %s) returning 1",
        f"customer {who.customer_id} is odd",
    )
    assert len(places_of(acme, 7)) > 10

    report = erase_one(acme, 7)

    assert report.found == []
    assert places_of(acme, 7) == []
    assert sales(acme) == before
    assert report.changed["analytics.fact_sales"] == 2
    assert report.changed["rows of the firm's own tables"] == 1
    assert anonymous(acme) == (nobody[0] + 2, nobody[1] + 2 * 17)
    assert (logs / "step.log").read_text() == (
        f"a line\nrow of {'*' * len(who.customer_id)}, {'*' * len(who.email)}, refused\nthe last\n"
    )
    assert {part.what for part in report.searched if part.count} >= {
        "tables", "views", "parquet files", "logs and reports", "columns' statistics",
    }  # fmt: skip


def test_the_next_extract_does_not_bring_the_customer_back(acme):
    erase_one(acme, 1)
    before, nobody = sales(acme), anonymous(acme)
    steps = ("extract_transactions", "extract_customers", "extract_loyalty_movements", "load_dim_customer",
             "load_fact_sales")  # fmt: skip

    acme.run("acme", AS_OF + timedelta(days=1), full=True, only=steps)

    counted = acme.query(
        "select dataset, row_count > 0 from control.rejections where reason = 'erased_customer' "
        "group by dataset, row_count > 0 order by 1"
    )
    assert places_of(acme, 1) == []
    assert sales(acme) == before
    assert anonymous(acme) == nobody
    assert counted == [("customers", True), ("loyalty_movements", True)]


def test_what_was_loaded_is_not_loaded_again_after_erasing(acme):
    erase_one(acme, 2)

    notes = acme.run("acme", AS_OF, only=("load_dim_customer", "load_fact_sales", "load_fact_customer_rfm"))

    counts = [note.split(" slices")[0].split(" of ") for note in notes.values()]
    assert [len(count) for count in counts] == [2, 2, 2], notes
    assert all(current == all_of_them for current, all_of_them in counts)


def test_a_killed_erasure_that_runs_again_ends_the_same(acme):
    before = sales(acme)
    points = (
        "erase.after_suppression:1", "erase.after_slice:3", "handoff.before_commit:2",
        "handoff.after_commit:1", "erase.before_commit:1", "erase.after_commit:1",
    )  # fmt: skip
    for number, point in enumerate(points, start=10):
        status = ended(forked(lambda number=number: erase_one(acme, number), fault=f"{point}:kill9"))
        unproven = acme.query("select count(*) from control.erasures where erased_at is null")

        report = erase_one(acme, number)

        assert status == -signal.SIGKILL, point
        assert report.found == [], point
        assert places_of(acme, number) == [], point
        assert sales(acme) == before, point
        proven = acme.query("select count(*) from control.erasures where erased_at is null")
        assert proven[0][0] == unproven[0][0] - 1, point


def test_erasing_waits_for_a_running_step_of_the_firm(acme):
    there = ("select count(*) from analytics.dim_customer where customer_id = %s", person(3).customer_id)
    with Warehouse(acme.dsn) as step:
        step.runs.draw_token("acme", "extract_customers", str(AS_OF))
        child = forked(lambda: erase_one(acme, 3))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and acme.query(WAITING) == [(0,)]:
            time.sleep(0.05)
        meanwhile = acme.query(*there)

    status = ended(child)

    assert (meanwhile, status, acme.query(*there)) == ([(1,)], 0, [(0,)])


def test_only_the_hash_is_kept_and_the_audit_says_who_asked(acme):
    result = CliRunner().invoke(app, ["erase", "acme", person(4).customer_id])

    audit = acme.query(
        "select change_made, changed_to ->> 'customer_hash', actor <> '' from control.audit "
        "where change_made like 'erase%%' order by audit_id desc limit 2"
    )
    (row,) = acme.query("select customer_hash from control.erasures order by requested_at desc limit 1")
    assert result.exit_code == 0, result.output
    assert "erased the customer from acme" in " ".join(result.output.split())
    assert audit == [("erased", row[0], True), ("erase", row[0], True)]
    assert len(row[0]) == 64


def test_an_unknown_customer_id_is_refused(acme):
    before = acme.query("select count(*) from control.erasures")

    with pytest.raises(EraseError, match="no such customer"):
        erase(Settings.read(), "acme", "C9999", actor="test")

    assert acme.query("select count(*) from control.erasures") == before


def test_a_value_that_is_left_is_found_and_reported(acme):
    brand = "update analytics.dim_product set brand = %s where product_id = 'p1' returning 1"
    unproven = "select count(*) from control.erasures where erased_at is null"
    ((before,),) = acme.query(unproven)
    acme.query(brand, f"made for {person(5).full_name}")

    result = CliRunner().invoke(app, ["erase", "acme", person(5).customer_id])
    acme.query(brand, "Leaf")

    assert result.exit_code == 1
    assert "the customer is still in analytics.dim_product.brand" in result.output
    assert acme.query(unproven) == [(before + 1,)]
    assert erase_one(acme, 5).found == []


def test_another_firms_customer_of_the_same_id_and_contacts_is_not_reported(acme):
    acme.add("zeta")
    acme.sell("zeta", [("z1", AS_OF - timedelta(days=9), person(6).customer_id, 5)])
    acme.run("zeta", AS_OF)
    acme.query(
        "insert into pii.customer_contact (firm_sk, customer_sk, full_name, email, phone) "
        "select firm_sk, customer_sk, %s, %s, %s from analytics.dim_customer "
        "join analytics.dim_firm using (firm_sk) where firm_key = 'zeta' and customer_id = %s returning 1",
        *person(6)[1:],
        person(6).customer_id,
    )
    log = acme.home / "home" / "logs" / "tasks" / "dag_id=firm_zeta" / "run.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"customer {person(6).customer_id} of zeta\n")
    of_zeta = (
        "select customer_id, email from analytics.dim_customer join analytics.dim_firm using (firm_sk) "
        "left join pii.customer_contact using (firm_sk, customer_sk) where firm_key = 'zeta' order by 1"
    )
    before = acme.query(of_zeta)

    report = erase_one(acme, 6)

    held = acme.query(
        "select count(*) from pg_stats where %s = any(coalesce(most_common_vals::text::text[], '{}') "
        "|| coalesce(histogram_bounds::text::text[], '{}'))",
        person(6).customer_id,
    )
    assert held[0][0] > 0
    assert report.found == []
    assert acme.query(of_zeta) == before
    assert log.read_text() == f"customer {person(6).customer_id} of zeta\n"
    assert acme.query(
        "select count(*) from analytics.dim_customer where customer_id = %s", person(6).customer_id
    ) == [(1,)]


def test_statistics_that_no_row_explains_are_reported(acme):
    """Erasing renews statistics after deleting rows; here they are still the old ones, in two tables."""
    terms = SearchTerms(person(8).customer_id, person(8)[1:])
    with psycopg.connect(acme.dsn) as connection:
        connection.execute("analyze analytics.dim_customer; analyze pii.customer_contact")
        connection.execute(
            "create table public.kept as table pii.customer_contact; delete from pii.customer_contact"
        )
    with Warehouse(acme.dsn) as warehouse:
        _, found = in_statistics(warehouse, terms, "acme")
    with psycopg.connect(acme.dsn) as connection:
        connection.execute("insert into pii.customer_contact table public.kept; drop table public.kept")

    assert "pii.customer_contact.email" in found
    assert "analytics.dim_customer.customer_id" in found


@pytest.mark.parametrize(
    ("who", "text", "is_match"),
    [
        ("C4711", "row c4711 is odd", True),
        ("C4711", "row XC47112", False),
        ("42", "read 42 of 42 months", False),
        ("42", "customer_id='42' net_amount='1'", True),
        ("42", '{"household_key": "42", "quantity": 1}', True),
        ("42", '{"household_key": "43", "quantity": 142}', False),
        ("42", '["{\\"who\\": 42}"]', True),
        ("42", "Canan  Kanarya called", True),
    ],
)
def test_what_matches_a_customer(who, text, is_match):
    terms = SearchTerms(who, ["Canan Kanarya"])

    assert terms.matches_document(text) is is_match
