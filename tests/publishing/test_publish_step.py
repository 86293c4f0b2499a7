"""The publish step within a run: it runs last, as the firm's row says, and reports its result."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import tenacity

from include.firms import parse_firm
from include.incidents import first_line
from include.publishing import PublishError
from include.run import run_step
from include.steps import STEPS, find_step, steps_for, upstream
from tests.publishing.conftest import NEW
from tests.publishing.test_webhook import SECRET, Receiver, listening
from tests.warehouse.shop import ACME


@pytest.fixture
def firm(analysed, crm, tmp_path, monkeypatch):
    """The analysed shop, whose row says where to publish."""
    place = {"conn_id": "acme_crm", "schema": "crm", "webhook": "acme_hook"}
    analysed.warehouse.firms.save_firm(
        parse_firm(ACME | {"publish": place, "modules": ["rfm", "churn", "insight", "publish"]}), actor="test"
    )
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", analysed.dsn)
    monkeypatch.setenv("AIRFLOW_CONN_ACME_CRM", crm.dsn)
    return analysed


def test_a_run_publishes_tables_and_changes_and_reports_both(firm, crm, monkeypatch):
    receiver = Receiver()
    with listening(receiver) as port:
        monkeypatch.setenv("AIRFLOW_CONN_ACME_HOOK", f"http://:{quote(SECRET, safe='')}@127.0.0.1:{port}/in")
        first = run_step(find_step("publish"), "acme", NEW - timedelta(days=1))
        second = run_step(find_step("publish"), "acme", NEW)

    assert (first.rows, first.note) == (7, "0 changes; 0 delivered")
    assert (second.rows, second.note) == (8, "1 changes; 1 delivered")
    assert [json.loads(body)["data"]["customer_id"] for _, body in receiver.requests] == ["bob"]
    assert crm.ask("select count(*) from analytic_customer") == [(2,)]
    assert firm.ask(
        "select is_sufficient, reason from control.module_status where module = 'publish' and as_of = %s", NEW
    ) == [(True, "1 changes; 1 delivered")]


def test_a_day_that_was_not_computed_is_not_published(firm, crm, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_HOOK", f"http://:{quote(SECRET, safe='')}@127.0.0.1:1/in")
    run_step(find_step("publish"), "acme", NEW)
    before = crm.everything()

    with pytest.raises(PublishError, match="no snapshot of the day in fact_customer_churn_risk, fact_cust"):
        run_step(find_step("publish"), "acme", NEW + timedelta(days=1))

    assert crm.everything() == before
    assert firm.ask("select as_of from control.outbox_snapshots") == [(NEW,)]


def test_an_unavailable_webhook_does_not_fail_the_run(firm, crm, monkeypatch):
    with listening(Receiver()) as port:
        pass
    monkeypatch.setattr("include.publishing.webhook.WAIT", tenacity.wait_none())
    monkeypatch.setenv("AIRFLOW_CONN_ACME_HOOK", f"http://:{quote(SECRET, safe='')}@127.0.0.1:{port}/in")
    run_step(find_step("publish"), "acme", NEW - timedelta(days=1))

    outcome = run_step(find_step("publish"), "acme", NEW)

    assert "1 wait: the webhook cannot be reached" in outcome.note
    assert crm.ask("select count(*) from analytic_customer") == [(2,)]


def test_an_unreachable_database_fails_the_step_and_the_error_contains_no_secret(firm, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_CRM", "postgresql://bi:hunter2@127.0.0.1:1/crm")

    with pytest.raises(PublishError, match="nothing was changed") as caught:
        run_step(find_step("publish"), "acme", NEW)

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in first_line(caught.value)
    assert firm.ask("select count(*) from control.outbox_snapshots") == [(0,)]


def test_publishing_runs_after_every_step_that_it_reads_from():
    steps = steps_for(tuple({step.module for step in STEPS if step.module}))
    publish = find_step("publish")

    assert {
        "load_fact_customer_rfm",
        "load_fact_customer_ltv",
        "load_fact_customer_churn_risk",
        "load_fact_firm_insight",
        "load_churn_models",
    } <= set(upstream(publish, steps))
    assert not [step.name for step in steps if "publish" in upstream(step, steps)]
