"""Retention: which days, logs and incidents go, and that the rest works on."""

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from include.backfill import plan
from include.cli import app
from include.firms import parse_firm
from include.retention import clean_airflow, expired, is_daily, remove_logs
from include.settings import Settings
from include.warehouse import Warehouse
from include.warehouse.progress import Progress
from tests.run.test_pipeline import sales

DAYS = [date(2025, 1, 20), date(2025, 1, 27), date(2025, 2, 1), date(2025, 2, 3), date(2025, 3, 10)]
REMOVED = DAYS[:2]
VIEWS = ("vw_rfm_segment_summary", "vw_segment_migration", "vw_customer_360", "vw_rfm_score_distribution")


def command(*words, code=0):
    done = CliRunner().invoke(app, ["retention", *words], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def old(shop, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_KEEP_SNAPSHOT_DAYS", "35")
    shop.add("acme")
    shop.sell("acme", sales(25))
    for day in DAYS:
        shop.run("acme", day)
    return shop


def snapshots(shop):
    asked = "select distinct as_of from analytics.fact_customer_rfm order by 1"
    return [day for (day,) in shop.query(asked)]


def folders(shop, dataset):
    place = shop.home / "home" / "handoffs" / "acme" / dataset
    return sorted(path.parent.parent.name for path in place.rglob("*.parquet"))


def test_the_last_snapshot_of_a_month_and_recent_ones_are_kept():
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(120)]

    gone = expired(days, keep=35)

    month_ends = {date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)}
    assert set(days) - set(gone) == month_ends | {day for day in days if day > date(2025, 3, 26)}
    assert expired([date(2025, 1, 6), date(2025, 1, 13), date(2025, 6, 2)], keep=35) == [date(2025, 1, 6)]
    assert expired([], keep=35) == []


def test_a_dry_run_names_the_days_and_removes_nothing(old):
    said = command("--dry-run")

    assert "acme: 2 of 5 snapshots, 2025-01-20 to 2025-01-27, would be removed" in said
    assert snapshots(old) == DAYS


def test_old_days_go_and_the_views_stay_as_they_were(old):
    before = {view: sorted(map(repr, old.query(f"select * from mart.{view}"))) for view in VIEWS}
    facts = old.facts("acme")

    said = command()

    assert "acme: 2 of 5 snapshots, 2025-01-20 to 2025-01-27, removed:" in said
    assert snapshots(old) == DAYS[2:]
    assert {view: sorted(map(repr, old.query(f"select * from mart.{view}"))) for view in VIEWS} == before
    assert all(before.values())
    kept = [row for row in facts["rfm"] if row[0] not in REMOVED]
    assert old.facts("acme") == facts | {"rfm": kept}
    assert folders(old, "customer_summary") == [f"as_of={day}" for day in DAYS[2:]]
    assert "month=2025-01" in folders(old, "transactions")
    assert command() == ""


def test_a_removed_day_is_planned_by_a_backfill_and_comes_back_with_the_same_facts(old):
    facts = old.facts("acme")
    command()
    with Warehouse(old.dsn) as warehouse:
        firm = parse_firm(warehouse.firms.firm_row("acme"))
    with Progress(old.dsn) as progress:
        states = {day.as_of: day.state for day in plan(firm, DAYS[0], DAYS[0], progress)}

    for day in REMOVED:
        old.run("acme", day)

    assert states == {DAYS[0]: "missing"}
    assert old.facts("acme") == facts


def test_a_firm_whose_step_runs_is_left_for_the_next_time(old):
    with Warehouse(old.dsn) as warehouse:
        warehouse.session.connection.execute("select pg_advisory_lock_shared(7304, hashtext('acme'))")
        said = command()

    assert "stay until the next time" in said
    assert snapshots(old) == DAYS


@pytest.mark.parametrize("text", ["34", "-1", "a month"])
def test_a_number_of_days_that_views_cannot_live_with_is_refused(shop, monkeypatch, text):
    monkeypatch.setenv("FIRMAMENT_KEEP_SNAPSHOT_DAYS", text)

    assert "35 or more" in command(code=1)


def test_nothing_is_removed_unless_a_setting_says_so(old, monkeypatch):
    monkeypatch.delenv("FIRMAMENT_KEEP_SNAPSHOT_DAYS")

    assert "everything is kept" in command()
    assert snapshots(old) == DAYS


def test_closed_incidents_go_and_open_ones_stay(shop, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_KEEP_INCIDENT_DAYS", "30")
    for name, days in (("old", 40), ("new", 20), ("open", None)):
        shop.query(
            "insert into control.incidents (place, kind, resource_name, severity, error, opened_at, "
            "closed_at, closed_by) values ('p', 'unknown', %s, 'error', 'e', now() - interval '90 days', "
            "now() - make_interval(days => %s), 'x') returning 1",
            name,
            days,
        )

    command("--dry-run")
    command()

    assert shop.query("select resource_name from control.incidents order by 1") == [("new",), ("open",)]


def test_old_log_files_go_with_their_empty_folders(tmp_path):
    now = datetime(2025, 3, 1, tzinfo=UTC)
    for name, age in (("tasks/dag_id=a/run_id=1/task_id=x/attempt=1.log", 40), ("tasks/dag_id=a/new.log", 2)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a line")
        stamp = (now - timedelta(days=age)).timestamp()
        os.utime(path, (stamp, stamp))

    count = remove_logs(tmp_path, before=now - timedelta(days=30))

    assert count == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["dag_id=a", "new.log", "tasks"]


def test_an_airflow_of_ones_own_is_cleaned_by_a_command_that_is_printed(tmp_path):
    settings = Settings.read({"FIRMAMENT_HOME": str(tmp_path)})

    said = clean_airflow(settings, before=datetime(2025, 1, 1, tzinfo=UTC))

    assert "airflow db clean --clean-before-timestamp 2025-01-01T00:00:00Z --skip-archive --yes" in said


def test_upkeep_applies_it_in_one_run_of_the_day():
    hours = [datetime(2025, 3, 1, hour, 17, tzinfo=UTC) for hour in range(24)]

    assert [at.hour for at in hours if is_daily(at)] == [2]
