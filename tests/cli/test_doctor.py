"""The doctor, on a real warehouse, store and source: what is well, and what each fault is told as."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from include import doctor
from include.cli import app
from include.firms import parse_firm
from include.handoff.folder import FileStore
from include.incidents.causes import Cause
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, open_incident
from include.registry import sync_firms
from include.service_accounts import POOLS, RUNS
from include.settings import Settings
from include.warehouse import Warehouse
from tests.airflow_server import airflow_server
from tests.incidents.conftest import firm

ACME = {
    "firm_key": "acme",
    "name": "Acme",
    "timezone": "Europe/London",
    "currency": "GBP",
    "working_day_period": 1,
    "churn_threshold_days": 90,
}


@pytest.fixture
def installation(migrated_dsn, tmp_path, monkeypatch):
    """A migrated warehouse and a firm whose folder holds one sale."""
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "sales.csv").write_text("customer_id,date,cds,spend\n1,19970101,1,11.77\n")
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    settings = Settings.read()
    with Warehouse(migrated_dsn) as warehouse:
        source = {"kind": "csv", "uri": drop.as_uri(), "layout": "cdnow"}
        warehouse.firms.save_firm(parse_firm({**ACME, "source": source}), actor="test")
        sync_firms(warehouse.firms, settings.registry)
    return settings


def not_well(settings) -> dict[str, str]:
    return {finding.part: finding.says for finding in doctor.examine(settings) if not finding.is_well}


def test_a_working_installation_has_no_findings_and_the_command_succeeds(installation):
    message = CliRunner().invoke(app, ["doctor"])

    assert message.exit_code == 0, message.output
    assert not_well(installation) == {}
    assert "sales since 1997-01" in message.output


def test_a_missing_source_is_reported_and_the_command_fails(installation):
    (installation.home / "drop").rename(installation.home / "elsewhere")

    message = CliRunner().invoke(app, ["doctor"])

    assert message.exit_code == 1
    assert list(not_well(installation)) == ["firm acme"]
    assert str(installation.home / "drop") in not_well(installation)["firm acme"]


def test_an_unknown_firm_is_reported(installation):
    message = CliRunner().invoke(app, ["doctor", "acmee"])

    assert message.exit_code == 1
    assert "firm acmee: no such firm" in message.output


def test_a_firm_missing_from_the_registry_is_reported(installation):
    with Warehouse(installation.warehouse_dsn()) as warehouse:
        row = warehouse.firms.firm_row("acme")
        warehouse.firms.save_firm(parse_firm({**row, "firm_key": "zeta"}), actor="test")

    assert "zeta" in not_well(installation)["registry"]


def test_a_store_that_ignores_conditional_writes_is_reported(installation, monkeypatch):
    def careless(store, path, data, expected):
        store._at(path).parent.mkdir(parents=True, exist_ok=True)
        store._at(path).write_bytes(data)
        return "tag"

    monkeypatch.setattr(FileStore, "put", careless)

    assert "8 were let through" in not_well(installation)["store"]


def test_a_warehouse_without_a_migration_is_reported_with_the_command(tmp_path, warehouse_dsn):
    settings = Settings.read({"FIRMAMENT_HOME": str(tmp_path), "FIRMAMENT_WAREHOUSE_DSN": warehouse_dsn})

    found = not_well(settings)

    assert list(found) == ["warehouse"]
    assert "001_schemas" in found["warehouse"]
    assert "python -m include migrate" in found["warehouse"]


def test_a_pool_that_airflow_lacks_is_named_and_the_sync_adds_it(installation, monkeypatch):
    with airflow_server() as (url, answers, asked):
        answers["GET /api/v2/pools?limit=100&offset=0&order_by=id"] = [
            (200, {"pools": [{"name": "default_pool"}], "total_entries": 1})
        ]
        answers["POST /api/v2/pools"] = [(201, {})]
        monkeypatch.setenv(POOLS.variable, POOLS.as_connection(url, "secret"))

        found = not_well(installation)
        posted = [call for call, *_ in asked if call == "POST /api/v2/pools"]
        done = CliRunner().invoke(app, ["firms", "sync"])

    lacking = "firmament_backfill, firmament_warehouse, source_csv"
    assert found == {"pools": f"Airflow lacks {lacking}: python -m include firms sync"}
    assert posted == []
    assert done.exit_code == 0, done.output
    assert "pools: added firmament_backfill, firmament_warehouse, source_csv" in done.output
    assert asked[-1][0] == "POST /api/v2/pools"


def test_an_airflow_that_is_down_fails_the_sync_and_no_other_command(installation, monkeypatch):
    monkeypatch.setenv(POOLS.variable, POOLS.as_connection("http://127.0.0.1:9", "secret"))

    paused = CliRunner().invoke(app, ["firms", "pause", "acme"])
    synced = CliRunner().invoke(app, ["firms", "sync"])

    assert paused.exit_code == 0, paused.output
    assert "could not be added" in paused.output
    assert synced.exit_code == 1
    assert "could not be added" in synced.output


def test_open_incidents_and_messages_that_no_target_accepts_are_reported(installation, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OPS_HOOK", '{"conn_type": "http", "host": "http://127.0.0.1:9"}')
    failure = Failure(firm("acme"), "SourceError: down", "http://log", date(2026, 11, 21), "extract.products")
    open_incident(Cause(KINDS["source_unreachable"], "shop"), failure, installation)

    message = CliRunner().invoke(app, ["doctor"])

    assert message.exit_code == 1
    assert list(not_well(installation)) == ["incidents", "messages to webhook ops_hook"]
    assert "fix: python -m include incidents" in message.output
    assert "1 not accepted since" in message.output


def test_what_the_watcher_would_find_is_reported_with_its_fix(installation, monkeypatch):
    with airflow_server() as (url, answers, _):
        unhealthy = {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None}}
        answers["GET /api/v2/monitor/health"] = [(200, unhealthy)]
        monkeypatch.setenv(RUNS.variable, RUNS.as_connection(url, "secret"))

        message = CliRunner().invoke(app, ["doctor", "--json"])

    found = {one["part"]: one for one in json.loads(message.stdout) if not one["is_well"]}
    assert message.exit_code == 1
    assert found["airflow"]["says"].startswith("Airflow's scheduler does not run: Airflow reports scheduler")
    assert found["airflow"]["fix"] == "python -m include.stack up"
    assert found["watcher"]["says"].startswith("has never run")


def test_handoffs_in_a_folder_of_one_host_are_refused_for_an_executor_of_several(installation, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")

    assert "is a folder of one host, but CeleryExecutor" in not_well(installation)["handoffs"]
