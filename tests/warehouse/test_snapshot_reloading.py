"""Snapshots that are loaded anew, and what they are compared with."""

from datetime import date, timedelta

from tests.warehouse.shop import scored
from tests.warehouse.value_rows import load, valued

FIRST, THEN, LAST = date(2026, 11, 7), date(2026, 11, 14), date(2026, 11, 21)


def test_a_snapshot_loaded_anew_keeps_the_one_before_it_and_is_the_one_before_the_next(shop):
    for as_of, score, segment in ((FIRST, "111", "lost"), (THEN, "333", "promising"), (LAST, "555", "loyal")):
        shop.rfm(as_of, scored("ann", as_of, score=score, segment=segment))

    shop.rfm(THEN, scored("ann", THEN, score="555", segment="loyal"))

    rows = shop.ask(
        "select fact.as_of, previous_rfm_score, rfm_score_change, segment_changed, previous.segment_code "
        "from analytics.fact_customer_rfm as fact left join analytics.dim_customer_segment as previous "
        "on previous.segment_sk = fact.previous_segment_sk order by 1"
    )
    assert rows == [
        (FIRST, None, None, None, None),
        (THEN, "111", "111->555", True, "lost"),
        (LAST, "555", "555->555", False, "loyal"),
    ]


def test_customers_corrected_on_their_day_are_believed(shop):
    shop.customers(LAST, {"customer_id": "ann", "city": "Izmir", "email": "old@example.com"})

    shop.customers(LAST, {"customer_id": "ann", "city": "Bursa", "email": "new@example.com"})

    assert shop.ask(
        "select city, email from analytics.dim_customer join pii.customer_contact using (customer_sk)"
    ) == [("Bursa", "new@example.com")]


def test_a_value_that_was_nothing_has_no_change_in_percent(shop):
    load(shop, LAST - timedelta(days=30), valued("ann", year=0), valued("bob", year=100))

    load(shop, LAST, valued("ann", year=50), valued("bob", year=110))

    assert shop.ask(
        "select customer_id, clv_change_pct_30d, clv_trend from analytics.fact_customer_ltv "
        "join analytics.dim_customer using (customer_sk) where fact_customer_ltv.as_of = %s order by 1",
        LAST,
    ) == [("ann", None, None), ("bob", 10, "increasing")]


def test_a_decision_table_corrected_on_its_day_is_believed(shop):
    def segment(name):
        about = {"segment_description": "", "target_marketing_strategy": "", "segment_type": "rfm"}
        row = {"segment_code": "loyal", "segment_name": name, "cells": "555", "retention_priority": 1}
        shop.load("dim_customer_segment", str(LAST), [row | about | {"value_tier": "High value"}])

    segment("Loyal")
    segment("Faithful")

    assert shop.ask("select segment_name, is_active from analytics.dim_customer_segment") == [
        ("Faithful", True)
    ]
