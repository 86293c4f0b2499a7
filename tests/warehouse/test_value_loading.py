"""Lifetime value in the warehouse: loads in any order, checks, tiers and views."""

import itertools
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from psycopg.types.json import Jsonb

from include.warehouse import LoadRefused
from tests.warehouse.value_rows import load, valued

OLD, MID, NEW = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 21)
CHANGES = (
    "select fact_customer_ltv.as_of, customer_id, clv_trend, clv_change_pct_30d "
    "from analytics.fact_customer_ltv "
    "join analytics.dim_customer using (customer_sk) order by 1, 2"
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_changes_are_the_same_in_whatever_order_snapshots_are_loaded(shop, order):
    snapshots = [
        (OLD, (valued("ann"), valued("bob"))),
        (MID, (valued("ann", year=110), valued("bob", year=100), valued("cid"))),
        (NEW, (valued("ann", year=55), valued("bob", year=104), valued("cid", year=None))),
    ]

    for at in order:
        day, rows = snapshots[at]
        load(shop, day, *rows)

    found = [(d, c, t, None if p is None else round(p, 3)) for d, c, t, p in shop.ask(CHANGES)]
    assert found == [
        (OLD, "ann", None, None),
        (OLD, "bob", None, None),
        (MID, "ann", "increasing", 10.0),
        (MID, "bob", "stable", 0.0),
        (MID, "cid", None, None),
        (NEW, "ann", "decreasing", -50.0),
        (NEW, "bob", "stable", 4.0),
        (NEW, "cid", None, None),
    ]


def test_a_snapshot_loaded_again_replaces_itself_and_renews_what_compares_with_it(shop):
    load(shop, OLD, valued("ann"))
    load(shop, MID, valued("ann", year=110))

    load(shop, OLD, valued("ann", year=220))

    assert [(t, p) for _, _, t, p in shop.ask(CHANGES)] == [(None, None), ("decreasing", -50.0)]


def test_contradictions_are_refused(shop):
    with pytest.raises(LoadRefused, match="value of a longer horizon is below that of a shorter one"):
        load(shop, NEW, valued("ann", predicted_clv_3_year=1))
    with pytest.raises(LoadRefused, match="value_percentile is outside its tier"):
        load(shop, NEW, valued("ann", tier=5, value_percentile=10.0), valued("bob", value_percentile=50.0))
    with pytest.raises(LoadRefused, match="is above its upper bound"):
        load(shop, NEW, valued("ann", predicted_clv_1_year_low=9, predicted_clv_1_year_high=8))
    with pytest.raises(LoadRefused, match="differ from what was staged"):
        load(shop, NEW, valued("ann", tier_code="nobody"))

    assert shop.ask(CHANGES) == []


def test_tiers_hold_shares_of_the_firms_value(shop):
    load(shop, OLD, valued("zoe", tier=1))
    load(shop, NEW, valued("ann", year=300, tier=5), valued("bob", year=100), valued("cid", year=None))

    rows = shop.ask(
        "select as_of, tier_code, customer_count, pct_of_customers, total_predicted_1_year, "
        "pct_of_predicted_value, pct_of_total_value from mart.vw_clv_tier_summary order by tier_level desc"
    )

    assert rows == [
        (NEW, "platinum", 1, Decimal("33.3"), 300, 75, Decimal("33.3")),
        (NEW, "silver", 2, Decimal("66.7"), 100, 25, Decimal("66.7")),
    ]


def test_a_tier_has_the_firms_own_bound_and_benefit(shop):
    load(shop, OLD, valued("ann", tier=5), valued("bob"))
    before = shop.ask(
        "select tier_code, lowest_percentile, tier_benefit from mart.vw_clv_tier_summary order by 2"
    )
    with psycopg.connect(shop.dsn) as connection:
        own = {"tier_bounds": [50, 80, 95, 99], "tier_benefits": {"platinum": "free delivery"}}
        connection.execute("update control.firms set ltv = %s", [Jsonb(own)])

    load(
        shop, NEW, valued("ann", tier=5, value_percentile=99.5), valued("bob", tier=3, value_percentile=85.0)
    )

    found = shop.ask(
        "select tier_code, lowest_percentile, tier_benefit from mart.vw_clv_tier_summary order by 2"
    )
    assert before == [("silver", 40, None), ("platinum", 90, None)]
    assert found == [("silver", 80, None), ("platinum", 99, "free delivery")]


def test_buckets_come_from_the_firms_own_values_and_unknown_is_one_of_them(shop):
    rows = [valued(f"c{n}", year=n) for n in range(1, 11)]
    load(shop, NEW, *rows, valued("new", year=None))

    found = shop.ask(
        "select bucket, clv_bucket, customer_count from mart.vw_clv_distribution order by bucket"
    )

    assert found[0] == (0, "Unknown", 1)
    assert found[1] == (1, "4.00 to 8.00 GBP", 2)
    assert [row[2] for row in found[1:]] == [2] * 5


def test_top_customers_are_a_hundred_by_value_without_churn_or_rfm_and_without_contacts(shop):
    load(shop, NEW, *(valued(f"c{n:03}", year=n) for n in range(1, 121)))

    rows = shop.ask(
        "select customer_id, tier_name, rfm_segment, churn_risk_category from mart.vw_top_customers_clv "
        "order by predicted_clv_lifetime desc"
    )
    columns = {
        name
        for (name,) in shop.ask(
            "select column_name from information_schema.columns where table_name = 'vw_top_customers_clv'"
        )
    }

    assert len(rows) == 100
    assert rows[0] == ("c120", "Silver", None, None)
    assert not columns & {"full_name", "email", "phone", "birth_date", "customer_name"}
