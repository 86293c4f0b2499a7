"""Churn's views, row for row on a hand-made shop."""

import json
from datetime import date
from decimal import Decimal

import psycopg

from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.shop import sale, scored
from tests.warehouse.value_rows import load, valued

ANCHOR, OLD, NEW = date(2026, 3, 1), date(2026, 3, 10), date(2026, 5, 10)

WORTH = {
    **dict.fromkeys(("tenure_days", "tenure_months", "total_historical_orders", "manifest_token"), 1),
    **dict.fromkeys(("total_historical_revenue", "total_historical_profit", "avg_monthly_revenue"), 1),
    **dict.fromkeys(("clv_segment", "lifecycle_stage", "method", "model_version"), "any"),
    "avg_orders_per_month": 1,
    "value_percentile": 75,
    "margin_source": "source",
    "tier_sk": 4,
    "historical_clv": 40,
    "predicted_clv_lifetime": 250,
}


def risk(shop, as_of, *rows):
    shop.load("fact_customer_churn_risk", as_of.isoformat(), rows)


def test_risk_is_summed_by_category(shop):
    version = model(shop, ANCHOR)
    shop.rfm(NEW, scored("ann", NEW, spend=100), scored("bob", NEW, spend=50))
    risk(
        shop,
        NEW,
        at_risk(
            "ann", NEW, version, probability=0.9, category="Critical", order_frequency_trend="decreasing"
        ),
        at_risk(
            "bob",
            NEW,
            version,
            probability=0.8,
            category="Critical",
            spend_trend="decreasing",
            days=20,
            orders_last_90_days=5,
            spend_last_90_days=50,
        ),
        at_risk("cid", NEW, version, probability=0.1, category="Low"),
    )

    rows = shop.ask(
        "select churn_risk_category, customer_count, pct_of_customers, expected_churners, "
        "category_spend_365_days, declining_frequency, declining_spend, avg_churn_probability, "
        "avg_spend_365_days, avg_days_inactive, avg_orders_90d, avg_spend_90d, method, model_version "
        "from mart.vw_churn_risk_overview order by 1"
    )

    # Ann and bob: 100 and 50 of revenue, 1 and 20 days, 2 and 5 orders, 20 and 50 spent in 90 days.
    n = Decimal
    assert rows == [
        ("Critical", 2, n("66.7"), 1.7000000000000002, 150, 1, 1, 0.8500000000000001, 75, 11, n("3.5"), 35,
         "bgnbd", version),
        ("Low", 1, n("33.3"), 0.1, None, 0, 0, 0.1, None, 1, 2, 20, "bgnbd", version),
    ]  # fmt: skip


def test_each_view_shows_the_latest_snapshot_and_its_function_any(shop):
    version = model(shop, ANCHOR)
    risk(shop, NEW, at_risk("ann", NEW, version, category="High", factors=["overdue"]))
    risk(shop, OLD, at_risk("bob", OLD, version, category="High", factors=["returns"]))

    latest = shop.ask("select as_of, customer_id from mart.vw_at_risk_customers")
    factors = shop.ask("select as_of, factor from mart.vw_churn_factor_analysis")

    assert latest == [(NEW, "ann")]
    assert factors == [(NEW, "overdue")]
    assert shop.ask("select customer_id from mart.at_risk_customers('acme', %s)", OLD) == [("bob",)]
    assert shop.ask("select factor from mart.churn_factor_analysis('acme', %s)", OLD) == [("returns",)]
    assert shop.ask("select customer_count from mart.churn_risk_overview('acme', %s)", OLD) == [(1,)]


def test_the_at_risk_view_has_only_high_and_critical_risk_most_urgent_first(shop):
    version = model(shop, ANCHOR)
    risk(
        shop,
        NEW,
        at_risk("low", NEW, version, category="Low"),
        at_risk("medium", NEW, version, category="Medium"),
        at_risk("high", NEW, version, category="High", intervention_priority=2),
        at_risk("critical", NEW, version, category="Critical", intervention_priority=1),
    )

    rows = shop.ask("select customer_id from mart.at_risk_customers('acme', %s)", NEW)

    assert rows == [("critical",), ("high",)]


def test_equal_urgency_is_ordered_by_value_with_unknown_last(shop):
    version = model(shop, ANCHOR)
    spend = {"bob": 10, "cid": 30, "dan": 20}
    shop.rfm(NEW, *(scored(who, NEW, spend=amount) for who, amount in spend.items()))
    worth = {"ann": 5, "fay": 90}
    load(shop, NEW, *(valued(who, year=year) for who, year in worth.items()))
    people = ("ann", "bob", "cid", "dan", "eve", "fay", "gus")
    risk(shop, NEW, *(at_risk(who, NEW, version, category="High") for who in people))

    rows = shop.ask(
        "select customer_id, value_at_risk, total_spend_365_days from mart.at_risk_customers('acme', %s)", NEW
    )

    assert rows == [
        ("fay", 360, None), ("ann", 20, None), ("cid", None, 30), ("dan", None, 20), ("bob", None, 10),
        ("eve", None, None), ("gus", None, None),
    ]  # fmt: skip


def test_the_at_risk_view_has_no_contact_data(shop):
    personal = shop.ask(
        "select attname from pg_attribute where attnum > 0 "
        "and attrelid in ('pii.customer_contact'::regclass) and attname not in ('customer_sk', 'firm_sk')"
    )

    shown = shop.ask(
        "select attname from pg_attribute where attnum > 0 "
        "and attrelid = 'mart.vw_at_risk_customers'::regclass"
    )

    assert not set(shown) & {*personal, ("customer_name",), ("city",)}
    assert ("customer_id",) in shown


def test_a_customer_counts_once_for_each_of_its_factors(shop):
    version = model(shop, ANCHOR)
    shop.rfm(NEW, scored("ann", NEW, spend=100), scored("bob", NEW, spend=50))
    risk(
        shop,
        NEW,
        at_risk("ann", NEW, version, probability=0.9, category="Critical", factors=["overdue", "returns"]),
        at_risk("bob", NEW, version, probability=0.5, factors=["returns"]),
        at_risk("cid", NEW, version),
        at_risk("dan", NEW, version),
    )

    rows = shop.ask(
        "select factor, factor_text, customer_count, pct_of_customers, first_factor_count, at_risk_count, "
        "avg_risk_score_when_present, revenue_365_affected from mart.vw_churn_factor_analysis order by 1"
    )

    assert rows == [
        ("overdue", "Overdue", 1, Decimal("25.0"), 1, 1, Decimal("90.0"), Decimal(100)),
        ("returns", "Returns", 2, Decimal("50.0"), 1, 1, Decimal("70.0"), Decimal(150)),
    ]


def test_a_scorecard_shows_the_windows_that_had_passed(shop):
    version = model(shop, ANCHOR)
    shop.sales("2026-03", sale("1", OLD), as_of=NEW)
    shop.sales("2026-04", as_of=NEW)
    risk(shop, OLD, at_risk("ann", OLD, version, probability=0.25))
    shop.warehouse.loader.score("churn", firm_key="acme", step="score_churn")

    rows = shop.ask(
        "select as_of, predicted_as_of, matured_on, decile, predicted_mean, realised_mean "
        "from mart.vw_model_scorecard where decile = 0"
    )

    assert rows == [(NEW, OLD, date(2026, 4, 9), 0, 0.25, 0.0)]
    known = [
        shop.ask("select count(*) from mart.model_scorecard('acme', %s)", day)
        for day in (date(2026, 4, 8), date(2026, 4, 9))
    ]
    assert known == [[(0,)], [(2,)]]


def test_value_at_risk_is_the_lifetime_value_of_the_customers(shop):
    version = model(shop, ANCHOR)
    factors = {"category": "High", "factors": ["overdue"]}
    risk(shop, NEW, at_risk("ann", NEW, version, **factors), at_risk("bob", NEW, version, **factors))
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("create table parts.value partition of analytics.fact_customer_ltv default")
        connection.execute(
            "insert into analytics.fact_customer_ltv select r.* from analytics.fact_customer_churn_risk as f "
            "cross join lateral jsonb_populate_record(null::analytics.fact_customer_ltv, %s::jsonb || "
            "jsonb_build_object('firm_sk', f.firm_sk, 'as_of', f.as_of, 'date_sk', f.date_sk, "
            "'customer_sk', f.customer_sk)) as r where f.as_of = %s",
            [json.dumps(WORTH), NEW],
        )

    (overview,) = shop.ask(
        "select total_clv_at_risk, avg_clv_at_risk from mart.churn_risk_overview_from_facts('acme', %s)", NEW
    )
    work = shop.ask("select value_tier, value_at_risk, historical_clv from mart.vw_at_risk_customers")

    assert overview == (Decimal(500), Decimal("250.00"))
    assert work == [("Gold", Decimal(250), Decimal(40))] * 2
    factors = "select total_clv_affected from mart.churn_factor_analysis_from_facts('acme', %s)"
    assert shop.ask(factors, NEW) == [(Decimal(500),)]
