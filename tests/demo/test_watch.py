"""The demo's wait for its runs, against a real HTTP server that answers as Airflow does."""

import io
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from include.airflow_api import AirflowApi
from include.demo import __main__ as demo
from tests.airflow_server import airflow_server

RUNS = [
    demo.Run("a", date(2025, 1, 1), "demo_2025-01-01_S"),
    demo.Run("b", date(2025, 1, 1), "demo_2025-01-01_S"),
]
STATES = "GET /api/v2/dags/~/dagRuns?limit=100&run_id_pattern=%25S%25"
TASKS = "GET /api/v2/dags/~/dagRuns/~/taskInstances?limit=100&end_date_gte="
ALL, LATER = "1969-12-31T23%3A59%3A45%2B00%3A00", "2024-12-31T23%3A59%3A45%2B00%3A00"


def states(*found):
    runs = zip(RUNS, found, strict=True)
    return 200, {"dag_runs": [{"dag_id": r.dag_id, "dag_run_id": r.run_id, "state": s} for r, s in runs]}


def ended(dag_id, state, run_id="demo_2025-01-01_S"):
    return {
        "dag_id": dag_id,
        "dag_run_id": run_id,
        "task_id": "rfm",
        "try_number": 1,
        "state": state,
        "end_date": "2025-01-01T00:00:00+00:00",
    }


@pytest.fixture
def watched(monkeypatch):
    """Watch both runs; the answers to give, the requests that were made, and the console's text."""
    monkeypatch.setattr(demo, "WATCH_SECONDS", 0.0)
    with airflow_server() as (url, answers, asked):

        def watch():
            shown = io.StringIO()
            demo.watch(AirflowApi(url, "admin", "secret"), RUNS, Path("logs"), Console(file=shown, width=100))
            return shown.getvalue()

        yield answers, asked, watch


def test_two_requests_ask_for_all_runs_and_a_task_is_shown_once(watched):
    answers, asked, watch = watched
    answers[STATES] = [states("running", "queued"), states("success", "success")]
    answers[TASKS + ALL] = [
        (200, {"task_instances": [ended("firm_a", "success"), ended("firmament_upkeep", "success", "x")]})
    ]
    answers[TASKS + LATER] = [
        (200, {"task_instances": [ended("firm_a", "success"), ended("firm_b", "success")]})
    ]

    lines = watch().splitlines()

    assert [line.split()[2] for line in lines] == ["a", "b"]
    assert len([call for call, *_ in asked if call.startswith("GET")]) == 4


def test_a_failed_run_ends_the_demo(watched):
    answers, _, watch = watched
    answers[STATES] = [states("running", "failed")]
    answers[TASKS + ALL] = [(200, {"task_instances": []})]

    with pytest.raises(demo.DemoError, match="firm_b demo_2025-01-01_S failed"):
        watch()


def test_a_failed_task_ends_the_demo_with_the_errors_of_its_log(watched):
    answers, _, watch = watched
    answers[STATES] = [states("running", "running")]
    answers[TASKS + ALL] = [(200, {"task_instances": [ended("firm_b", "failed")]})]
    answers[
        "GET /api/v2/dags/firm_b/dagRuns/demo_2025-01-01_S/taskInstances/rfm/logs/1?full_content=true"
    ] = [(200, {"content": [{"level": "error", "event": "no room"}]})]

    with pytest.raises(demo.DemoError, match=r"task rfm failed\nno room"):
        watch()
