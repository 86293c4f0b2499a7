from datetime import date

import pytest

from include.firms import FirmShape
from include.kinds import KINDS
from include.runbook import backfill_command, dag_page, rerun_command, schedule_text, stage_page
from include.steps import STAGES, STEPS


def firm(period: int = 1, *, zone: str = "Europe/London", is_paused: bool = False) -> FirmShape:
    return FirmShape(
        firm_key="acme",
        name="Acme",
        timezone=zone,
        working_day_period=period,
        source_kind="csv",
        pool="source_csv",
        is_paused=is_paused,
    )


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (1, "every day at 05:00 Europe/London"),
        (7, "every Monday at 05:00 Europe/London"),
        (3, "every 3 days at 05:00 Europe/London"),
        (0, "inactive: runs only when started by hand"),
    ],
)
def test_the_schedule_text_of_a_firm(period: int, words: str) -> None:
    assert schedule_text(firm(period)) == words


def test_a_paused_firm_says_so() -> None:
    assert "paused: runs only when started by hand" in dag_page(firm(is_paused=True))


def test_a_rerun_may_begin_at_a_step() -> None:
    day = date(2026, 11, 21)

    assert rerun_command("acme", day) == "python -m include run acme --as-of 2026-11-21"
    assert rerun_command("acme", day, from_step="rfm").endswith("--as-of 2026-11-21 --from rfm")
    assert rerun_command("acme", day, resume=True).endswith("--as-of 2026-11-21 --resume")


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/London", "2026-03-27T05:00:00Z", "2026-03-29T04:00:00Z"),  # over the clock change
        ("Asia/Tokyo", "2026-03-26T20:00:00Z", "2026-03-28T20:00:00Z"),
        ("America/New_York", "2026-03-27T09:00:00Z", "2026-03-29T09:00:00Z"),
    ],
)
def test_a_backfill_is_bounded_by_the_starts_of_the_firms_own_intervals(
    zone: str, first: str, last: str
) -> None:
    command = backfill_command(firm(zone=zone), date(2026, 3, 28), date(2026, 3, 30))

    assert command == (
        f"python -m include airflow backfill create --dag-id firm_acme --from-date {first} --to-date {last}"
    )


def test_a_weekly_backfill_takes_the_mondays_in_between() -> None:
    command = backfill_command(firm(7, zone="UTC"), date(2026, 11, 4), date(2026, 11, 20))

    assert command.endswith("--from-date 2026-11-02T05:00:00Z --to-date 2026-11-09T05:00:00Z")


def test_a_firm_without_a_schedule_has_no_backfill() -> None:
    with pytest.raises(ValueError, match="has no schedule"):
        backfill_command(firm(0), date(2026, 1, 1), date(2026, 1, 2))


def test_every_kind_of_step_has_a_first_thing_to_check() -> None:
    pages = [stage_page(firm(), stage) for stage in STAGES]

    assert {step.kind_name for step in STEPS} == set(KINDS)
    assert all(any(kind.first_check in page for page in pages) for kind in KINDS.values())
