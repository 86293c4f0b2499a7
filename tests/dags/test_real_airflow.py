"""The DAGs in a real Airflow: its scheduler, its DAG processor, its API and its executor."""

import json
import os
import signal
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest

from include.airflow_api import AirflowError
from include.airflow_version import has_partitions
from include.processes import is_alive
from include.registry import read_registry
from include.retention import clean_airflow
from include.runbook import backfill_command
from include.service_accounts import RUNS
from include.settings import Settings
from include.steps import stages_for, steps_for
from include.version import code_version
from tests.console.browser import chromium, visit
from tests.dags.conftest import RealAirflow
from tests.file_modes import open_to_others

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1800)]

TODAY = datetime.now(UTC).date()
WELL_AS_OF = TODAY - timedelta(days=20)
ROOTS = {f"extract.{step.name.removeprefix('extract_')}" for step in stages_for(("rfm",))[0].steps}
FACTS = """
    select dim_customer.customer_id, fact_customer_rfm.recency_score, fact_customer_rfm.frequency_score,
        fact_customer_rfm.monetary_score
    from analytics.fact_customer_rfm
    inner join analytics.dim_customer using (customer_sk)
    inner join analytics.dim_firm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
    where dim_firm.firm_key = %s and fact_customer_rfm.as_of = %s
    order by dim_customer.customer_id
"""


@contextmanager
def locked(airflow: RealAirflow, table: str, mode: str = "access exclusive"):
    """No other session can use the table (mode ``share``: write to it): a load waits in its transaction."""
    with psycopg.connect(airflow.stack.warehouse) as connection:
        connection.execute(f"lock table {table} in {mode} mode")
        yield
        connection.rollback()


def run_well(airflow: RealAirflow) -> tuple[str, str]:
    """The one run of a firm that nothing happens to, for others to be compared with."""
    dag_id = airflow.add_firm("well")
    runs = airflow.api.call("GET", f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
    return dag_id, runs[0]["dag_run_id"] if runs else airflow.trigger(dag_id, WELL_AS_OF)


def snapshots(airflow: RealAirflow, key: str) -> list[date]:
    asked = """
        select distinct as_of from analytics.fact_customer_rfm
        inner join analytics.dim_firm using (firm_sk) where firm_key = %s order by 1
    """
    return [as_of for (as_of,) in airflow.rows(asked, key)]


def test_a_firm_that_lacks_a_threshold_fails_alone_and_the_printed_command_turns_its_run_green(
    airflow_stack: RealAirflow,
):
    airflow, as_of = airflow_stack, WELL_AS_OF
    lacking = airflow.add_firm("lacking")
    airflow.rows(
        "update control.firms set churn_threshold_days = null where firm_key = 'lacking' returning firm_key"
    )

    failed = airflow.trigger(lacking, as_of)
    well = run_well(airflow)

    assert airflow.ended(lacking, failed) == "failed"
    assert airflow.ended(*well) == "success"
    assert snapshots(airflow, "well") == [as_of]
    assert snapshots(airflow, "lacking") == []
    states = {task["task_id"]: task["state"] for task in airflow.api.tasks(lacking, failed)}
    assert {name for name, state in states.items() if state == "failed"} == ROOTS
    assert {state for name, state in states.items() if name not in ROOTS} == {"upstream_failed"}
    # Several tasks failed of one cause, and the others never ran: one message.
    (message,) = airflow.opened("lacking")
    assert message["stage"] in ROOTS
    assert message["as_of"] == as_of.isoformat()
    assert "churn_threshold_days: Field required" in message["error"]
    assert message["log_url"].startswith(
        f"{airflow.stack.url}/dags/firm_lacking/runs/{failed}/tasks/extract."
    )
    assert message["command"] == f"python -m include incidents resolve {message['incident']} --rerun"
    note = airflow.api.note(lacking, failed)
    assert note.startswith(f"as_of {as_of} · failed at extract.")
    assert "churn_threshold_days: Field required" in note
    customers = len(airflow.rows(FACTS, "well", as_of))
    whole = f"as_of {as_of} · {len(steps_for(('rfm',)))} steps done · {customers} customers"
    assert airflow.api.note(*well) == whole

    # The message's command, typed in a plain shell once the row is right, turns the run green.
    airflow.rows(
        "update control.firms set churn_threshold_days = 60 where firm_key = 'lacking' returning firm_key"
    )
    printed = airflow.plain_shell(message["command"])
    assert airflow.ended(lacking, failed) == "success", printed
    closed = ("closed", message["incident"])
    airflow.wait(lambda: closed in airflow.messages("lacking"), "the watcher closes it", seconds=180)
    assert airflow.messages("lacking") == [("opened", message["incident"]), closed]


def test_a_consumer_of_a_fact_runs_for_the_firm_and_day_that_landed(airflow_stack: RealAirflow):
    airflow, as_of = airflow_stack, WELL_AS_OF
    well, first = run_well(airflow)
    assert airflow.ended(well, first) == "success"
    (airflow.settings.home / "demo").mkdir()
    consumer = airflow.wait_for_dag("example_after_facts")

    run_id = airflow.trigger(well, as_of)
    assert airflow.ended(well, run_id) == "success"

    def runs() -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{consumer}/dagRuns?state=success"
        return list(airflow.api.call("GET", path)["dag_runs"])

    airflow.wait(lambda: bool(runs()), "the consumer runs", seconds=120)
    (run,) = runs()
    if has_partitions():
        assert run["partition_key"] == f"well|{as_of}"
    path = (
        f"/api/v2/dags/{consumer}/dagRuns/{run['dag_run_id']}/taskInstances/landed/xcomEntries/return_value"
    )
    value = airflow.api.call("GET", f"{path}?deserialize=true")["value"]
    (landed,) = value if isinstance(value, list) else json.loads(value)
    rows = len(airflow.rows(FACTS, "well", as_of))
    assert {name: landed[name] for name in ("firm", "as_of", "table", "run_id", "quality")} == {
        "firm": "well", "as_of": str(as_of), "table": "analytics.fact_customer_rfm", "run_id": run_id,
        "quality": "passed",
    }  # fmt: skip
    # The warehouse had these rows already; the event of the first run has their number.
    assert landed["rows"] == 0
    assert landed["manifest"].startswith("well/rfm/")
    assert landed["code_version"] == code_version()
    assert landed["url"] == f"{airflow.stack.url}/plugin/firmament?firm=well&as_of={as_of}"
    asset = airflow.api.call("GET", "/api/v2/assets?name_pattern=firmament_fact_customer_rfm")["assets"][0]
    events = airflow.api.call("GET", f"/api/v2/assets/events?asset_id={asset['id']}&source_run_id={first}")
    assert [event["extra"]["rows"] for event in events["asset_events"]] == [rows]


def test_links_of_a_task_lead_to_the_runbook_and_to_the_report(airflow_stack: RealAirflow):
    airflow = airflow_stack
    well, run_id = run_well(airflow)
    assert airflow.ended(well, run_id) == "success"
    path = f"/api/v2/dags/{well}/dagRuns/{run_id}/taskInstances"

    links = {
        task["task_id"]: airflow.api.call("GET", f"{path}/{task['task_id']}/links")["extra_links"]
        for task in airflow.api.tasks(well, run_id)
    }

    report = f"{airflow.stack.url}/plugin/firmament?firm=well&as_of={WELL_AS_OF}"
    runbook = f"{airflow.stack.url}/firmament/runbook"
    assert any("Report" in one for one in links.values())
    assert {one["Runbook"] for one in links.values()} == {runbook}
    assert {one["Report"] for one in links.values() if "Report" in one} == {report}
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(runbook).status_code == 401
        token = browser.post(f"{airflow.stack.url}/auth/token", json=airflow.signs_in).json()["access_token"]
        page = browser.get(runbook, headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    assert '<h2 id="store-unreachable">' in page.text


def test_a_stage_killed_with_its_supervisor_goes_on_in_its_retry_and_computes_when_cleared(
    airflow_stack: RealAirflow,
):
    airflow, as_of, stage = airflow_stack, WELL_AS_OF, "rfm"
    killed = airflow.add_firm("killed")
    assert airflow.ended(*run_well(airflow)) == "success"

    with locked(airflow, "analytics.fact_customer_rfm"):
        run_id = airflow.trigger(killed, as_of)
        airflow.wait(
            lambda: airflow.task(killed, run_id, stage)["state"] == "running", f"{stage} runs", seconds=900
        )
        airflow.wait(lambda: waits_for_a_lock(airflow), f"{stage} waits for the lock", seconds=60)
        task = airflow.task(killed, run_id, stage)["pid"]
        supervisor = psutil.Process(task).ppid()
        os.kill(supervisor, signal.SIGKILL)
        airflow.wait(lambda: not is_alive(task), "the task ends with its supervisor", seconds=10)

    assert airflow.ended(killed, run_id) == "success"
    assert airflow.task(killed, run_id, stage)["try_number"] == 2
    assert statuses(airflow, run_id, stage, 1) == dict.fromkeys(DATASETS, "done") | {
        "load_dim_customer_segment": "done"
    }
    assert statuses(airflow, run_id, stage, 2) == dict.fromkeys(DATASETS, "skipped") | dict.fromkeys(
        LOADS, "done"
    )
    rows = airflow.rows(FACTS, "killed", as_of)
    assert rows == airflow.rows(FACTS, "well", as_of)
    assert len(rows) > 40
    # A retry that succeeds sends no message.
    assert [one for one in airflow.hook.received if one["firm"] == "killed"] == []

    airflow.api.call(
        "POST",
        f"/api/v2/dags/{killed}/clearTaskInstances",
        {"dry_run": False, "dag_run_id": run_id, "task_ids": [stage], "only_failed": False},
    )

    assert airflow.ended(killed, run_id) == "success"
    assert statuses(airflow, run_id, stage, 3) == dict.fromkeys([*DATASETS, *LOADS], "done")
    assert airflow.rows(FACTS, "killed", as_of) == rows


RFM = next(stage for stage in stages_for(("rfm",)) if stage.name == "rfm")
DATASETS = [step.name for step in RFM.steps if step.writes is not None]
LOADS = [step.name for step in RFM.steps if step.writes is None]


def statuses(airflow: RealAirflow, run_id: str, stage: str, attempt: int) -> dict[str, str]:
    """How the steps of one attempt of a stage ended."""
    asked = "select step, status from control.step_runs where (airflow_run_id, stage, attempt) = (%s, %s, %s)"
    return dict(airflow.rows(asked, run_id, stage, attempt))


def test_a_compact_firm_has_the_facts_of_a_staged_one_from_three_tasks(airflow_stack: RealAirflow):
    airflow = airflow_stack
    compact = airflow.add_firm("compact", dag_shape="compact")
    assert airflow.ended(*run_well(airflow)) == "success"

    run_id = airflow.trigger(compact, WELL_AS_OF)

    assert airflow.ended(compact, run_id) == "success"
    assert {task["task_id"] for task in airflow.api.tasks(compact, run_id)} == {"extract", "compute", "load"}
    assert airflow.rows(FACTS, "compact", WELL_AS_OF) == airflow.rows(FACTS, "well", WELL_AS_OF)
    assert airflow.api.note(compact, run_id).startswith(
        f"as_of {WELL_AS_OF} · {len(steps_for(('rfm',)))} steps done"
    )


def test_upkeep_can_clean_airflows_database_from_a_task_that_has_no_access_to_it(airflow_stack: RealAirflow):
    airflow = airflow_stack
    assert airflow.ended(*run_well(airflow)) == "success"
    blocked = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "airflow-db-not-allowed:///"}
    settings = Settings.read({**os.environ, "FIRMAMENT_HOME": str(airflow.settings.home), **blocked})

    said = clean_airflow(settings, before=datetime.now(UTC) - timedelta(days=2))

    assert said.startswith("removed in ")
    assert airflow.api.call("GET", "/api/v2/dags/firm_well/dagRuns")["total_entries"] >= 1


def test_a_gate_that_loses_its_database_is_retried_and_passes(airflow_stack: RealAirflow):
    airflow = airflow_stack
    dag_id = airflow.add_firm("cut_off")

    def gates_in(run_id: str, state: str) -> set[str]:
        tasks = airflow.api.tasks(dag_id, run_id)
        return {task["task_id"] for task in tasks if task["task_id"] == "validate" and task["state"] == state}

    with locked(airflow, "control.quality", "share"):  # an extract reads it
        run_id = airflow.trigger(dag_id, WELL_AS_OF)
        airflow.wait(lambda: waits_for_a_lock(airflow), "a gate waits for the lock", seconds=900)
        airflow.rows("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'")
        airflow.wait(lambda: bool(gates_in(run_id, "up_for_retry")), "a retry", seconds=120)
        cut_off = gates_in(run_id, "up_for_retry")

    assert airflow.ended(dag_id, run_id) == "success"
    assert {airflow.task(dag_id, run_id, gate)["try_number"] for gate in cut_off} == {2}
    assert [one for one in airflow.hook.received if one["firm"] == "cut_off"] == []


def test_a_verdict_of_the_gate_is_final_at_the_first_try(airflow_stack: RealAirflow):
    airflow, step = airflow_stack, "validate"
    dag_id = airflow.add_firm("bad", quality={"transactions": {"grain_unique": {"fail_above": -1}}})

    run_id = airflow.trigger(dag_id, WELL_AS_OF)

    assert airflow.ended(dag_id, run_id) == "failed"
    task = airflow.task(dag_id, run_id, step)
    assert (task["state"], task["try_number"], task["max_tries"]) == ("failed", 1, 4)
    note = airflow.api.note(dag_id, run_id)
    assert note.startswith(f"as_of {WELL_AS_OF} · failed at {step}: ")
    assert "grain_unique" in note
    (message,) = airflow.opened("bad")
    assert message["stage"] == step
    assert "grain_unique" in message["error"]


def test_what_a_run_leaves_can_be_read_by_its_owner_alone(airflow_stack: RealAirflow):
    airflow = airflow_stack
    # The registry names no customer, and the DAG processor may be another user.
    own = {"dags", "sales", "registry.json", "registry.json.good", ".registry.json.lock"}
    assert airflow.ended(*run_well(airflow)) == "success"

    found = open_to_others(airflow.settings.home, but=own)

    # Root's PostgreSQL runs as another user, who passes through these two and cannot list them.
    assert found - {(".", 0o011), ("postgres", 0o011)} == set()
    assert list((airflow.settings.logs / "tasks").rglob("*.log"))


def waits_for_a_lock(airflow: RealAirflow) -> bool:
    asked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'firmament'"
    return bool(airflow.rows(asked))


def test_the_console_answers_with_airflows_session_only(airflow_stack: RealAirflow):
    airflow, base = airflow_stack, "/firmament/api/v1"
    assert airflow.ended(*run_well(airflow)) == "success"

    document = airflow.api.call("GET", f"{base}/openapi.json")
    paths = [f"/firmament{path}".replace("{dag_id}", "firm_well") for path in document["paths"]]
    firms = airflow.api.call("GET", f"{base}/firms")["firms"]
    segments = airflow.api.call("GET", f"{base}/firms/firm_well/segments")
    anonymous = {
        path: httpx.get(airflow.stack.url + path, params={"customer_id": "1"}, trust_env=False).status_code
        for path in [*paths, f"{base}/openapi.json"]
    }

    assert len(paths) > 20
    assert anonymous == dict.fromkeys(anonymous, 401)
    (well,) = [firm for firm in firms if firm["firm_key"] == "well"]
    assert (well["dag_id"], well["as_of"]) == ("firm_well", WELL_AS_OF.isoformat())
    assert sum(row["customer_count"] for row in segments["rows"]) == len(
        airflow.rows(FACTS, "well", WELL_AS_OF)
    )


def test_a_marketer_finds_a_customer_in_airflows_own_pages(airflow_stack: RealAirflow):
    airflow = airflow_stack
    assert airflow.ended(*run_well(airflow)) == "success"
    airflow.add_firm("markup", name=MARKUP)
    token = airflow.api.call("POST", "/auth/token", airflow.signs_in)["access_token"]
    wanted = airflow.rows(FACTS, "well", WELL_AS_OF)[-1][0]

    with chromium() as browser, visit(browser, airflow.stack.url, token) as tab:
        page = tab.page
        tab.open("?lang=en")
        shown = [page.get_by_role("link", name=name, exact=True).count() for name in ("Well", MARKUP)]
        page.get_by_role("link", name="Well", exact=True).click()
        page.get_by_role("heading", name="Segments", exact=True).wait_for()
        tab.ready()
        firm, firm_faults = page.inner_text(".fm"), tab.faults()
        page.get_by_label("Where the numbers of “Segments” come from").click()
        tab.ready()
        page.locator(".fm-receipt[open] pre").first.wait_for()  # it loads when it is opened
        receipt = page.locator(".fm-receipt[open]").inner_text()
        page.get_by_role("link", name="Customers", exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_label("Search by id").fill(wanted)
        page.wait_for_url(f"**search={wanted}*")
        tab.ready()
        page.get_by_role("link", name=wanted, exact=True).click()
        page.get_by_role("heading", name=f"Customer {wanted}", exact=True).wait_for()
        tab.ready()
        customer_faults = tab.faults()
        page.reload()
        page.get_by_role("heading", name=f"Customer {wanted}", exact=True).wait_for()
        page.go_back()
        page.get_by_label("Search by id").wait_for()
        searched = page.get_by_label("Search by id").input_value()
        page.goto(f"{airflow.stack.url}/dags/firm_well/plugin/firmament-firm?lang=tr")
        page.get_by_role("heading", name="Segmentler", exact=True).wait_for()
        was_run = page.evaluate("window.markupWasRun")

    assert shown == [1, 1]
    assert firm_faults == customer_faults == []
    assert "The module churn is off for this firm." in firm
    assert searched == wanted
    assert was_run is None
    assert f"mart.rfm_segment_summary('well', '{WELL_AS_OF}'::date)" in receipt
    assert run_well(airflow)[1] in receipt


MARKUP = "<img src=x onerror=window.markupWasRun=1>"


def test_a_seven_day_backfill_fills_seven_snapshots(airflow_stack: RealAirflow):
    airflow = airflow_stack
    days = [TODAY - timedelta(days=40 - number) for number in range(7)]
    airflow.add_firm("many", working_day_period=1)
    (firm,) = [one for one in read_registry(airflow.settings.registry) if one.firm_key == "many"]

    airflow.plain_shell(backfill_command(firm, days[0], days[-1]))

    airflow.wait(lambda: set(days) <= set(snapshots(airflow, "many")), "seven snapshots", seconds=1500)
    asked = "/api/v2/dags/firm_many/dagRuns?run_type=backfill"
    assert len(airflow.api.call("GET", asked)["dag_runs"]) == 7
    rows = [len(airflow.rows(FACTS, "many", as_of)) for as_of in days]
    assert rows == sorted(rows)
    assert rows[0] > 10


def test_a_backfill_in_airflow_fills_its_days_and_a_cancelled_one_leaves_nothing_and_goes_on(
    airflow_stack: RealAirflow,
):
    airflow, dag_id = airflow_stack, "firmament_backfill"
    days = [TODAY - timedelta(days=50 - number) for number in range(2)]
    airflow.add_firm("filled")
    airflow.wait_for_dag(dag_id)
    command = f"python -m include backfill filled --from {days[0]} --to {days[1]} --in-airflow"
    runs = f"/api/v2/dags/{dag_id}/dagRuns"

    with locked(airflow, "analytics.fact_customer_rfm"):
        airflow.plain_shell(command)
        (first,) = [run["dag_run_id"] for run in airflow.api.call("GET", runs)["dag_runs"]]
        airflow.wait(lambda: waits_for_a_lock(airflow), "the backfill waits for the lock", seconds=600)
        assert f"cancelled {first}" in airflow.plain_shell("python -m include backfill --cancel")
        assert airflow.ended(dag_id, first) == "failed"
        airflow.wait(lambda: not waits_for_a_lock(airflow), "its task has ended", seconds=120)
    states = {task["state"] for task in airflow.api.tasks(dag_id, first)}
    assert states.isdisjoint({"queued", "scheduled", "running", "up_for_retry"})
    assert snapshots(airflow, "filled") == []

    airflow.plain_shell(command)
    second = next(
        run["dag_run_id"] for run in airflow.api.call("GET", runs)["dag_runs"] if run["dag_run_id"] != first
    )
    assert airflow.ended(dag_id, second) == "success"
    assert snapshots(airflow, "filled") == days
    assert "no backfill runs" in airflow.plain_shell("python -m include backfill --cancel")


def test_a_daily_firm_runs_by_itself_and_its_pool_is_made(airflow_stack: RealAirflow):
    airflow = airflow_stack
    dag_id = airflow.add_firm("many", working_day_period=1)

    runs = f"/api/v2/dags/{dag_id}/dagRuns?run_type=scheduled"
    airflow.wait(lambda: bool(airflow.api.call("GET", runs)["dag_runs"]), "a first run", seconds=60)
    (run,) = airflow.api.call("GET", runs)["dag_runs"]

    assert airflow.ended(dag_id, run["dag_run_id"], seconds=1500) == "success"
    assert date.fromisoformat(run["data_interval_end"][:10]) in snapshots(airflow, "many")
    assert airflow.api.call("GET", "/api/v2/pools/source_csv")["slots"] == 4


def test_an_as_of_in_the_future_is_refused_without_a_retry(airflow_stack: RealAirflow):
    airflow = airflow_stack
    dag_id = airflow.add_firm("ahead")

    run_id = airflow.trigger(dag_id, TODAY + timedelta(days=2))

    assert airflow.ended(dag_id, run_id) == "failed"
    assert {task["try_number"] for task in airflow.api.tasks(dag_id, run_id) if task["task_id"] in ROOTS} == {
        1
    }
    (message,) = airflow.opened("ahead")
    assert f"as_of {TODAY + timedelta(days=2)} is in the future" in message["error"]


def test_a_source_that_can_never_be_read_is_reported_within_a_minute_and_not_retried(
    airflow_stack: RealAirflow,
):
    airflow = airflow_stack
    wrong = {
        "badkind": {"kind": "csvv", "uri": "file:///tmp", "layout": "cdnow"},
        "badfolder": {"kind": "csv", "uri": "file:///no/such/folder", "layout": "cdnow"},
        "nowhere": {"kind": "postgres", "conn_id": "nowhere"},
        "badlogin": {"kind": "postgres", "conn_id": "badlogin"},
    }
    host, port = urlsplit(airflow.stack.warehouse).hostname, urlsplit(airflow.stack.warehouse).port
    fields = {
        "conn_type": "postgres",
        "host": host,
        "port": port,
        "login": "nobody_here",
        "password": "wrong",
    }
    airflow.api.call("POST", "/api/v2/connections", {"connection_id": "badlogin", "schema": "sales"} | fields)
    runs = {
        key: airflow.trigger(airflow.add_firm(key, source=source), WELL_AS_OF)
        for key, source in wrong.items()
    }

    for key, run_id in runs.items():
        assert airflow.ended(f"firm_{key}", run_id) == "failed"
        found = [task for task in airflow.api.tasks(f"firm_{key}", run_id) if task["state"] == "failed"]
        assert found
        for task in found:
            begun, ended = (datetime.fromisoformat(task[name]) for name in ("start_date", "end_date"))
            assert task["try_number"] == 1
            assert ended - begun < timedelta(seconds=60)
    said = {one["firm"]: one["error"] for one in airflow.opened(*runs)}
    assert sorted(said) == sorted(runs)
    assert said["nowhere"].startswith("no connection 'nowhere' in Airflow")
    assert "password authentication failed" in said["badlogin"]
    assert not [error for error in said.values() if "Airflow" in error.partition(":")[0].split()[0]]


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "{{ ds }}"])
def test_the_api_takes_nothing_but_a_date(airflow_stack: RealAirflow, text: str):
    dag_id = airflow_stack.add_firm("dates")

    with pytest.raises(AirflowError) as refused:
        airflow_stack.trigger(dag_id, text)

    assert refused.value.status == 400


def test_a_corrupt_registry_is_an_import_error_and_the_dags_stay(airflow_stack: RealAirflow):
    airflow = airflow_stack
    dag_id = airflow.add_firm("standing")
    registry = airflow.settings.registry
    good = registry.read_text()

    with airflow.without_upkeep():
        registry.write_text(good[:100])
        airflow.wait_for_parse(lambda: bool(airflow.api.import_errors()), "the import error shows")
        parsed = airflow.api.call("GET", f"/api/v2/dags/{dag_id}")["last_parsed_time"]
        airflow.wait_for_parse(
            lambda: airflow.api.call("GET", f"/api/v2/dags/{dag_id}")["last_parsed_time"] > parsed,
            "the DAG is parsed again",
        )
        stands, errors = airflow.api.has_dag(dag_id), airflow.api.import_errors()
        registry.write_text(good)

    assert stands
    assert [error.partition(":")[0] for error in errors] == ["registry_check.py"]
    airflow.wait_for_parse(lambda: not airflow.api.import_errors(), "the import error is gone")


def test_the_account_that_writes_notes_may_change_no_pool_and_read_no_connection(
    airflow_stack: RealAirflow,
):
    runs = airflow_stack.service(RUNS)

    for call in (lambda: runs.add_pool("x", slots=1, description=""), lambda: runs.call("GET", CONNECTIONS)):
        with pytest.raises(AirflowError) as refused:
            call()

        assert refused.value.status == 403


CONNECTIONS = "/api/v2/connections"


def test_upkeep_brings_a_new_firm_and_its_pool_to_airflow(airflow_stack: RealAirflow):
    airflow = airflow_stack
    airflow.add_firm("first")
    airflow.rows(
        "insert into control.firms (firm_key, name, source, timezone, currency, working_day_period, "
        "churn_threshold_days) select 'second', 'Second', "
        """'{"kind": "postgres", "conn_id": "second_shop"}', timezone, currency, 0, 60 """
        "from control.firms where firm_key = 'first' returning firm_key"
    )
    assert "source_second_shop" not in airflow.api.pools()
    dag_id = airflow.wait_for_dag("firmament_upkeep")

    run_id = airflow.trigger(dag_id)

    assert airflow.ended(dag_id, run_id) == "success"
    airflow.wait_for_dag("firm_second")
    assert airflow.api.call("GET", "/api/v2/pools/source_second_shop")["slots"] == 4
