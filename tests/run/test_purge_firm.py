"""``firms purge``: nothing of the firm is left, and another firm of a similar name keeps everything."""

import psycopg
import pytest
from typer.testing import CliRunner

from include.cli import app
from include.erasure.whole_firm import purge_firm
from include.incidents.causes import Cause
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, open_incident
from include.registry import read_registry, sync_firms
from include.settings import Settings
from include.warehouse import Warehouse
from tests.run.everything import everything
from tests.run.test_pipeline import AS_OF, sales

KEYS = ("acme", "acme_two")


def command(*words, code=0):
    done = CliRunner().invoke(app, ["firms", *words], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def two(shop):
    """Two firms that have run, with logs, a report and an incident of both."""
    for key in KEYS:
        shop.add(key)
        shop.sell(key, sales(25))
        shop.run(key, AS_OF)
        log = shop.home / "home" / "logs" / "tasks" / f"dag_id=firm_{key}" / "run_id=1" / "attempt=1.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"start of rfm, firm {key}; compare acme\n")  # a key may be a word of another's log
    (shop.home / "home" / "logs" / "scheduler.log").write_text("ran firm_acme and firm_acme_two, acme/rfm\n")
    settings = Settings.read()
    with Warehouse(shop.dsn) as warehouse:
        sync_firms(warehouse.firms, settings.registry)
    for shape in read_registry(settings.registry):
        failure = Failure(
            shape, f"{shape.firm_key} is down", "http://log", AS_OF, "extract.customers", "run 1"
        )
        open_incident(Cause(KINDS["gate_stopped"], "shared"), failure, settings)
    return shop


def mentions(dsn, key):
    """Tables of which a row has the firm's key as a word, by a search of the text of all rows."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n "
            "on n.oid = c.relnamespace where n.nspname in ('analytics', 'control', 'pii', 'parts') "
            "and c.relkind in ('r', 'p')"
        ).fetchall()
        return {
            table
            for (table,) in tables
            if connection.execute(
                f"select 1 from {table} as t where t::text ~ %s limit 1", [rf"(^|\W)(firm_)?{key}(\W|$)"]
            ).fetchone()
        }


def test_a_purge_leaves_nothing_of_the_firm_and_all_of_the_other(two):
    others = everything(two.dsn, "acme_two")
    command("remove", "acme")

    said = command("purge", "acme", "--yes")

    assert "nothing of acme is left" in said
    assert "python -m include airflow dags delete firm_acme --yes" in said
    assert mentions(two.dsn, "acme") == {"control.audit"}
    assert two.query("select change_made from control.audit where firm_key = 'acme'") == [("purge",)]
    home = two.home / "home"
    assert not (home / "handoffs" / "acme").exists()
    assert not list((home / "logs").rglob("dag_id=firm_acme"))
    assert (home / "logs" / "scheduler.log").read_text() == "ran ********* and firm_acme_two, ****/rfm\n"
    assert [shape.firm_key for shape in read_registry(Settings.read().registry)] == ["acme_two"]
    assert everything(two.dsn, "acme_two") == others
    assert len(others["analytics.fact_customer_rfm"]) == 25
    assert (home / "logs" / "tasks" / "dag_id=firm_acme_two").is_dir()
    assert two.query("select firm_key from control.incident_firms") == [("acme_two",)]


def test_the_firm_may_be_added_again_and_runs(two):
    before = two.facts("acme")
    command("remove", "acme")
    command("purge", "acme", "--yes")
    two.add("acme")

    two.run("acme", AS_OF)

    assert two.facts("acme") == before


def test_the_search_finds_what_a_purge_would_leave(two, monkeypatch):
    command("remove", "acme")
    monkeypatch.setattr("include.warehouse.firm_purge.FirmPurge.delete", lambda *_: {})

    report = purge_firm(Settings.read(), "acme", actor="test")

    assert {"analytics.fact_sales", "analytics.dim_customer", "control.step_runs", "parts"} <= set(
        report.found
    )


def test_a_decision_on_a_model_is_deleted_by_a_purge_alone(two):
    insert = (
        "insert into control.model_decisions (firm_key, module, replaces_anchor, from_as_of, anchor, "
        "decided_by, why) values (%s, 'churn', '2025-01-01', '2025-02-01', '2024-10-01', 'ann', 'a test') "
        "returning 1"
    )
    for key in KEYS:
        two.query(insert, key)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        two.query("delete from control.model_decisions returning 1")
    command("remove", "acme")

    command("purge", "acme", "--yes")

    assert two.query("select firm_key from control.model_decisions") == [("acme_two",)]


def test_a_purge_needs_a_removed_firm_and_a_yes(two):
    assert "remove it first" in command("purge", "acme", "--yes", code=2)
    assert "also among removed ones" in command("purge", "nowhere", "--yes", code=2)
    command("remove", "acme")
    assert "add --yes" in command("purge", "acme", code=2)
    assert len(two.facts("acme")["rfm"]) == 25
