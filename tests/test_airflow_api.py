"""Against a real HTTP server that answers as Airflow does; the whole API is tried by the demo."""

import socket

import pytest
from tenacity import wait_none

from include import airflow_api
from include.airflow_api import AirflowApi, AirflowError
from tests.airflow_server import airflow_server


@pytest.fixture
def airflow(monkeypatch):
    """A server that gives the answers it was told to, in order, and remembers what it was asked."""
    monkeypatch.setattr(airflow_api.PATIENCE, "wait", wait_none())
    with airflow_server() as server:
        yield server


def test_calls_are_signed_with_the_token_of_the_sign_in(airflow):
    url, answers, asked = airflow
    answers["PATCH /api/v2/dags/firm_a"] = [(200, {})]

    AirflowApi(url, "admin", "secret").call("PATCH", "/api/v2/dags/firm_a", {"is_paused": False})

    assert asked == [
        ("POST /auth/token", {"username": "admin", "password": "secret"}, ""),
        ("PATCH /api/v2/dags/firm_a", {"is_paused": False}, "Bearer t0"),
    ]


def test_a_look_that_fails_is_repeated_and_a_change_is_not(airflow):
    url, answers, asked = airflow
    path = "/api/v2/dags/firm_a"
    answers[f"GET {path}"] = [(503, {}), (500, {}), (200, {"is_stale": False})]
    answers[f"POST {path}/dagRuns"] = [(503, {"detail": "busy"}), (200, {})]
    api = AirflowApi(url, "admin", "secret")

    assert api.has_dag("firm_a")
    with pytest.raises(AirflowError, match="503"):
        api.trigger("firm_a", "run", {"as_of": "2026-11-21"})

    assert [call for call, *_ in asked].count(f"GET {path}") == 3
    assert [call for call, *_ in asked].count(f"POST {path}/dagRuns") == 1


def test_a_dag_that_is_not_there_or_stale_cannot_be_run(airflow):
    url, answers, _ = airflow
    answers["GET /api/v2/dags/old"] = [(200, {"is_stale": True})]
    api = AirflowApi(url, "admin", "secret")

    assert not api.has_dag("none")
    assert not api.has_dag("old")


def test_a_connection_that_is_there_is_changed(airflow):
    url, answers, asked = airflow
    answers["POST /api/v2/connections"] = [(409, {"detail": "exists"})]
    answers["PATCH /api/v2/connections/shop"] = [(200, {})]

    AirflowApi(url, "admin", "secret").save_connection("shop", {"conn_type": "postgres"})

    assert asked[-1][:2] == (
        "PATCH /api/v2/connections/shop",
        {"connection_id": "shop", "conn_type": "postgres"},
    )


def test_a_server_that_never_answers_is_given_up(airflow):
    url, answers, asked = airflow
    answers["GET /api/v2/importErrors"] = [(502, {"detail": "still busy"})]

    with pytest.raises(AirflowError, match=r"502 .*still busy"):
        AirflowApi(url, "admin", "secret").import_errors()

    assert [call for call, *_ in asked].count("GET /api/v2/importErrors") == 6


def test_tasks_that_ended_lately_are_asked_for_alone(airflow):
    url, answers, _ = airflow
    path = "GET /api/v2/dags/firm_a/dagRuns/r%3A1/taskInstances?limit=100"
    answers[path] = [(200, {"task_instances": [{"task_id": "a"}, {"task_id": "b"}]})]
    answers[f"{path}&end_date_gte=2026-01-01T00%3A00%3A00%2B00%3A00"] = [
        (200, {"task_instances": [{"task_id": "b"}]})
    ]
    api = AirflowApi(url, "admin", "secret")

    everything = api.tasks("firm_a", "r:1")
    lately = api.tasks("firm_a", "r:1", ended_since="2026-01-01T00:00:00+00:00")

    assert [task["task_id"] for task in everything] == ["a", "b"]
    assert [task["task_id"] for task in lately] == ["b"]


def test_a_server_that_is_not_there_or_does_not_answer_is_named():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(TimeoutError, match=r"did not answer POST /auth/token in 0\.2 s"):
            AirflowApi(url, "admin", "secret", timeout=0.2)

    with pytest.raises(ConnectionError, match=f"{url} cannot be reached for POST /auth/token"):
        AirflowApi(url, "admin", "secret")


def test_a_proxy_of_the_environment_does_not_come_between(airflow, monkeypatch):
    url, answers, _ = airflow
    answers["GET /api/v2/importErrors"] = [(200, {"import_errors": []})]
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert AirflowApi(url, "admin", "secret").import_errors() == []


def test_every_page_of_the_pools_is_read(airflow):
    url, answers, _ = airflow
    path = "GET /api/v2/pools?limit=100&offset={}&order_by=id"
    answers[path.format(0)] = [(200, {"pools": [{"name": "a"}, {"name": "b"}], "total_entries": 3})]
    answers[path.format(2)] = [(200, {"pools": [{"name": "c"}], "total_entries": 3})]

    assert AirflowApi(url, "admin", "secret").pools() == {"a", "b", "c"}


def test_a_pool_that_exists_is_left_as_it_is(airflow):
    url, answers, asked = airflow
    answers["POST /api/v2/pools"] = [(409, {"detail": "exists"}), (201, {})]
    api = AirflowApi(url, "admin", "secret")

    added = [api.add_pool("shop", slots=4, description="sources") for _ in range(2)]

    assert added == [False, True]
    assert asked[-1][1] == {"name": "shop", "slots": 4, "description": "sources"}
    assert [call for call, *_ in asked if call.startswith("PATCH")] == []
