"""Benchmarks of firms in a warehouse: opt-in, once a month, each firm its own row."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from include.benchmarks import publish_benchmarks
from include.firms import parse_firm
from include.settings import Settings
from include.warehouse import Warehouse

AT = datetime(2026, 11, 9, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def firms(migrated_dsn, tmp_path, monkeypatch):
    """Fourteen firms, of which the last two do not share; retention of 10, 20, ... percent in October."""
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    for number in range(14):
        save(migrated_dsn, number, is_benchmarked=number < 12)
        measured(migrated_dsn, number, date(2026, 10, 15), 99)  # a later snapshot of the month replaces it
        measured(migrated_dsn, number, date(2026, 11, 1), 5 * number)
        measured(migrated_dsn, number, date(2026, 11, 2), 77)  # describes November
    return migrated_dsn


def save(dsn, number, **changes):
    row = {
        "firm_key": f"f{number:02}", "name": "F",
        "source": {"kind": "csv", "uri": "file:///x", "layout": "cdnow"},
        "timezone": "UTC", "currency": "EUR", "working_day_period": 1, "churn_threshold_days": 30,
    }  # fmt: skip
    with Warehouse(dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(row | changes), "a test")


def measured(dsn, number, as_of, value):
    key = f"f{number:02}"
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "insert into analytics.dim_firm (firm_key, firm_name, timezone, currency) "
            "select firm_key, name, timezone, currency from control.firms where firm_key = %s "
            "on conflict do nothing",
            [key],
        )
        connection.execute(
            "insert into analytics.fact_firm_metric (firm_sk, as_of, date_sk, metric, member, unit, "
            "metric_value, definition, manifest_token) "
            "select firm_sk, %s, to_char(%s::date, 'YYYYMMDD')::int, 'retention_rate', '', 'percent', "
            "%s, 'x', 1 from analytics.dim_firm where firm_key = %s",
            [as_of, as_of, value, key],
        )


def ask(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_a_firm_that_shares_sees_its_value_beside_the_quartiles_and_others_see_nothing(firms):
    written = publish_benchmarks(Settings.read(), at=AT)

    rows = ask(
        firms,
        "select firm_key, month_start, own_value, lower_quartile, median, upper_quartile "
        "from analytics.fact_benchmark join analytics.dim_firm using (firm_sk) order by 1",
    )
    # The values are 0, 5, ... 55: quartiles 13.75, 27.5 and 41.25 in steps of 2.
    assert written == 12
    assert rows == [(f"f{n:02}", OCTOBER, 5 * n, 14, 28, 42) for n in range(12)]
    shown = ask(firms, "select comparison from mart.benchmark('f00', date '2026-11-20')")
    assert shown == [("below most",)]
    assert ask(firms, "select * from mart.benchmark('f00', date '2026-10-31')") == []
    assert ask(firms, "select * from mart.benchmark('f13', date '2026-11-20')") == []


def test_a_month_is_decided_once(firms):
    publish_benchmarks(Settings.read(), at=AT)
    before = ask(firms, "select * from analytics.fact_benchmark order by 1, 2, 3")
    with psycopg.connect(firms) as connection:
        connection.execute("update analytics.fact_firm_metric set metric_value = 1")
    save(firms, 13, is_benchmarked=True)

    assert publish_benchmarks(Settings.read(), at=AT.replace(day=20)) == 0
    assert ask(firms, "select * from analytics.fact_benchmark order by 1, 2, 3") == before


def test_a_month_is_decided_a_week_after_it_ended(firms):
    publish_benchmarks(Settings.read(), at=AT.replace(day=7))

    assert ask(firms, "select distinct month_start from control.benchmark_decisions") == [(date(2026, 9, 1),)]


def test_after_one_firm_left_nothing_is_published_and_the_reason_is_on_record(firms):
    publish_benchmarks(Settings.read(), at=AT)
    save(firms, 11, is_benchmarked=False)
    for number in range(12):
        measured(firms, number, date(2026, 12, 1), 5 * number)

    assert publish_benchmarks(Settings.read(), at=datetime(2026, 12, 9, tzinfo=UTC)) == 0
    decided = ask(
        firms,
        "select is_published, reason from control.benchmark_decisions "
        "where metric = 'retention_rate' order by month_start",
    )
    assert decided == [(True, ""), (False, "fewer than 10 other firms left since a published month")]
