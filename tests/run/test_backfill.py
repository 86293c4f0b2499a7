"""Backfills, by the command that people type."""

from datetime import date

import pytest
from typer.testing import CliRunner

from include.backfill import days_between
from include.cli import app

SALES = [(f"o{n}", date(2026, 11, 1 + n % 9), f"c{n % 7}", 10 + n) for n in range(40)]
COUNTS = "select as_of, count(*) from analytics.fact_customer_rfm group by as_of order by as_of"


def backfill(*arguments: str):
    return CliRunner().invoke(
        app, ["backfill", "acme", "--from", "2026-11-11", "--to", "2026-11-13", *arguments]
    )


def test_a_backfill_fills_each_day_once_and_prints_its_plan(shop):
    shop.add("acme")
    shop.sell("acme", SALES)
    shop.run("acme", date(2026, 11, 12))

    planned = backfill("--dry-run")
    before = shop.query(COUNTS)
    done = backfill()
    repeated = backfill()

    assert planned.exit_code == done.exit_code == repeated.exit_code == 0, done.output
    assert "2026-11-12  complete" in planned.output
    assert "2 of 3 days to run" in planned.output
    assert before == [(date(2026, 11, 12), 7)]
    assert shop.query(COUNTS) == [(date(2026, 11, day), 7) for day in (11, 12, 13)]
    assert "0 of 3 days to run" in repeated.output


def test_a_day_of_other_settings_is_stale_and_runs_again_when_asked(shop):
    shop.add("acme")
    shop.sell("acme", SALES)
    backfill()
    current = backfill("--dry-run")
    shop.add("acme", min_orders=3)

    stale = backfill("--dry-run")
    planned = backfill("--dry-run", "--stale")

    assert "0 of 3 days to run (0 missing, 0 stale, 3 current)" in current.output
    assert "2026-11-12  complete; stale: the firm's settings have changed" in stale.output
    assert "0 of 3 days to run (0 missing, 3 stale, 0 current)" in stale.output
    assert "3 of 3 days to run (0 missing, 3 stale, 0 current)" in planned.output
    assert "expected: about " in planned.output


def test_of_all_firms_one_that_fails_does_not_stop_the_others(shop):
    for key in ("acme", "boxo"):
        shop.add(key)
        shop.sell(key, SALES)
    (shop.home / "drops" / "acme" / "sales.csv").write_text("order,line\n1,1\n")
    shop.add("idle", working_day_period=0)

    done = CliRunner().invoke(app, ["backfill", "--all", "--from", "2026-11-11", "--to", "2026-11-11"])

    assert done.exit_code == 1
    assert "as of 2026-11-11: extract_transactions" in done.output
    assert "acme: 0 of 1 days are complete; missing: 2026-11-11" in done.output
    assert "boxo: 1 of 1 days are complete" in done.output
    assert "idle" not in done.output


def test_a_firm_and_all_firms_at_once_are_refused():
    for arguments in (["acme", "--all"], [], ["--all", "--from", "2026-11-11"]):
        assert CliRunner().invoke(app, ["backfill", *arguments]).exit_code == 2


def test_a_failed_day_continues_from_its_first_missing_step(shop):
    shop.add("acme")
    shop.sell("acme", SALES)
    shop.run("acme", date(2026, 11, 11), only=["extract_transactions", "extract_customers"])

    planned = backfill("--dry-run")

    assert "2026-11-11  from extract_products on" in planned.output
    assert "airflow backfill create --dag-id firm_acme" in planned.output


def test_a_failed_backfill_reports_the_day_and_the_step(shop):
    folder = shop.add("acme")
    shop.sell("acme", SALES)
    (folder / "sales.csv").write_text("order,line\n1,1\n")

    message = backfill()

    assert message.exit_code == 1
    assert "as of 2026-11-11: extract_transactions" in message.output
    assert shop.query(COUNTS) == []


@pytest.mark.parametrize(
    ("first", "last", "every", "count"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), 1, 30),
        (date(2026, 11, 2), date(2026, 11, 30), 7, 5),
        (date(2026, 11, 3), date(2026, 11, 29), 7, 3),
    ],
)
def test_the_days_of_a_backfill_are_those_of_scheduled_runs(first, last, every, count):
    days = list(days_between(first, last, every_days=every))

    assert len(days) == count
    assert {(day.toordinal() - 1) % every for day in days} == {0}


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="--from 2026-11-08 is after --to 2026-11-03"):
        list(days_between(date(2026, 11, 8), date(2026, 11, 3), every_days=1))


def test_a_range_without_a_scheduled_day_is_refused():
    with pytest.raises(ValueError, match="every 7 days"):
        list(days_between(date(2026, 11, 3), date(2026, 11, 8), every_days=7))
