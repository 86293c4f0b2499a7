"""Actions of a firm that was really run."""

from datetime import date, timedelta

from include.datasets.churn import CHURN_RISK
from include.datasets.computed import RFM
from include.datasets.value import LTV
from include.settings import Settings
from tests.report.conftest import Left
from tests.run.test_pipeline import AS_OF, sales

CARD = {
    "action_code": "card",
    "segments": ["lost"],
    "unit_cost": 3,
    "expected_lift": 0.05,
    "explanation": "Has not been here for long: a card.",
}


def test_where_value_is_not_known_no_customer_gets_an_offer(shop):
    shop.add("acme", modules=["rfm", "actions"])
    shop.sell("acme", sales(5))

    shop.run("acme", AS_OF)

    assert shop.query("select count(*) from analytics.fact_action") == [(0,)]
    assert shop.query("select count(*) from analytics.dim_snapshot where fact_name = 'fact_action'") == [(1,)]


def test_the_rules_of_a_firms_row_decide_what_is_in_the_ledger(shop):
    shop.add(
        "acme",
        modules=["rfm", "churn", "ltv", "actions"],
        actions={"budget": 6, "holdout_share": 0, "rules": [CARD]},
    )
    worth = {"ann": 100, "bob": 300, "cid": 200, "dan": 900}
    shop.sell("acme", [(f"o-{who}", AS_OF - timedelta(days=9), who, 10) for who in worth])
    shop.run("acme", AS_OF, only=("extract_transactions", "extract_customers", "load_dim_customer"))
    (shop.home / "left").mkdir()
    left = Left(Settings.read().root, shop.home / "left")
    segments = {who: "loyal" if who == "dan" else "lost" for who in worth}
    left.put(RFM, *({"customer_id": who, "segment_code": code} for who, code in segments.items()))
    left.put(CHURN_RISK, *({"customer_id": who, "churn_risk_category": "High"} for who in worth))
    left.put(LTV, *({"customer_id": who, "predicted_clv_1_year": value} for who, value in worth.items()))

    shop.run(
        "acme",
        AS_OF,
        only=("customer_days", "action_candidates", "action_effects", "actions", "load_fact_action"),
    )

    # The money reaches the two whom the card is expected to bring most; no rule takes dan.
    assert shop.query(
        "select customer_id, action_code, cost_amount, expected_benefit_amount, is_chosen, explanation "
        "from analytics.fact_action join analytics.dim_customer using (firm_sk, customer_sk) order by 1"
    ) == [
        ("ann", "card", 3, 5, False, CARD["explanation"]),
        ("bob", "card", 3, 15, True, CARD["explanation"]),
        ("cid", "card", 3, 10, True, CARD["explanation"]),
    ]
    assert shop.query("select customers_chosen, planned_cost, planned_benefit from mart.vw_action_plan") == [
        (2, 6, 25)
    ]


def test_a_later_day_of_the_quarter_repeats_its_decisions_and_plans_for_new_customers_only(shop):
    shop.add(
        "acme",
        modules=["rfm", "churn", "ltv", "actions"],
        actions={"budget": 9, "holdout_share": 0, "rules": [CARD]},
    )
    worth = {"ann": 300, "bob": 200, "cid": 100, "dan": 90}
    first, second = date(2026, 10, 20), date(2026, 11, 3)
    shop.sell("acme", [(f"o-{who}", first - timedelta(days=9), who, 10) for who in worth])
    (shop.home / "left").mkdir()
    for day, known in ((first, ("ann", "bob")), (second, ("bob", "cid", "dan"))):
        shop.run("acme", day, only=("extract_transactions", "extract_customers", "load_dim_customer"))
        left = Left(Settings.read().root, shop.home / "left", as_of=day)
        left.put(RFM, *({"customer_id": who, "segment_code": "lost"} for who in known))
        left.put(CHURN_RISK, *({"customer_id": who, "churn_risk_category": "High"} for who in known))
        left.put(LTV, *({"customer_id": who, "predicted_clv_1_year": worth[who]} for who in known))
        shop.run(
            "acme", day,
            only=("customer_days", "action_candidates", "action_effects", "actions", "load_fact_action"),
        )  # fmt: skip

    # Nine of money is two cards of the first day and one of the second; ann is no candidate now.
    assert shop.query(
        "select fact_action.as_of, customer_id, decided_date, is_chosen from analytics.fact_action "
        "join analytics.dim_customer using (firm_sk, customer_sk) order by 1, 2"
    ) == [
        (first, "ann", first, True),
        (first, "bob", first, True),
        (second, "ann", first, False),
        (second, "bob", first, True),
        (second, "cid", second, True),
        (second, "dan", None, False),
    ]
