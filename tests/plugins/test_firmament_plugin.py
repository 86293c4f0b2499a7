import importlib.util
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from include.schedule import run_day
from include.settings import PROJECT


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "firmament_plugin", PROJECT / "plugins" / "firmament_plugin.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def starts_and_ends(timetable, *, earliest: datetime, count: int, catchup: bool = True):
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    restriction = TimeRestriction(instance(earliest), None, catchup)
    found, last = [], None
    for _ in range(count):
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        found.append(info)
        last = info.data_interval
    return found


def test_a_run_starts_every_so_many_days_at_the_firms_own_hour(plugin):
    zone = ZoneInfo("Europe/London")
    timetable = plugin.EveryDays(3, hour=5, zone=zone.key)

    runs = starts_and_ends(timetable, earliest=datetime(2026, 3, 20, tzinfo=UTC), count=40)

    local = [run.run_after.astimezone(zone) for run in runs]
    assert {(one.hour, one.minute) for one in local} == {(5, 0)}
    assert {(later.date() - earlier.date()).days for earlier, later in pairwise(local)} == {3}
    assert {one.utcoffset() for one in local} == {timedelta(0), timedelta(hours=1)}


def test_intervals_follow_one_another_without_a_gap(plugin):
    timetable = plugin.EveryDays(14, hour=2, zone="Australia/Lord_Howe")

    runs = starts_and_ends(timetable, earliest=datetime(2026, 1, 1, tzinfo=UTC), count=40)

    intervals = [run.data_interval for run in runs]
    assert [one.end for one in intervals[:-1]] == [one.start for one in intervals[1:]]
    assert all(run.run_after == run.data_interval.end for run in runs)


def test_without_catching_up_the_first_run_is_of_the_last_whole_interval(plugin):
    timetable = plugin.EveryDays(3, hour=5, zone="Europe/London")

    (first,) = starts_and_ends(timetable, earliest=datetime(2020, 1, 1, tzinfo=UTC), count=1, catchup=False)

    now = datetime.now(UTC)
    assert first.data_interval.end <= now < first.data_interval.end + timedelta(days=3, hours=2)


def test_after_a_change_of_rhythm_no_interval_overlaps_the_last_one(plugin):
    from airflow.timetables.base import DataInterval, TimeRestriction
    from pendulum import datetime as instant

    last = DataInterval(start=instant(2026, 11, 18, 5), end=instant(2026, 11, 19, 5))
    timetable = plugin.EveryDays(5, hour=5, zone="UTC")

    info = timetable.next_dagrun_info(
        last_automated_data_interval=last, restriction=TimeRestriction(instant(2020, 1, 1), None, True)
    )

    assert info.data_interval.start >= last.end
    assert info.data_interval.start - last.end < timedelta(days=5)
    assert run_day(info.data_interval.start.date(), every_days=5) == info.data_interval.start.date()
    assert info.data_interval.end - info.data_interval.start == timedelta(days=5)


def test_a_manual_run_takes_the_last_whole_interval(plugin):
    from pendulum import datetime as instant

    timetable = plugin.EveryDays(7, hour=5, zone="UTC")

    interval = timetable.infer_manual_data_interval(run_after=instant(2026, 11, 20, 12))

    assert (interval.start, interval.end) == (instant(2026, 11, 9, 5), instant(2026, 11, 16, 5))


def test_what_is_stored_builds_the_same_timetable(plugin):
    timetable = plugin.EveryDays(3, hour=5, zone="Asia/Tokyo")

    again = plugin.EveryDays.deserialize(timetable.serialize())

    assert vars(again) == vars(timetable)
    assert again.summary == "every 3 days at 05:00 Asia/Tokyo"


@pytest.mark.parametrize(("days", "expression"), [(1, "0 5 * * *"), (7, "0 5 * * 1")])
def test_cron_and_the_count_of_days_agree(plugin, days, expression):
    from airflow.timetables.interval import CronDataIntervalTimetable

    earliest = datetime(2026, 3, 1, tzinfo=UTC)
    ours = plugin.EveryDays(days, hour=5, zone="Europe/London")
    cron = CronDataIntervalTimetable(expression, timezone="Europe/London")

    runs = starts_and_ends(ours, earliest=earliest, count=60)

    assert runs == starts_and_ends(cron, earliest=earliest, count=60)


STARTING = """
import sys, warnings
warnings.simplefilter("ignore")
import firmament_plugin
warm = firmament_plugin.WarmWorkers()
light = {"airflow", "babel", "psycopg", "sqlglot"}
heavy = {name.partition(".")[0] for name in firmament_plugin.WARM} - light
ours = {name for name in sys.modules if name.split(".")[0] == "include"}
for role in sys.argv[1:]:
    sys.argv[1] = role
    warm.on_starting(None)
    print(role, sorted(heavy & set(sys.modules)), sorted(heavy - set(sys.modules)))
    print({name for name in sys.modules if name.split(".")[0] == "include"} - ours)
"""


def test_a_scheduler_alone_warms_its_workers_and_with_others_code_alone(tmp_path):
    environ = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
    }

    done = subprocess.run(
        [sys.executable, "-c", STARTING, "dag-processor", "api-server", "scheduler"],
        env=environ, capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip

    before, ours, again, still, warmed, ours_warmed = done.stdout.splitlines()[-6:]
    assert before.startswith("dag-processor [] [")
    assert again.startswith("api-server [] [")
    assert "'great_expectations', 'lightgbm', 'pandas'" in warmed
    assert warmed.endswith(" []")
    # A deployed change of ours is to be seen by the next task.
    assert {ours, still, ours_warmed} == {"set()"}
