"""Views of one customer: combined row, 360 view, engagement, journey and touchpoints."""

from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest

from include.datasets.actions import ACTIONS
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.engagement_rows import entry, event, points, won
from tests.warehouse.shop import TABLES, returned, sale, scored
from tests.warehouse.value_rows import load, valued

TABLES["fact_action"] = ACTIONS
AS_OF = date(2026, 11, 21)
OLD = date(2026, 11, 14)
N = Decimal


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def sell(shop, *lines):
    """Load lines, each in its own month."""
    for month in sorted({line["order_date"].strftime("%Y-%m") for line in lines}):
        rows = [line for line in lines if line["order_date"].strftime("%Y-%m") == month]
        shop.sales(month, *rows, as_of=AS_OF)


def happen(shop, *events):
    """Load events, each in its own month."""
    for month in sorted({one["order_date"].strftime("%Y-%m") for one in events}):
        rows = [one for one in events if one["order_date"].strftime("%Y-%m") == month]
        shop.load("fact_interaction", month, rows, as_of=AS_OF)


def golden(shop):
    """Ann is known to each module, bob to RFM alone, cid to value alone."""
    version = model(shop, date(2026, 10, 1))
    shop.rfm(OLD, scored("ann", OLD, score="111", segment="lost"))
    shop.rfm(AS_OF, scored("ann", AS_OF, days=3, orders=2, spend=90), scored("bob", AS_OF, score=None))
    load(shop, AS_OF, valued("ann", year=50, tier=4), valued("cid", year=None))
    shop.load(
        "fact_customer_churn_risk",
        AS_OF.isoformat(),
        [at_risk("ann", AS_OF, version, probability=0.75, category="High", factors=["overdue"], days=3)],
    )
    return version


def test_a_customer_has_one_combined_row_from_all_active_modules(shop):
    version = golden(shop)

    rows = shop.ask(
        "select as_of, customer_id, currency, days_since_last_order, order_count, total_spend, rfm_score, "
        "rfm_segment, clv_value, predicted_clv_1_year, historical_clv, clv_segment, value_tier, "
        "clv_model_version, churn_probability, churn_risk_score, churn_risk_category, churn_risk_band, "
        "top_churn_factor, recommended_action, churn_model_version from mart.vw_analytic_customer order by 2"
    )

    none = (None,)
    assert rows == [
        (
            AS_OF, "ann", "GBP", 3, 2, 90, "555", "Champions", 200, 50, 15, "Loyal", "Gold", "ltv-x",
            0.75, 75, "High", "low", "overdue", "monitor_engagement", version,
        ),
        (AS_OF, "bob", "GBP", 1, 1, 10, None, "Champions", *none * 13),
        (AS_OF, "cid", "GBP", None, 2, 50, None, None, None, None, 15, "Loyal", "Silver", "ltv-x", *none * 7),
    ]  # fmt: skip


def test_the_combined_row_of_another_day_has_that_days_values(shop):
    golden(shop)

    rows = shop.ask("select customer_id, rfm_score, clv_value from mart.analytic_customer('acme', %s)", OLD)

    assert rows == [("ann", "111", None)]


def test_the_combined_rows_are_of_the_latest_day_of_any_module(shop):
    version = model(shop, date(2026, 10, 1))
    load(shop, OLD, valued("ann"))
    shop.rfm(OLD, scored("ann", OLD), scored("bob", OLD))
    shop.load("fact_customer_churn_risk", AS_OF.isoformat(), [at_risk("cid", AS_OF, version, days=7)])

    golden = shop.ask("select as_of, customer_id, days_since_last_order from mart.vw_analytic_customer")
    around = shop.ask("select as_of, customer_id, days_since_last_order from mart.vw_customer_360")

    assert golden == around == [(AS_OF, "cid", 7)]


def test_no_view_of_a_customer_shows_a_contact(shop):
    personal = {"full_name", "customer_name", "name", "email", "phone", "birth_date", "city", "address"}

    shown = shop.ask(
        "select column_name from information_schema.columns where table_schema = 'mart' and table_name in "
        "('vw_analytic_customer', 'vw_customer_360', 'vw_customer_engagement', 'vw_customer_journey')"
    )

    assert not {name for (name,) in shown} & personal
    assert ("customer_id",) in shown


def test_outreach_finds_each_customers_own_contact(shop):
    ann = {"customer_id": "ann", "full_name": "Ann A", "email": "ann@example.com", "phone": "1"}
    bob = {"customer_id": "bob", "full_name": "Bob B", "birth_date": date(1990, 2, 1)}
    shop.customers(AS_OF, ann, bob, {"customer_id": "cid"})

    rows = shop.ask(
        "select firm_key, customer_id, full_name, email, phone, birth_date from mart.vw_outreach_contact "
        "where full_name is not null order by 2"
    )

    assert rows == [
        ("acme", "ann", "Ann A", "ann@example.com", "1", None),
        ("acme", "bob", "Bob B", None, None, date(1990, 2, 1)),
    ]


def test_everything_about_a_customer_is_in_one_row(shop):
    shop.customers(AS_OF, {"customer_id": "ann", "country": "TR", "age_band": "25-34", "city": "Izmir"})
    shop.load(
        "dim_product",
        AS_OF.isoformat(),
        [{"product_id": "tea", "category": "drinks"}, {"product_id": "jam", "category": "spreads"}],
    )
    sell(
        shop,
        sale("1", ago(400), amount=40, channel="web"),
        *(sale("2", ago(3), amount=n, product_id="jam", channel="shop", line_id=f"{n}") for n in (30, 15, 5)),
        sale("3", ago(3), amount=20, channel="web"),
        returned("4", ago(2), amount=15),
    )
    golden(shop)
    happen(shop, event("e1", ago(20), "nps", nps_score=3), event("e2", ago(10), "complaint"))
    shop.load("fact_loyalty_movement", "2026-11", [points("p", ago(3), earned=9, used=2)], as_of=AS_OF)
    action = {
        "customer_id": "ann",
        "action_code": "win_back",
        "cost_amount": 1,
        "expected_benefit_amount": 5,
        "is_holdout": False,
        "is_chosen": True,
        "explanation": "Worth it.",
    }
    shop.load("fact_action", AS_OF.isoformat(), [action])

    rows = shop.ask(
        "select customer_id, country, age_band, rfm_segment, clv_value, churn_risk_category, "
        "first_order_date, return_count, returned_amount, favourite_category, favourite_channel, "
        "last_activity_date, active_days_90_days, engagement_trend, complaint_count_365_days, "
        "last_nps_score, points_balance, action_code, action_explanation, is_chosen "
        "from mart.vw_customer_360 order by 1"
    )

    # Jam brought 50, tea 40 + 20 - 15; two orders were of the web, one, of three lines, of the shop.
    # She acted 20, 10, 3 and 2 days ago.
    assert rows[0] == (
        "ann", "TR", "25-34", "Champions", 200, "High", ago(400), 1, 15, "spreads", "web", ago(2),
        4, "increasing", 1, 3, 7, "win_back", "Worth it.", True,
    )  # fmt: skip
    assert [(row[0], row[6], row[7], row[16], row[17]) for row in rows[1:]] == [
        ("bob", None, 0, None, None),
        ("cid", None, 0, None, None),
    ]


def test_engagement_counts_activities_of_a_customer_and_not_events_done_to_it(shop):
    sell(
        shop,
        sale("1", ago(90), "ann"),
        sale("2", ago(91), "bob"),
        sale("3", ago(150), "bob"),
        sale("4", ago(5), None),
    )
    happen(
        shop,
        event("1", ago(90), "session", event_count=4),
        event("2", ago(5), "sent", event_count=2),
        event("12", ago(3), "sent", event_count=2),
        event("3", ago(4), "opened"),
        event("4", ago(4), "ticket"),
        event("5", ago(4), "complaint"),
        event("6", ago(200), "complaint"),
        event("7", ago(100), "nps", "bob", nps_score=9),
        event("8", ago(95), "nps", "bob", nps_score=6),
        event("9", ago(2), "sent", "bob"),
        event("10", ago(300), "login", "cid"),
        event("11", ago(0), "login", "cid"),
    )

    rows = shop.ask(
        "select customer_id, last_activity_date, days_since_last_activity, active_days_90_days, "
        "active_days_previous_90_days, engagement_trend, order_count_90_days, visit_count_90_days, "
        "service_days_90_days, complaint_count_365_days, sent_count_90_days, opened_count_90_days, "
        "clicked_count_90_days, opened_pct, last_nps_score, last_nps_date "
        "from mart.customer_engagement('acme', %s) order by 1",
        AS_OF,
    )

    assert rows == [
        ("ann", ago(4), 4, 2, 0, "increasing", 1, 4, 1, 2, 4, 1, 0, N("25.0"), None, None),
        ("bob", ago(91), 91, 0, 4, "decreasing", 0, 0, 0, 0, 1, 0, 0, N("0.0"), 6, ago(95)),
        ("cid", ago(300), 300, 0, 0, "inactive", 0, 0, 0, 0, 0, 0, 0, None, None, None),
    ]


@pytest.mark.parametrize("view", ["customer_360", "customer_engagement", "customer_activity_timeline"])
def test_a_query_for_one_customer_does_not_scan_all_sales(shop, view):
    golden(shop)
    sell(shop, sale("1", ago(3)), sale("2", ago(3), "bob"))

    with psycopg.connect(shop.dsn) as connection:
        connection.execute("set enable_seqscan = off")
        asked = f"explain (format json) select * from mart.vw_{view} where customer_id = 'ann'"
        ((plan,),) = connection.execute(asked).fetchall()

    reads = [
        node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name", "").startswith("fact_sales")
    ]
    assert reads
    assert all("customer_sk = " in step.get("Index Cond", "") for step in reads), reads


def nodes(plan):
    """A plan's steps, from the top."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def test_a_journey_has_each_milestone_once_and_in_order(shop):
    sell(
        shop,
        sale("1", ago(100), channel="web"),
        sale("2", ago(100), channel="shop"),
        sale("3", ago(60), channel="shop"),
        sale("4", ago(30), channel="web"),
        returned("5", ago(55), channel="shop"),
        returned("6", ago(20), channel="shop"),
        sale("7", ago(9), "bob"),
        sale("8", ago(8), None),
    )
    happen(shop, event("1", ago(57), "complaint", channel_code="phone"), event("2", ago(0), "ticket"))
    bought = {
        "conversion_date": ago(100),
        "days_to_convert": 10,
        "revenue_30_days": 20,
        "revenue_90_days": 30,
    }
    lead = won("lead", ago(110), "ann", channel_code="ads", **bought)
    again = lead | {"acquisition_id": "again", "lead_id": "again", "is_acquisition": False}
    again |= {"acquired_date": None, "revenue_30_days": None, "revenue_90_days": None}
    shop.load("fact_customer_acquisition", AS_OF.isoformat(), [lead, again])

    rows = shop.ask(
        "select customer_id, step_number, milestone, milestone_date, channel_code, days_since_previous, "
        "days_since_first from mart.customer_journey('acme', %s) order by 1, 2",
        AS_OF,
    )

    assert rows == [
        ("ann", 1, "lead_created", ago(110), "ads", None, 0),
        ("ann", 2, "conversion", ago(100), "ads", 10, 10),
        ("ann", 3, "first_order", ago(100), "shop", 0, 10),
        ("ann", 4, "second_order", ago(60), "shop", 40, 50),
        ("ann", 5, "first_complaint", ago(57), "phone", 3, 53),
        ("ann", 6, "first_return", ago(55), "shop", 2, 55),
        ("ann", 7, "last_order", ago(30), "web", 25, 80),
        ("bob", 1, "first_order", ago(9), None, None, 0),
    ]


def test_touchpoints_count_when_their_window_has_passed(shop):
    shop.load("dim_campaign", AS_OF.isoformat(), [entry("channel", "mail")])
    sell(shop, sale("1", ago(40), "ann"), sale("2", ago(31), "bob"), sale("3", ago(3), "cid"))
    happen(
        shop,
        event("1", ago(69), "opened", "ann", channel_code="mail"),
        event("2", ago(40), "opened", "ann", channel_code="mail", event_count=3),
        event("3", ago(61), "opened", "bob", channel_code="mail"),
        event("4", ago(30), "opened", "bob", channel_code="mail"),
        event("5", ago(29), "opened", "cid", channel_code="mail"),
        event("6", ago(35), "ticket", "cid"),
        event("7", ago(35), "ticket", None),
    )

    rows = shop.ask(
        "select activity_type, channel_code, event_count, customer_count, first_touch_customer_count, "
        "matured_touch_count, ordered_touch_count, ordered_pct from mart.vw_touchpoint_summary order by 1"
    )

    # Ann's order is 29 days after her first touch and on the day of her second; bob's is 30 days after his.
    assert rows == [
        ("opened", "mail", 7, 3, 2, 4, 2, N("50.0")),
        ("ticket", "(unknown)", 1, 1, 1, 1, 0, N("0.0")),
    ]
