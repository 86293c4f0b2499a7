"""Value's views, row for row on a hand-made shop."""

import re
from datetime import date, timedelta
from decimal import Decimal

from include import sql_text
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.shop import sale
from tests.warehouse.value_rows import load, valued

ANCHOR, OLD, NEW = date(2026, 3, 1), date(2026, 3, 10), date(2026, 5, 10)


def test_the_scorecard_shows_value_over_each_horizon_that_had_passed(shop):
    shop.sales("2026-03", sale("1", OLD, "ann", 60), as_of=NEW)
    shop.sales("2026-04", as_of=NEW)
    room = {"spend_deviation_horizon": 3.0, "total_doubt_horizon": 0.1, "total_reach": 2.0}
    load(shop, OLD, valued("ann", spend_horizon_days=30, expected_spend_horizon=40, **room))
    shop.warehouse.loader.score("ltv", firm_key="acme", step="score_ltv")

    rows = shop.ask(
        "select as_of, module, predicted_as_of, horizon_days, decile, predicted_total, predicted_low, "
        "predicted_high, realised_total, auc, brier from mart.vw_model_scorecard order by decile"
    )

    # Room is 2 sqrt(3^2 + (.1 x 40)^2) = 10; the only customer lies in the middle, decile 6.
    assert rows == [
        (NEW, "ltv", OLD, 30, 0, 40.0, 30.0, 50.0, 60.0, None, None),
        (NEW, "ltv", OLD, 30, 6, 40.0, None, None, 60.0, None, None),
    ]
    assert shop.ask("select decile from mart.model_scorecard('acme', %s)", date(2026, 4, 8)) == []


def test_tiers_are_summed_over_their_customers(shop):
    load(
        shop,
        NEW,
        valued("ann", year=300, tier=5, historical_clv=60, tenure_months=10),
        valued("bob", year=100, tier=5, historical_clv=20, tenure_months=4),
        valued("cid", year=100, tier=1, historical_clv=20, tenure_months=1),
        valued("dan", year=None, tier=1, historical_clv=0, tenure_months=2),
    )

    rows = shop.ask(
        "select tier_code, tier_name, tier_level, customer_count, pct_of_customers, total_historical_value, "
        "total_predicted_1_year, total_predicted_value, avg_historical_clv, avg_predicted_clv, "
        "avg_tenure_months, pct_of_total_value, pct_of_predicted_value "
        "from mart.vw_clv_tier_summary order by tier_level"
    )

    n = Decimal
    assert rows == [
        ("basic", "Basic", 1, 2, n("50.0"), 20, 100, 400, 10, 400, n("1.5"), n("20.0"), n("20.0")),
        ("platinum", "Platinum", 5, 2, n("50.0"), 80, 400, 1600, 40, 800, n("7.0"), n("80.0"), n("80.0")),
    ]


def test_buckets_are_quintiles_in_the_firms_currency_and_unknown_is_a_bucket(shop):
    load(
        shop,
        NEW,
        *(valued(f"c{n}", year=n, historical_clv=n) for n in (2, 3, 10)),
        valued(
            "one1", year=1, historical_clv=1, avg_order_value=20, avg_orders_per_month=0.2, tenure_months=4
        ),
        valued("one2", year=1, historical_clv=1, avg_order_value=30, total_historical_orders=8),
        valued("new", year=None, historical_clv=7, avg_order_value=None),
    )

    rows = shop.ask(
        "select bucket, clv_bucket, lowest_clv, highest_clv, customer_count, total_historical_value, "
        "total_predicted_value, avg_aov, avg_monthly_orders, avg_tenure_months "
        "from mart.vw_clv_distribution order by bucket"
    )

    # Lifetime values 4 4 8 12 40: a fifth and two fifths of them end at 4, so the second bucket is empty.
    # The two of the first bought 2 orders of 20 and 8 of 30: 28 each.
    usual = (25, Decimal("0.6"), 3)
    assert rows == [
        (0, "Unknown", None, None, 1, 7, None, None, *usual[1:]),
        (1, "4.00 to 4.00 GBP", 4, 4, 2, 2, 8, 28, Decimal("0.4"), Decimal("3.5")),
        (3, "8.00 to 8.00 GBP", 8, 8, 1, 2, 8, *usual),
        (4, "12.00 to 12.00 GBP", 12, 12, 1, 3, 12, *usual),
        (5, "40.00 to 40.00 GBP", 40, 40, 1, 10, 40, *usual),
    ]


def test_top_customers_carry_tier_segment_cluster_and_risk(shop):
    version = model(shop, ANCHOR)
    shop.load("fact_customer_churn_risk", str(NEW), [at_risk("ann", NEW, version, category="High")])
    words = {"cluster_code": "few_orders", "cluster_description": "few orders, small baskets"}
    load(
        shop,
        NEW,
        valued("ann", year=10, tier=5, clv_segment="VIP", **words),
        valued("bob", year=20, tier=4, clv_segment="Loyal"),
        valued("old", year=None, historical_clv=99),
    )

    rows = shop.ask(
        "select customer_id, tier_name, clv_segment, cluster_description, rfm_segment, predicted_clv_1_year, "
        "predicted_clv_lifetime, value_percentile, churn_risk_category from mart.vw_top_customers_clv "
        "order by predicted_clv_lifetime desc nulls last"
    )

    assert rows == [
        ("bob", "Gold", "Loyal", None, None, 20, 80, 80.0, None),
        ("ann", "Platinum", "VIP", "few orders, small baskets", None, 10, 40, 95.0, "High"),
        ("old", "Silver", "Loyal", None, None, None, None, 50.0, None),
    ]


def test_the_day_of_the_next_order_is_that_of_churn_where_its_model_predicts_it(shop):
    version = model(shop, ANCHOR)
    soon, late = NEW + timedelta(days=5), NEW + timedelta(days=80)
    days = {f"next_order_date_{share}_pct": late for share in (25, 50, 75)}
    churned = [
        at_risk("ann", NEW, version, any_order_probability=0.9, **days),
        at_risk("bob", NEW, version, any_order_probability=0.3),
        at_risk("cid", NEW, version),
    ]
    shop.load("fact_customer_churn_risk", str(NEW), churned)
    load(shop, NEW, *(valued(name, expected_next_order_date=soon) for name in ("ann", "bob", "cid", "dan")))

    rows = shop.ask("select customer_id, expected_next_order_date from mart.vw_top_customers_clv order by 1")

    assert rows == [("ann", late), ("bob", None), ("cid", soon), ("dan", soon)]


def test_every_place_reads_the_day_of_the_next_order_by_one_rule():
    texts = [
        sql_text.read("view", "vw_top_customers_clv"),
        sql_text.read("console", "customer"),
        sql_text.read("report", "customer_list"),
    ]

    rules = [
        re.sub(r"fact_customer_|ltv\.as_of|:as_of|\s", "", text[text.rindex("case\n", 0, end) : end])
        for text in texts
        for end in [text.index("end as expected_next_order_date")]
    ]

    assert "any_order_probability" in rules[0]
    assert len(set(rules)) == 1


def test_top_customers_are_ordered_by_predicted_then_historical_value(shop):
    load(
        shop,
        NEW,
        valued("ann", year=10, historical_clv=1),
        valued("bob", year=10, historical_clv=2),
        valued("cid", year=10, historical_clv=2),
        valued("dan", year=None, historical_clv=99),
        valued("eve", year=30, historical_clv=0),
    )

    rows = shop.ask("select customer_id from mart.top_customers_clv('acme', %s)", NEW)

    assert rows == [("eve",), ("bob",), ("cid",), ("ann",), ("dan",)]
