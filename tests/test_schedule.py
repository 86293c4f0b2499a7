from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from include.firms import FirmShape
from include.schedule import AsOfError, as_of_of_run, cron, due_at, is_scheduled, last_due, run_day
from include.shards import start_minute


def firm(
    period: int = 1, *, zone: str = "Europe/London", hour: int = 5, is_paused: bool = False
) -> FirmShape:
    return FirmShape(
        firm_key="acme",
        name="Acme",
        timezone=zone,
        working_day_period=period,
        schedule_hour=5,
        source_kind="csv",
        pool="source_csv",
        is_paused=is_paused,
    )


def run(as_of: str | None = None, *, end: datetime | None = None, kind: str = "manual") -> dict[str, object]:
    run_after = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    dag_run = SimpleNamespace(run_after=run_after, data_interval_end=end, run_type=kind)
    return {"dag_run": dag_run, "params": {"as_of": as_of}}


@pytest.mark.parametrize(("period", "expression"), [(1, "0 5 * * *"), (7, "0 5 * * 1"), (3, None), (0, None)])
def test_a_daily_and_a_monday_schedule_are_cron(period: int, expression: str | None) -> None:
    assert cron(firm(period)) == expression


def test_an_inactive_and_a_paused_firm_are_not_scheduled() -> None:
    assert [is_scheduled(firm(0)), is_scheduled(firm(1, is_paused=True)), is_scheduled(firm(1))] == [
        False,
        False,
        True,
    ]


def test_a_week_runs_on_mondays_and_days_are_counted_from_one() -> None:
    friday = date(2026, 11, 20)

    assert run_day(friday, every_days=7) == date(2026, 11, 16)
    assert run_day(friday, every_days=1) == friday
    assert {(friday - run_day(friday, every_days=n)).days < n for n in range(1, 30)} == {True}


def test_before_the_hour_the_run_of_the_day_before_is_the_last_due() -> None:
    zone = ZoneInfo("America/New_York")
    before, after = datetime(2026, 11, 20, 4, 59, tzinfo=zone), datetime(2026, 11, 20, 5, tzinfo=zone)
    new_york = firm(zone="America/New_York")

    assert last_due(new_york, before) == date(2026, 11, 19)
    assert last_due(new_york, after) == date(2026, 11, 20)


def test_the_hour_is_the_firms_own_on_both_sides_of_a_clock_change() -> None:
    change = datetime(2026, 3, 29, 3, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)

    due = [due_at(at, every_days=1, hour=5, zone="Europe/London") for at in change]

    assert due == [datetime(2026, 3, 28, 5, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC)]


def test_a_firm_without_a_schedule_has_no_run_due() -> None:
    assert last_due(firm(0), datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_as_of_is_the_firms_date_at_the_intervals_end() -> None:
    end = datetime(2026, 11, 20, 18, tzinfo=UTC)

    assert as_of_of_run(run(end=end, kind="scheduled"), "Europe/London") == date(2026, 11, 20)
    assert as_of_of_run(run(end=end, kind="scheduled"), "Asia/Tokyo") == date(2026, 11, 21)


def test_a_run_without_an_interval_is_as_of_the_firms_own_today() -> None:
    assert as_of_of_run(run(), "Europe/London") == date(2026, 11, 21)
    assert as_of_of_run(run(), "America/New_York") == date(2026, 11, 20)


def test_the_as_of_parameter_has_priority() -> None:
    end = datetime(2026, 11, 20, 5, tzinfo=UTC)

    assert as_of_of_run(run("2024-02-29", end=end), "Europe/London") == date(2024, 2, 29)


def test_today_is_the_last_as_of_that_is_accepted() -> None:
    assert as_of_of_run(run("2026-11-21"), "Europe/London") == date(2026, 11, 21)
    with pytest.raises(
        AsOfError, match="2026-11-21 is in the future: today is 2026-11-20 in America/New_York"
    ):
        as_of_of_run(run("2026-11-21"), "America/New_York")


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "1970-01-01", "'; drop table x", "{{ ds }}"])
def test_an_invalid_date_is_refused(text: str) -> None:
    with pytest.raises(AsOfError):
        as_of_of_run(run(text), "Europe/London")


def test_a_backfill_takes_no_as_of() -> None:
    end = datetime(2026, 11, 20, 5, tzinfo=UTC)

    with pytest.raises(AsOfError, match="a backfill takes no as_of"):
        as_of_of_run(run("2026-11-01", end=end, kind="backfill"), "Europe/London")


def test_firms_of_one_hour_start_at_minutes_that_their_keys_decide():
    minutes = [start_minute(f"firm_{number:04}") for number in range(1000)]

    assert minutes == [start_minute(f"firm_{number:04}") for number in range(1000)]
    assert set(minutes) == set(range(60))
    assert max(minutes.count(minute) for minute in range(60)) < 40
    assert start_minute("firm_0001", 0) == 0


def test_a_given_minute_decides_when_the_run_is_due():
    shape = firm(zone="UTC").model_copy(update={"schedule_minute": 45})

    assert cron(shape) == "45 5 * * *"
    assert last_due(shape, datetime(2026, 11, 20, 5, 44, tzinfo=UTC)) == date(2026, 11, 19)
    assert last_due(shape, datetime(2026, 11, 20, 5, 45, tzinfo=UTC)) == date(2026, 11, 20)
