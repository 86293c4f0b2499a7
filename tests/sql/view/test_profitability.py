"""Margin and costs of customers."""

from datetime import date
from decimal import Decimal

from tests.warehouse.engagement_rows import entry, event, won
from tests.warehouse.value_rows import load, valued

AS_OF = date(2026, 11, 21)
DAY = date(2026, 11, 2)
N = Decimal


def test_known_costs_are_deducted_from_the_margin(shop):
    channels = [("desk", 4), ("chat", None)]
    shop.load(
        "dim_campaign",
        AS_OF.isoformat(),
        [entry("channel", code, cost_per_interaction=cost) for code, cost in channels],
    )
    load(
        shop,
        AS_OF,
        valued("ann", year=50, tier=4, total_historical_profit=60),
        valued("bob", year=None, total_historical_profit=10),
        valued("cid", total_historical_profit=20),
        valued("dan", total_historical_profit=32),
        valued("eve", total_historical_profit=0),
    )
    shop.load(
        "fact_customer_acquisition",
        AS_OF.isoformat(),
        [
            won("l1", DAY, "ann", acquisition_cost=40),
            won("l2", DAY, "bob", acquisition_cost=25),
            won("l3", DAY, "dan", acquisition_cost=32),
            won("l4", DAY, "eve", acquisition_cost=0),
        ],
    )
    shop.load(
        "fact_interaction",
        "2026-11",
        [
            event("1", DAY, "ticket", "ann", channel_code="desk", event_count=2),  # 2 at the desk's 4
            event("2", DAY, "complaint", "ann", channel_code="desk", cost_amount=N("1.5")),
            event("3", DAY, "inquiry", "ann", channel_code="chat"),  # nobody says what it cost
            event("4", DAY, "session", "ann", channel_code="desk"),  # no service
            event("5", AS_OF, "ticket", "ann", channel_code="desk"),  # not known yet
            event("6", DAY, "inquiry", "cid", channel_code="chat"),
        ],
        as_of=date(2026, 11, 30),
    )

    rows = shop.ask(
        "select customer_id, value_tier, total_historical_profit, acquisition_cost, total_service_cost, "
        "net_customer_value, clv_to_cac_ratio, has_paid_back from mart.vw_customer_profitability order by 1"
    )

    # ann: 60 - 40 - (8 + 1.5); 60 so far and 200 to come, over 40.
    assert rows == [
        ("ann", "Gold", 60, 40, N("9.5"), N("10.5"), N("6.50"), True),
        ("bob", "Silver", 10, 25, None, -15, None, False),
        ("cid", "Silver", 20, None, None, 20, None, None),
        ("dan", "Silver", 32, 32, None, 0, N("13.50"), True),
        ("eve", "Silver", 0, 0, None, 0, None, True),
    ]


def test_acquisition_cost_comes_from_the_leads_of_the_same_snapshot(shop):
    old = date(2026, 11, 14)
    for day in (old, AS_OF):
        load(shop, day, valued("ann"))
    shop.load("fact_customer_acquisition", str(old), [won("l1", DAY, "ann", acquisition_cost=40)])

    rows = [
        shop.ask("select acquisition_cost from mart.customer_profitability('acme', %s)", day)
        for day in (old, AS_OF)
    ]

    assert rows == [[(40,)], [(None,)]]
