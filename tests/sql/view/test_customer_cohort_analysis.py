"""Cohorts, row for row on a hand-made shop."""

from datetime import date
from decimal import Decimal

from tests.warehouse.shop import returned, sale


def cohorts(shop, as_of):
    return shop.ask(
        "select cohort_month::text, months_since_acquisition, cohort_size, active_customers, "
        "retention_pct::float, cohort_revenue::float, avg_revenue_per_customer::float, is_complete "
        "from mart.customer_cohort_analysis('acme', %s) order by 1, 2",
        as_of,
    )


def test_a_cohort_is_followed_across_the_year_end(shop):
    shop.sales(
        "2026-11",
        sale("1", date(2026, 11, 3), "ann", 60),
        sale("1b", date(2026, 11, 4), "ann", 40),
        sale("2", date(2026, 11, 9), "bob", 20),
    )
    shop.sales("2026-12", returned("3", date(2026, 12, 5), "bob", 5))
    shop.sales(
        "2027-01",
        sale("4", date(2027, 1, 2), "ann", 30),
        sale("5", date(2027, 1, 31), "cid", 7),
        as_of=date(2027, 2, 1),
    )

    rows = cohorts(shop, date(2027, 2, 2))

    assert rows == [
        ("2026-11-01", 0, 2, 2, 100.0, 120.0, 60.0, True),
        ("2026-11-01", 1, 2, 0, 0.0, -5.0, -2.5, True),
        ("2026-11-01", 2, 2, 1, 50.0, 30.0, 15.0, True),
        ("2026-11-01", 3, 2, 0, 0.0, 0.0, 0.0, False),
        ("2027-01-01", 0, 1, 1, 100.0, 7.0, 7.0, True),
        ("2027-01-01", 1, 1, 0, 0.0, 0.0, 0.0, False),
    ]


def test_nothing_on_or_after_as_of_is_seen_and_the_month_is_flagged(shop):
    shop.sales("2026-11", sale("1", date(2026, 11, 20), "ann", 10), sale("2", date(2026, 11, 21), "bob", 20))

    rows = cohorts(shop, date(2026, 11, 21))

    assert rows == [("2026-11-01", 0, 1, 1, 100.0, 10.0, 10.0, False)]


def test_a_month_that_begins_at_as_of_has_no_row(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 31), "ann", 10))

    rows = cohorts(shop, date(2026, 11, 1))

    assert rows == [("2026-10-01", 0, 1, 1, 100.0, 10.0, 10.0, True)]


def test_returns_and_anonymous_sales_make_no_cohort(shop):
    shop.sales(
        "2026-11",
        returned("1", date(2026, 11, 2), "ann", 10),
        sale("2", date(2026, 11, 3), None, 10),
    )

    assert cohorts(shop, date(2026, 12, 1)) == []


def test_the_view_shows_the_latest_snapshot_of_sales(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 3), "ann", 10), as_of=date(2026, 11, 1))
    shop.sales("2026-10", sale("1", date(2026, 10, 3), "ann", 10), as_of=date(2026, 10, 15))

    rows = shop.ask(
        "select firm_key, as_of, cohort_month, activity_month, cohort_size, cohort_revenue, is_complete "
        "from mart.vw_customer_cohort_analysis"
    )

    month = date(2026, 10, 1)
    assert rows == [("acme", date(2026, 11, 1), month, month, 1, Decimal(10), True)]
