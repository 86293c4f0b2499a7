"""Pools, through a real HTTP server that answers as Airflow does; the real API is in test_real_airflow."""

import pytest

from include.connections import MissingConnectionError
from include.pools import PoolError, add_missing_pools, missing_pools, wanted_pools
from include.service_accounts import POOLS
from include.settings import SettingsError
from tests.airflow_server import airflow_server

PAGE = "GET /api/v2/pools?limit=100&offset=0&order_by=id"


@pytest.fixture
def airflow(monkeypatch, tmp_path):
    """A server that has the pool ``old``."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with airflow_server() as (url, answers, asked):
        answers[PAGE] = [(200, {"pools": [{"name": "default_pool"}, {"name": "old"}], "total_entries": 2})]
        answers["POST /api/v2/pools"] = [(201, {})]
        monkeypatch.setenv(POOLS.variable, POOLS.as_connection(url, "secret"))
        yield answers, asked


def test_a_pool_that_is_missing_is_added_with_the_slots_of_the_installation(airflow, monkeypatch):
    _, asked = airflow
    monkeypatch.setenv("FIRMAMENT_POOL_SLOTS", "7")

    added = add_missing_pools(["new", "old", "new"])

    posted = [body for call, body, _ in asked if call == "POST /api/v2/pools"]
    assert added == ["new"]
    assert [(body["name"], body["slots"]) for body in posted] == [("new", 7)]
    assert asked[0][1] == {"username": "firmament_pools", "password": "secret"}


def test_the_pools_of_the_installation_have_sizes_of_their_own(airflow, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_SLOTS", "9")

    added = add_missing_pools(wanted_pools([]))

    posted = [body for call, body, *_ in airflow[1] if call == "POST /api/v2/pools"]
    assert added == ["firmament_backfill", "firmament_warehouse"]
    assert [(body["name"], body["slots"]) for body in posted] == [
        ("firmament_backfill", 2), ("firmament_warehouse", 9)
    ]  # fmt: skip


def test_missing_pools_are_reported_and_not_added(airflow):
    _, asked = airflow

    assert missing_pools(["new", "old"]) == ["new"]
    assert [call for call, *_ in asked if call == "POST /api/v2/pools"] == []


def test_an_installation_without_firms_asks_nothing(airflow):
    _, asked = airflow

    assert add_missing_pools([]) == []
    assert asked == []


def test_an_airflow_that_refuses_is_an_error_with_the_command_that_helps(airflow):
    answers, _ = airflow
    answers["POST /api/v2/pools"] = [(403, {"detail": "Forbidden"})]

    with pytest.raises(PoolError, match=r"pools \(new\) could not be added: .*403.*include firms sync"):
        add_missing_pools(["new"])


def test_a_connection_as_uri_leads_to_the_same_server(airflow, monkeypatch):
    import json
    import os

    host = json.loads(os.environ[POOLS.variable])["host"]
    monkeypatch.setenv(POOLS.variable, f"http://{POOLS.login}:secret@{host.partition('://')[2]}")

    assert missing_pools(["new", "old"]) == ["new"]


def test_without_the_connection_it_is_named(airflow, monkeypatch):
    monkeypatch.delenv(POOLS.variable)

    with pytest.raises(MissingConnectionError, match="no connection 'firmament_airflow_pools'"):
        add_missing_pools(["new"])


@pytest.mark.parametrize("slots", ["0", "-1", "many"])
def test_a_number_of_slots_that_is_none_is_refused(airflow, monkeypatch, slots):
    monkeypatch.setenv("FIRMAMENT_POOL_SLOTS", slots)

    with pytest.raises(SettingsError, match="FIRMAMENT_POOL_SLOTS must be a whole number above 0"):
        add_missing_pools(["new"])
