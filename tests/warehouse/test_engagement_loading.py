"""Loads of events, campaigns, acquisitions and points."""

from datetime import date
from decimal import Decimal

import pytest

from include.warehouse import LoadRefused
from tests.warehouse.engagement_rows import entry, event, lead, points, won
from tests.warehouse.shop import returned, sale

MAY = date(2026, 5, 4)
AS_OF = date(2026, 6, 1)
COUNTS = (
    "select order_date, impressions, sends, clicks, spend from analytics.fact_campaign_performance order by 1"
)


def events(shop, *rows, month="2026-05", **more):
    return shop.load("fact_interaction", month, rows, as_of=AS_OF, **more)


def test_an_event_without_customer_and_channel_has_members_of_its_own(shop):
    events(
        shop, event("1", MAY, "nps", None, nps_score=9), event("2", MAY, "ticket", "bob", channel_code="web")
    )

    rows = shop.ask(
        "select interaction_id, customer_id, is_anonymous, channel_code, campaign_sk, nps_score "
        "from analytics.fact_interaction join analytics.dim_customer using (firm_sk, customer_sk) "
        "join analytics.dim_interaction_channel using (firm_sk, channel_sk) order by 1"
    )

    assert rows == [
        ("1", "(anonymous)", True, "(unknown)", None, 9),
        ("2", "bob", False, "web", None, None),
    ]


def test_what_events_alone_name_is_inactive(shop):
    events(shop, event("1", MAY, "sent", campaign_id="spring", channel_code="mail"))
    shop.load("fact_loyalty_movement", "2026-05", [points("m1", MAY)], as_of=AS_OF)

    rows = shop.ask(
        "select campaign_id, is_active from analytics.dim_campaign union all "
        "select channel_code, is_active from analytics.dim_interaction_channel union all "
        "select programme_id, is_active from analytics.dim_program order by 1"
    )

    assert rows == [("club", False), ("mail", False), ("spring", False)]


def test_a_month_replaces_itself_and_its_campaign_counts(shop):
    events(
        shop,
        event("1", MAY, "sent", campaign_id="spring", cost_amount="0.5"),
        event("2", MAY, "impression", None, campaign_id="spring", event_count=1000, cost_amount=2),
        event("3", MAY, "ticket", cost_amount=9),
    )
    events(shop, event("9", date(2026, 4, 4), "sent", campaign_id="spring"), month="2026-04")
    first = shop.ask(COUNTS)

    events(shop, event("1", MAY, "clicked", campaign_id="spring"))

    assert first == [
        (date(2026, 4, 4), 0, 1, 0, Decimal(0)),
        (MAY, 1000, 1, 0, Decimal("2.5")),
    ]
    assert shop.ask(COUNTS) == [(date(2026, 4, 4), 0, 1, 0, Decimal(0)), (MAY, 0, 0, 1, Decimal(0))]
    assert shop.ask("select count(*) from analytics.fact_interaction") == [(2,)]


def test_an_event_twice_is_refused_and_nothing_changes(shop):
    events(shop, event("1", MAY, "nps"))

    with pytest.raises(LoadRefused, match="interaction twice"):
        events(shop, event("2", MAY, "nps"), event("2", MAY, "ticket"))

    assert shop.ask("select interaction_id from analytics.fact_interaction") == [("1",)]


def test_a_score_beyond_ten_is_refused(shop):
    with pytest.raises(LoadRefused, match="nps_score"):
        events(shop, event("1", MAY, "nps", nps_score=11))


def test_a_campaign_follows_the_latest_directory_in_any_order_and_stays_when_it_leaves(shop):
    def directory(as_of, *rows):
        shop.load("dim_campaign", as_of.isoformat(), rows)

    events(shop, event("1", MAY, "sent", campaign_id="seen", channel_code="mail"))
    new = [
        entry("campaign", "spring", entry_name="New", budget_amount=9),
        entry("channel", "mail", entry_name="Mail", is_online=True),
    ]
    old = [entry("campaign", "spring", entry_name="Old"), entry("campaign", "winter", entry_name="Winter")]
    directory(date(2026, 6, 1), *new)
    directory(date(2026, 5, 1), *old, entry("programme", "club", entry_name="Club"))

    rows = shop.ask("select campaign_id, campaign_name, budget_amount, is_active from analytics.dim_campaign")

    assert sorted(rows) == [
        ("seen", None, None, False),
        ("spring", "New", Decimal(9), True),
        ("winter", "Winter", None, False),
    ]
    assert shop.ask(
        "select channel_code, channel_name, is_online, is_active from analytics.dim_interaction_channel"
    ) == [("mail", "Mail", True, True)]
    assert shop.ask("select programme_id, program_name from analytics.dim_program") == [("club", "Club")]


def test_points_keep_their_programme_and_exact_amounts(shop):
    shop.load(
        "fact_loyalty_movement",
        "2026-05",
        [points("m1", MAY, earned="10.5"), points("m2", MAY, "bob", used=3, programme=None)],
        as_of=AS_OF,
    )

    rows = shop.ask(
        "select movement_id, customer_id, programme_id, points_earned, points_used "
        "from analytics.fact_loyalty_movement join analytics.dim_customer using (firm_sk, customer_sk) "
        "join analytics.dim_program using (firm_sk, program_sk) order by 1"
    )

    assert rows == [
        ("m1", "ann", "club", Decimal("10.5"), Decimal(0)),
        ("m2", "bob", "(unknown)", Decimal(0), Decimal(3)),
    ]


def test_a_movement_twice_is_refused(shop):
    with pytest.raises(LoadRefused, match="movement twice"):
        shop.load(
            "fact_loyalty_movement",
            "2026-05",
            [points("m1", MAY), points("m1", MAY, "bob")],
            as_of=AS_OF,
        )


def test_leads_without_a_customer_are_kept_beside_those_with_one(shop):
    shop.load(
        "fact_customer_acquisition",
        AS_OF.isoformat(),
        [
            won("l1", MAY, "ann", channel_code="web", referrer_customer_id="bob", acquisition_cost=5),
            lead("l2", MAY, campaign_id="spring"),
        ],
    )

    rows = shop.ask(
        "select lead_id, won.customer_id, referrer.customer_id, channel_code, campaign_id, is_acquisition "
        "from analytics.fact_customer_acquisition as fact "
        "left join analytics.dim_customer as won on won.customer_sk = fact.customer_sk "
        "left join analytics.dim_customer as referrer on referrer.customer_sk = fact.referrer_customer_sk "
        "left join analytics.dim_campaign as campaign on campaign.campaign_sk = fact.campaign_sk "
        "join analytics.dim_interaction_channel using (channel_sk) order by 1"
    )

    assert rows == [
        ("l1", "ann", "bob", "web", None, True),
        ("l2", None, None, "(unknown)", "spring", False),
    ]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([won("l1", MAY, "ann"), won("l2", MAY, "ann")], "customer acquired twice"),
        ([won("l1", MAY, "ann", revenue_30_days=1)], "unfinished window"),
        ([won("l1", date(2026, 4, 1), "ann")], "none of a finished one"),
        ([lead("l1", AS_OF)], "on or after as_of"),
    ],
)
def test_an_acquisition_that_cannot_be_is_refused(shop, rows, fault):
    with pytest.raises(LoadRefused, match=fault):
        shop.load("fact_customer_acquisition", AS_OF.isoformat(), rows)


def test_activity_holds_orders_once_returns_and_every_event(shop):
    shop.sales(
        "2026-05",
        sale("o1", MAY, "ann", 10, channel="web"),
        sale("o1", MAY, "ann", 5, line_id="2", channel="web", quantity=3),
        returned("r1", MAY, "ann", 4),
    )
    events(shop, event("1", MAY, "sent", campaign_id="spring", channel_code="mail"))

    rows = shop.ask(
        "select activity_type, activity_reference, channel_code, order_value, items_count, "
        "campaign_sk is null from analytics.fact_customer_activity order by 1"
    )

    assert rows == [
        ("order", "o1", "web", Decimal(15), Decimal(4), True),
        ("return", "r1", None, Decimal(-4), Decimal(-1), True),
        ("sent", None, "mail", None, None, False),
    ]
