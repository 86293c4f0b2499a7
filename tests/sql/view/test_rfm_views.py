"""Segments, scores and migration, row for row on a hand-made shop."""

from datetime import date
from decimal import Decimal

from tests.warehouse.shop import scored

OLD, MID, NEW = date(2026, 10, 1), date(2026, 10, 20), date(2026, 11, 21)


def segment(code, name, tier):
    return {
        "segment_code": code,
        "segment_name": name,
        "segment_type": "rfm",
        "cells": "",
        "retention_priority": 1,
        "value_tier": tier,
    }


SEGMENTS = [
    segment("champions", "Champions", "High value"),
    segment("loyal", "Loyal Customers", "High value"),
    segment("at_risk", "At Risk", "Recovery"),
]


def test_a_segment_is_summed_over_its_customers(shop):
    shop.load("dim_customer_segment", str(NEW), SEGMENTS)
    shop.rfm(OLD, scored("zoe", OLD))
    shop.rfm(
        NEW,
        scored("ann", NEW, days=30, orders=4, spend=100, avg_order_value=25),
        scored("bob", NEW, days=31, orders=1, spend=50, avg_order_value=50),
        scored("cid", NEW, days=90, orders=1, spend=10, segment="at_risk", score="155"),
        scored("dan", NEW, days=91, orders=1, spend=30, segment="at_risk", score="155", avg_order_value=None),
        scored("eve", NEW, days=400, orders=1, spend=20, segment="at_risk", score="155"),
    )

    rows = shop.ask(
        "select firm_key, as_of, rfm_segment, segment_code, customer_count, pct_of_customers, "
        "total_revenue_365, avg_revenue_per_customer, avg_orders_per_customer, avg_order_value, "
        "avg_days_since_last_order, active_last_30_days, inactive_over_90_days, value_tier "
        "from mart.vw_rfm_segment_summary order by segment_code desc"
    )

    assert rows == [
        ("acme", NEW, "Champions", "champions", 2, d("40.0"), d(150), d("75.00"), d("2.5"), d("30.00"), d(31),
         1, 0, "High value"),
        ("acme", NEW, "At Risk", "at_risk", 3, d("60.0"), d(40), d("13.33"), d("0.7"), d("15.00"), d(194),
         0, 2, "Recovery"),
    ]  # fmt: skip


def test_any_snapshot_can_be_selected(shop):
    shop.rfm(OLD, scored("ann", OLD), scored("bob", OLD))
    shop.rfm(NEW, scored("ann", NEW))

    earlier = shop.ask("select rfm_segment, customer_count from mart.rfm_segment_summary('acme', %s)", OLD)

    assert earlier == [("Champions", 2)]
    assert shop.ask("select customer_count from mart.vw_rfm_segment_summary") == [(1,)]


def test_a_firms_latest_snapshot_counts_whatever_was_loaded_last(shop):
    shop.rfm(NEW, scored("ann", NEW))
    shop.rfm(OLD, scored("ann", OLD), scored("bob", OLD))

    rows = shop.ask("select firm_key, fact_name, as_of from mart.vw_latest_snapshot")

    assert rows == [("acme", "fact_customer_rfm", NEW)]
    assert shop.ask("select as_of, customer_count from mart.vw_rfm_segment_summary") == [(NEW, 1)]


def test_a_cell_of_scores_counts_its_customers(shop):
    shop.rfm(
        NEW,
        scored("ann", NEW, orders=3, spend=90, avg_order_value=30),
        scored("bob", NEW, orders=1, spend=10, avg_order_value=10),
        scored("cid", NEW, score="111", segment="lost", days=400),
        scored("dan", NEW, score=None, segment="unscored"),
    )

    rows = shop.ask(
        "select rfm_score, recency_score, frequency_score, monetary_score, segment_name, customer_count, "
        "total_revenue, avg_aov, r_axis, f_axis, heat_value from mart.vw_rfm_score_distribution order by 1"
    )

    assert rows == [
        ("111", 1, 1, 1, "Lost", 1, d(0), d("10.00"), 1, 1, d(0)),
        ("555", 5, 5, 5, "Champions", 2, d(100), d("25.00"), 5, 5, d(100)),
        (None, None, None, None, "Unscored", 1, d(10), d("10.00"), None, None, d(10)),
    ]


def test_migration_counts_customers_who_moved_stayed_entered_and_left(shop):
    shop.load("dim_customer_segment", str(NEW), SEGMENTS)
    shop.rfm(
        OLD,
        scored("stays", OLD),
        scored("falls", OLD),
        scored("falls too", OLD),
        scored("rises", OLD, segment="at_risk"),
        scored("sideways", OLD),
        scored("leaves", OLD),
    )
    shop.rfm(
        NEW,
        scored("stays", NEW),
        scored("falls", NEW, segment="at_risk"),
        scored("falls too", NEW, segment="at_risk"),
        scored("rises", NEW),
        scored("sideways", NEW, segment="loyal"),
        scored("enters", NEW),
    )

    rows = shop.ask("select * from mart.vw_segment_migration order by migration_direction")

    assert rows == [
        ("acme", OLD, NEW, "Champions", "At Risk", 2, "Downgraded"),
        ("acme", OLD, NEW, "(entered)", "Champions", 1, "Entered"),
        ("acme", OLD, NEW, "Champions", "(left)", 1, "Left"),
        ("acme", OLD, NEW, "Champions", "Loyal Customers", 1, "Same Level"),
        ("acme", OLD, NEW, "Champions", "Champions", 1, "Stayed"),
        ("acme", OLD, NEW, "At Risk", "Champions", 1, "Upgraded"),
    ]


def test_migration_compares_with_the_last_snapshot_at_least_30_days_older(shop):
    for day in (date(2026, 9, 1), date(2026, 10, 22), date(2026, 10, 23), NEW):
        shop.rfm(day, scored("ann", day))

    rows = shop.ask("select distinct from_as_of, as_of from mart.vw_segment_migration")

    assert rows == [(date(2026, 10, 22), NEW)]


def test_migration_compares_with_the_earliest_when_none_is_30_days_older(shop):
    shop.customers(OLD, {"customer_id": "ann"})
    shop.sales("2026-09", as_of=OLD)  # an earlier snapshot, but of another fact
    for day in (date(2026, 11, 1), date(2026, 11, 5), NEW):
        shop.rfm(day, scored("ann", day))

    rows = shop.ask("select distinct from_as_of, as_of from mart.vw_segment_migration")

    assert rows == [(date(2026, 11, 1), NEW)]


def test_a_single_snapshot_has_no_migration(shop):
    shop.rfm(NEW, scored("ann", NEW))

    assert shop.ask("select * from mart.vw_segment_migration") == []


def test_migration_can_be_selected_between_any_two_snapshots(shop):
    for day, code in ((OLD, "champions"), (MID, "lost"), (NEW, "champions")):
        shop.rfm(day, scored("ann", day, segment=code))

    rows = shop.ask("select * from mart.segment_migration('acme', %s, %s)", OLD, MID)

    assert rows == [("Champions", "Lost", 1, "Same Level")]


def d(number) -> Decimal:
    return Decimal(str(number))
