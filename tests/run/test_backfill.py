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


def test_a_backfill_fills_each_day_once_and_says_what_it_plans(shop):
    shop.add("acme")
    shop.sell("acme", SALES)
    shop.run("acme", date(2026, 11, 12))

    planned = backfill("--dry-run")
    before = shop.query(COUNTS)
    done = backfill()
    repeated = backfill()

    assert planned.exit_code == done.exit_code == repeated.exit_code == 0, done.output
    assert "2026-11-12  stands" in planned.output
    assert "2 of 3 days to run" in planned.output
    assert before == [(date(2026, 11, 12), 7)]
    assert shop.query(COUNTS) == [(date(2026, 11, day), 7) for day in (11, 12, 13)]
    assert "0 of 3 days to run" in repeated.output


def test_a_day_that_failed_half_way_goes_on_from_the_step_that_is_missing(shop):
    shop.add("acme")
    shop.sell("acme", SALES)
    shop.run("acme", date(2026, 11, 11), only=["extract_transactions", "extract_customers"])

    planned = backfill("--dry-run")

    assert "2026-11-11  from extract_products on" in planned.output
    assert "airflow backfill create --dag-id firm_acme" in planned.output


def test_a_backfill_that_cannot_go_on_names_the_day_and_the_step(shop):
    folder = shop.add("acme")
    shop.sell("acme", SALES)
    (folder / "sales.csv").write_text("order,line\n1,1\n")

    said = backfill()

    assert said.exit_code == 1
    assert "as of 2026-11-11: extract_transactions" in said.output
    assert shop.query(COUNTS) == []


@pytest.mark.parametrize(
    ("first", "last", "every", "count"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), 1, 30),
        (date(2026, 11, 2), date(2026, 11, 30), 7, 5),
        (date(2026, 11, 3), date(2026, 11, 29), 7, 3),
    ],
)
def test_the_days_of_a_rhythm_are_those_its_runs_have(first, last, every, count):
    days = list(days_between(first, last, every_days=every))

    assert len(days) == count
    assert {(day.toordinal() - 1) % every for day in days} == {0}


def test_a_span_that_goes_back_is_refused():
    with pytest.raises(ValueError, match="2026-11-08 lies after 2026-11-03"):
        list(days_between(date(2026, 11, 8), date(2026, 11, 3), every_days=1))


def test_a_span_without_a_day_of_the_rhythm_is_refused():
    with pytest.raises(ValueError, match="every 7 days"):
        list(days_between(date(2026, 11, 3), date(2026, 11, 8), every_days=7))
