import copy
import subprocess
import sys

import pytest

from include.incidents import FailureNotifier
from include.incidents.notifier import LOST
from include.service_accounts import RUNS
from include.warehouse.session import Session
from tests.airflow_server import airflow_server
from tests.incidents.conftest import context, firm
from tests.sinks import Hook


def test_a_message_names_firm_task_as_of_error_log_runbook_and_command(
    hook: Hook, warehouse: Session
) -> None:
    FailureNotifier(firm())(context(RuntimeError("the table is gone\nand more")))

    assert hook.texts == [
        "Firmament [error]: an error that has no kind yet: RuntimeError: firm acme\n"
        "RuntimeError: the table is gone\n"
        "At: task extract.customers, as_of 2026-11-21\n"
        "Log: http://localhost/extract.customers\n"
        "To do: Read the trace in the log. Add a row for it to include/incidents/kinds.py. "
        "(docs/runbook.md#unknown-error)\n"
        "Fix: python -m include incidents resolve 1 --rerun\n"
        "Incident 1"
    ]
    (message,) = hook.received
    assert (message["event"], message["firms"], message["incident"]) == ("opened", ["acme"], 1)


def test_a_firm_without_targets_uses_the_installations(
    hook: Hook, warehouse: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")

    FailureNotifier(firm(tier="low"))(context(RuntimeError("boom")))

    assert [message["severity"] for message in hook.received] == ["warning"]


def test_a_killed_task_opens_an_incident_without_an_error_text(hook: Hook, warehouse: Session) -> None:
    FailureNotifier(firm())(context(None))

    assert hook.received[0]["kind"] == "task_lost"
    assert hook.received[0]["error"] == LOST


def test_a_failed_run_opens_an_incident_only_if_no_task_did(hook: Hook, warehouse: Session) -> None:
    failed = FailureNotifier(firm())

    failed(context(None, reason="task_failure"))
    failed(context(None, reason="timed_out"))

    assert [message["kind"] for message in hook.received] == ["run_timed_out"]


def test_upkeep_goes_to_the_installations_targets(
    hook: Hook, warehouse: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")

    FailureNotifier()(context(RuntimeError("boom"), step="collect"))

    (message,) = hook.received
    assert (message["kind"], message["resource"], message["firms"]) == ("upkeep_failed", "collect", [])
    assert message["command"] == "python -m include airflow dags trigger firmament_upkeep"


def test_a_notifier_that_was_copied_with_the_default_args_is_the_same() -> None:
    notifier = FailureNotifier(firm())

    assert copy.deepcopy(notifier) == notifier


def test_the_run_gets_a_note_of_the_stage_that_failed(
    hook: Hook, warehouse: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with airflow_server() as (url, answers, asked):
        patch = "PATCH /api/v2/dags/firm_acme/dagRuns/scheduled__2026-11-20?update_mask=note"
        answers[patch] = [(200, {})]
        monkeypatch.setenv("AIRFLOW_CONN_FIRMAMENT_AIRFLOW", RUNS.as_connection(url, "secret"))

        FailureNotifier(firm())(context(RuntimeError("the table is gone\nmore"), step="rfm"))

    assert asked[-1][:2] == (
        patch,
        {"note": "as_of 2026-11-21 · failed at rfm: RuntimeError: the table is gone"},
    )


def test_a_backfill_is_recorded_and_quiet(hook: Hook, warehouse: Session) -> None:
    failed = FailureNotifier(firm(conn_id="shop"))

    failed(context(RuntimeError("boom"), run_type="backfill"))
    quiet = list(hook.received)
    failed(context(RuntimeError("boom")))

    assert quiet == []
    assert [message["firms"] for message in hook.received] == [["acme"]]
    assert warehouse.rows("select is_quiet, run_id from control.incident_firms") == [
        {"is_quiet": False, "run_id": "scheduled__2026-11-20"}
    ]


def test_importing_incidents_loads_no_airflow_and_no_driver() -> None:
    code = "import sys, include.incidents; print([m for m in ('airflow', 'psycopg') if m in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
