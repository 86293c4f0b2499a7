import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include.firms import MODULES, FirmError, parse_firm
from include.handoff import Handoff
from include.incidents.causes import Cause
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, open_incident
from include.pools import PoolError
from include.registry import read_registry
from include.service_accounts import POOLS
from include.settings import Settings
from include.steps import steps_for
from include.upkeep import KEEP_ATTEMPTS, check_schema, collect, missing_snapshots, model_drift, sync
from include.warehouse import MigrationError, Warehouse, migrate
from include.warehouse.incident_rows import IncidentRows
from tests.airflow_server import Answers, Asked, airflow_server
from tests.things import AS_OF, SLOT, batch, rows

Airflow = tuple[str, Answers, Asked]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday


@pytest.fixture
def settings(
    migrated_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow: Airflow
) -> Settings:
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv(POOLS.variable, POOLS.as_connection(airflow[0], "secret"))
    return Settings.read()


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    """An Airflow that has no pool of a source yet."""
    with airflow_server() as server:
        _, answers, _ = server
        page = {"pools": [{"name": "default_pool"}], "total_entries": 1}
        answers["GET /api/v2/pools?limit=100&offset=0&order_by=id"] = [(200, page)]
        answers["POST /api/v2/pools"] = [(201, {})]
        yield server


def add(settings: Settings, key: str, **changes: object) -> None:
    row = {
        "firm_key": key,
        "name": key.title(),
        "source": {"kind": "csv", "uri": "file:///data", "layout": "cdnow"},
        "timezone": "UTC",
        "currency": "GBP",
        "working_day_period": 1,
        "churn_threshold_days": 90,
    }
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        warehouse.firms.save_firm(parse_firm({**row, **changes}), "a test")
        warehouse.session.connection.execute("update control.firms set updated_at = '2026-11-01'")


def run_all(settings: Settings, key: str, as_of: str, *, but: str = "", status: str = "done") -> None:
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        for step in steps_for(MODULES):
            if step.name == but:
                continue
            warehouse.session.connection.execute(
                "insert into control.step_runs (firm_key, as_of, step, status) values (%s, %s, %s, %s)",
                [key, as_of, step.name, status],
            )


def incidents(settings: Settings, *, is_open: bool = True) -> list[tuple[str, str, str]]:
    with IncidentRows(settings.warehouse_dsn()) as store:
        rows = store.rows(
            "select firm_key, kind, as_of::text from control.incidents "
            "inner join control.incident_firms using (incident_id) "
            "where (closed_at is null) = %s order by 1, 3",
            [is_open],
        )
    return [tuple(row.values()) for row in rows]


def test_a_schema_that_lacks_a_migration_is_reported_with_the_command_and_not_changed(
    warehouse_dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", warehouse_dsn)
    empty = Settings.read()

    for _ in range(2):
        with pytest.raises(MigrationError, match=r"lacks \d+ migrations .*: python -m include migrate"):
            check_schema(empty)
    migrate(warehouse_dsn)

    check_schema(empty)


def test_a_firm_in_the_warehouse_is_in_the_registry_after_the_sync(settings: Settings) -> None:
    add(settings, "acme")

    report, _ = sync(settings)

    assert report.kept == ("acme",)
    assert [shape.firm_key for shape in read_registry(settings.registry)] == ["acme"]


def test_a_bad_row_fails_the_sync_after_the_others_were_written(settings: Settings, airflow: Airflow) -> None:
    add(settings, "acme")
    add(settings, "broken")
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        warehouse.session.connection.execute(
            "update control.firms set timezone = null where firm_key = 'broken'"
        )

    with pytest.raises(FirmError, match="broken: firm broken: timezone"):
        sync(settings)

    assert [shape.firm_key for shape in read_registry(settings.registry)] == ["acme"]
    assert [call for call, *_ in airflow[2] if call == "POST /api/v2/pools"] != []


def test_the_sync_adds_the_pools_that_airflow_lacks(settings: Settings, airflow: Airflow) -> None:
    add(settings, "acme")

    _, added = sync(settings)

    assert added == ["firmament_backfill", "firmament_warehouse", "source_csv"]
    assert airflow[2][-1][0] == "POST /api/v2/pools"


def test_a_sync_that_cannot_add_a_pool_fails_after_the_registry_was_written(
    settings: Settings, airflow: Airflow
) -> None:
    add(settings, "acme")
    airflow[1]["POST /api/v2/pools"] = [(403, {"detail": "Forbidden"})]

    with pytest.raises(PoolError, match="source_csv"):
        sync(settings)

    assert [shape.firm_key for shape in read_registry(settings.registry)] == ["acme"]


def test_a_paused_and_a_removed_firm(settings: Settings) -> None:
    add(settings, "paused")
    add(settings, "removed")
    sync(settings)
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        warehouse.firms.pause_firm("paused", True, "a test")
        warehouse.firms.remove_firm("removed", "a test")

    report, _ = sync(settings)

    assert report.dropped == ("removed",)
    assert [(shape.firm_key, shape.is_paused) for shape in read_registry(settings.registry)] == [
        ("paused", True)
    ]


def test_a_complete_snapshot_is_not_missing(settings: Settings) -> None:
    add(settings, "acme")
    sync(settings)
    run_all(settings, "acme", "2026-11-20")

    assert missing_snapshots(settings, at=NOON) == []


@pytest.mark.parametrize("but", ["", "load_fact_customer_rfm"])
def test_a_missing_or_incomplete_snapshot_opens_one_incident_and_its_end_closes_it(
    settings: Settings, but: str
) -> None:
    add(settings, "acme")
    sync(settings)
    if but:
        run_all(settings, "acme", "2026-11-19")
        run_all(settings, "acme", "2026-11-20", but=but)

    missing = [missing_snapshots(settings, at=NOON + timedelta(hours=hour)) for hour in range(3)]

    assert missing == [["acme 2026-11-20"]] * 3
    assert incidents(settings) == [("acme", "deadline_missed", "2026-11-20")]
    run_all(settings, "acme", "2026-11-20")
    assert missing_snapshots(settings, at=NOON) == []
    assert incidents(settings) == []
    assert incidents(settings, is_open=False) == [("acme", "deadline_missed", "2026-11-20")]


def test_firms_that_are_late_on_one_day_are_one_incident(settings: Settings) -> None:
    for key in ("acme", "boxo", "cafe"):
        add(settings, key)
    sync(settings)

    missing_snapshots(settings, at=NOON)

    with IncidentRows(settings.warehouse_dsn()) as store:
        (row,) = store.incidents(is_open=True)
    assert (row["kind"], row["resource_name"], row["firms"]) == ("deadline_missed", "2026-11-20", 3)


def test_a_new_step_of_a_release_is_not_missing_before_its_first_run(settings: Settings) -> None:
    add(settings, "acme")
    sync(settings)
    run_all(settings, "acme", "2026-11-20", but="load_fact_customer_rfm")

    assert missing_snapshots(settings, at=NOON) == []


def test_a_step_that_only_failed_is_missing(settings: Settings) -> None:
    add(settings, "acme")
    sync(settings)
    run_all(settings, "acme", "2026-11-20", status="failed")

    assert missing_snapshots(settings, at=NOON) == ["acme 2026-11-20"]


def test_a_firm_with_an_open_incident_of_that_day_is_not_reported_as_late(settings: Settings) -> None:
    add(settings, "acme")
    sync(settings)
    (firm,) = read_registry(settings.registry)
    failure = Failure(firm, "boom", "http://log", date(2026, 11, 20), "validate")
    open_incident(Cause(KINDS["gate_stopped"], "acme/transactions"), failure, settings)

    assert missing_snapshots(settings, at=NOON) == ["acme 2026-11-20"]
    assert [kind for _, kind, _ in incidents(settings)] == ["gate_stopped"]


def test_drifted_customers_open_an_incident_until_the_next_snapshot_has_not_drifted(
    settings: Settings,
) -> None:
    add(settings, "acme")
    sync(settings)
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        models = warehouse.records.models
        drift = {"variable_name": "frequency", "is_score": False, "training_customers": 9, "customers": 9}
        models.record_drift("acme", "churn", date(2026, 11, 19), "v1", [{**drift, "psi": 0.31}])
        drifted = model_drift(settings)
        opened = incidents(settings)
        models.record_drift("acme", "churn", date(2026, 11, 20), "v1", [{**drift, "psi": 0.02}])

    assert drifted == ["acme/churn"]
    assert opened == [("acme", "model_drift", "2026-11-19")]
    assert model_drift(settings) == []
    assert incidents(settings) == []


@pytest.mark.parametrize("hours", [6, 2])
def test_before_the_deadline_the_previous_snapshot_is_checked(settings: Settings, hours: int) -> None:
    add(settings, "acme", schedule_hour=5, schedule_minute=20, alerts={"deadline_hours": hours})
    sync(settings)
    due = datetime(2026, 11, 20, 5, 20, tzinfo=UTC)

    before = missing_snapshots(settings, at=due + timedelta(hours=hours, minutes=-1))
    after = missing_snapshots(settings, at=due + timedelta(hours=hours))

    assert (before, after) == (["acme 2026-11-19"], ["acme 2026-11-20"])


def test_new_paused_and_inactive_firms_are_not_missing(settings: Settings) -> None:
    add(settings, "inactive", working_day_period=0)
    add(settings, "paused", is_paused=True)
    add(settings, "new")
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        warehouse.session.connection.execute(
            "update control.firms set updated_at = %s where firm_key = 'new'", [NOON - timedelta(hours=5)]
        )
    sync(settings)

    assert missing_snapshots(settings, at=NOON) == []


def test_a_weekly_firm_is_missing_on_its_monday(settings: Settings) -> None:
    add(settings, "weekly", working_day_period=7)
    sync(settings)

    assert missing_snapshots(settings, at=NOON) == ["weekly 2026-11-16"]


def test_old_attempts_are_collected_and_the_last_two_versions_are_kept(settings: Settings) -> None:
    handoff = Handoff(settings.root, scratch=settings.home / "scratch")
    for token in (1, 2, 3, 4):
        handoff.write(SLOT, [batch(("ann", token, 5))], token=token, as_of=AS_OF)
    long_ago = time.time() - (KEEP_ATTEMPTS + timedelta(hours=1)).total_seconds()
    for path in (settings.home / "handoffs").rglob("*.parquet"):
        os.utime(path, (long_ago, long_ago))

    removed = [collect(settings, at=NOON)[0], collect(settings, at=NOON)[0]]

    assert removed == [2, 0]
    assert rows(handoff.read(SLOT)) == [("ann", 4, 5)]


def test_young_attempts_are_not_collected(settings: Settings) -> None:
    handoff = Handoff(settings.root, scratch=settings.home / "scratch")
    for token in (1, 2, 3):
        handoff.write(SLOT, [batch(("ann", token, 5))], token=token, as_of=AS_OF)

    assert collect(settings, at=NOON) == (0, [])
