"""Snapshots of customers, segments and scores, loaded in any order."""

import random
from datetime import date

import pytest

from tests.warehouse.shop import scored


def test_contact_data_is_in_pii_alone(shop):
    shop.customers(
        date(2026, 11, 21), {"customer_id": "ann", "full_name": "Ann", "email": "a@b.c", "city": "York"}
    )

    columns = shop.ask(
        "select column_name from information_schema.columns "
        "where table_schema in ('analytics', 'mart', 'parts') and table_name <> 'vw_outreach_contact'"
    )

    assert {"full_name", "email", "phone", "birth_date"}.isdisjoint({row[0] for row in columns})
    assert shop.ask("select full_name, email from pii.customer_contact") == [("Ann", "a@b.c")]
    assert shop.ask("select city from analytics.dim_customer") == [("York",)]


def test_customers_keep_the_attributes_of_their_latest_snapshot(shop):
    shop.customers(date(2026, 11, 3), {"customer_id": "ann", "city": "Bath", "email": "new"})
    shop.customers(date(2026, 11, 1), {"customer_id": "ann", "city": "York", "email": "old"})

    shop.customers(
        date(2026, 11, 2), {"customer_id": "ann", "city": "Hull", "email": "mid"}, {"customer_id": "bob"}
    )

    rows = shop.ask(
        "select customer_id, city, email, as_of from analytics.dim_customer "
        "left join pii.customer_contact using (customer_sk) order by 1"
    )
    assert rows == [("ann", "Bath", "new", date(2026, 11, 3)), ("bob", None, None, date(2026, 11, 2))]


def test_previous_score_and_segment_come_from_the_snapshot_before(shop):
    shop.rfm(date(2026, 11, 1), scored("ann", date(2026, 11, 1), score="444", segment="loyal"))

    shop.rfm(
        date(2026, 11, 2),
        scored("ann", date(2026, 11, 2), score="432", segment="needs_attention"),
        scored("bob", date(2026, 11, 2)),
    )

    rows = shop.ask(
        "select customer_id, previous_rfm_score, rfm_score_change, segment_changed, segment_code, "
        "rfm_composite_score from analytics.fact_customer_rfm f "
        "join analytics.dim_customer using (customer_sk) "
        "left join analytics.dim_customer_segment on segment_sk = previous_segment_sk "
        "where f.as_of = '2026-11-02' order by 1"
    )
    assert rows == [
        ("ann", "444", "444->432", True, "loyal", 432),
        ("bob", None, None, None, None, 555),
    ]


DUMPS = (
    "select f.as_of, customer_id, rfm_score, previous_rfm_score, rfm_score_change, segment_changed, "
    "s.segment_code, p.segment_code, f.total_spend from analytics.fact_customer_rfm f "
    "join analytics.dim_customer using (customer_sk) "
    "join analytics.dim_customer_segment s on s.segment_sk = rfm_segment_sk "
    "left join analytics.dim_customer_segment p on p.segment_sk = previous_segment_sk order by 1, 2",
    "select customer_id, city, as_of, email from analytics.dim_customer "
    "left join pii.customer_contact using (customer_sk) order by 1",
    "select segment_code, segment_name, is_active, as_of from analytics.dim_customer_segment order by 1",
    "select fact_name, as_of from analytics.dim_snapshot order by 1, 2",
)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_runs_does_not_show_in_the_tables(shop, seed):
    days = [date(2026, 11, d) for d in range(1, 8)]
    chance = random.Random(7)
    snapshots = {}
    for day in days:
        names = [n for n in "abcdef" if chance.random() < 0.7] or ["a"]
        snapshots[day] = (
            [
                scored(n, day, score=chance.choice(["555", "111", "345"]), segment=chance.choice(["x", "y"]))
                for n in names
            ],
            [{"customer_id": n, "city": f"{n}{day.day}", "email": f"{n}{day.day // 3}"} for n in names],
            [segment("x", f"X of {day.day}")] + ([segment("y", "Y")] if day.day % 2 else []),
        )

    def dump(order):
        for table in ("analytics.fact_customer_rfm", "analytics.dim_snapshot", "control.loads"):
            shop.warehouse.session.connection.execute(f"delete from {table}")
        shop.warehouse.session.connection.execute(
            "truncate analytics.dim_customer, pii.customer_contact, analytics.dim_customer_segment cascade"
        )
        for day in order:
            rfm, customers, segments = snapshots[day]
            shop.load("dim_customer_segment", str(day), segments)
            shop.customers(day, *customers)
            shop.rfm(day, *rfm)
        return [shop.ask(query) for query in DUMPS]

    shuffled = random.Random(seed).sample(days, k=7)

    assert shuffled != days
    assert dump(shuffled) == dump(days)


def segment(code, name):
    return {
        "segment_code": code,
        "segment_name": name,
        "segment_type": "rfm",
        "cells": "5 5 5",
        "retention_priority": 2,
        "value_tier": "High value",
    }


def test_a_segment_that_left_the_decision_table_stays_inactive(shop):
    shop.load("dim_customer_segment", "2026-11-01", [segment("x", "X"), segment("y", "Y")])

    shop.load("dim_customer_segment", "2026-11-02", [segment("x", "X")])

    rows = shop.ask("select segment_code, is_active from analytics.dim_customer_segment order by 1")
    assert rows == [("x", True), ("y", False)]


def test_a_repeated_load_burns_no_keys(shop):
    for day in range(1, 6):
        shop.customers(date(2026, 11, day), {"customer_id": "ann"})

    shop.customers(date(2026, 11, 6), {"customer_id": "ann"}, {"customer_id": "bob"})

    assert shop.ask("select max(customer_sk) from analytics.dim_customer") == [(2,)]


def test_an_empty_snapshot_is_a_snapshot(shop):
    shop.rfm(date(2026, 11, 1), scored("ann", date(2026, 11, 1)))

    shop.rfm(date(2026, 11, 2))

    assert shop.ask("select max(as_of) from analytics.dim_snapshot") == [(date(2026, 11, 2),)]
