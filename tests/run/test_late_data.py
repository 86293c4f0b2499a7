"""Late-arriving rows of closed months: found within a week, alerted once, and read with --full."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from include.incidents.kinds import KINDS
from include.incidents.message import command_of
from include.registry import sync_firms
from include.settings import Settings
from include.upkeep import late_rows, missing_snapshots
from include.warehouse import Warehouse
from include.warehouse.incident_rows import IncidentRows
from tests.run.test_pipeline import AS_OF

WEEK = timedelta(days=7)
SALES = [(f"o{n}", date(2024, 11, 15) + timedelta(days=14 * n), "ann", 5) for n in range(8)]
LATE = [("found", date(2024, 11, 20), "bob", 7)]  # the lookback window is ten days


def incidents(shop) -> list[tuple]:
    """Kind, error and command of the firm's open incidents."""
    with IncidentRows(Settings.read().warehouse_dsn()) as store:
        found = [(row, store.entries(row["incident_id"])) for row in store.incidents(is_open=True)]
    return [
        (row["kind"], row["error"], command_of(KINDS[row["kind"]], row, entries)) for row, entries in found
    ]


def extract(shop, as_of: date, **how: bool) -> str:
    return shop.run("acme", as_of, only=["extract_transactions"], **how)["extract_transactions"]


def write_registry() -> None:
    settings = Settings.read()
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        sync_firms(warehouse.firms, settings.registry)


@pytest.fixture
def extracted(shop):
    """A firm whose months are all extracted; its closed months were counted again without a difference."""
    shop.add("acme")
    shop.sell("acme", SALES)
    extract(shop, AS_OF)
    extract(shop, AS_OF + WEEK)
    write_registry()
    return shop


def test_a_row_before_the_lookback_window_is_an_incident(extracted):
    before = extracted.query(
        "select count(*) from control.slices where compared_row_count = source_row_count"
    )
    extracted.sell("acme", LATE, name="late.csv")

    soon = extract(extracted, AS_OF + WEEK + timedelta(days=6))
    within_a_week = extract(extracted, AS_OF + 2 * WEEK)
    found = [late_rows(Settings.read()) for _ in range(2)]

    assert before == [(3,)]
    assert soon == "read 2 of 5 months"
    assert within_a_week == (
        "read 1 of 5 months; changed after the lookback window: 2024-11 (2 rows were read, 3 are there); "
        "read them with --full"
    )
    assert found == [["acme transactions 2024-11"]] * 2
    assert incidents(extracted) == [
        (
            "late_rows",
            "transactions changed after the lookback window: 2024-11 (2 rows were read, 3 are there); "
            "read them with --full",
            "python -m include run acme --as-of 2025-03-15 --full",
        )
    ]


def test_a_deleted_row_is_an_incident_that_reading_all_ends(extracted):
    extracted.sell("acme", SALES[1:])
    differing = extract(extracted, AS_OF + 2 * WEEK)
    late_rows(Settings.read())
    before = incidents(extracted)

    extract(extracted, AS_OF + 2 * WEEK, full=True)
    after = extract(extracted, AS_OF + 3 * WEEK)

    assert "2024-11 (2 rows were read, 1 are there)" in differing
    assert after == "read 1 of 5 months"
    assert late_rows(Settings.read()) == []
    assert ([kind for kind, *_ in before], incidents(extracted)) == (["late_rows"], [])


def test_rows_that_could_not_be_used_are_counted_on_both_sides(shop):
    shop.add("acme")
    spoilt = [("bad", date(2024, 11, 16), "ann", "a lot"), ("nodate", "soon", "ann", 5), SALES[0], SALES[0]]
    shop.sell("acme", [*SALES, *spoilt])
    extract(shop, AS_OF)

    note = extract(shop, AS_OF + WEEK)

    assert note == "read 2 of 5 months; left out 1 bad_date (5.00)"
    november = "select source_row_count, compared_row_count from control.slices where slice = '2024-11'"
    assert shop.query(november) == [(5, 5)]


def test_rows_that_come_late_hide_no_snapshot_that_is_missing(shop):
    shop.add("acme")
    write_registry()
    shop.query("update control.firms set updated_at = '2025-01-01' returning firm_key")
    shop.query(
        "insert into control.step_runs (firm_key, as_of, step, status) "
        "values ('acme', '2025-03-14', 'load_fact_sales', 'done') returning step"
    )
    shop.query(
        "insert into control.slices (firm_key, dataset, slice, as_of, token, status, source_row_count, "
        "compared_as_of, compared_row_count) "
        "values ('acme', 'transactions', '2024-11', '2025-01-01', 1, 'unknown', 2, '2025-03-15', 3) "
        "returning slice"
    )

    found = late_rows(Settings.read())
    missing = missing_snapshots(Settings.read(), at=datetime(2025, 3, 15, 12, tzinfo=UTC))

    assert (found, missing) == (["acme transactions 2024-11"], ["acme 2025-03-15"])
    assert sorted(kind for kind, *_ in incidents(shop)) == ["deadline_missed", "late_rows"]
