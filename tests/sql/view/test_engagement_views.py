"""Acquisition, campaigns, loyalty, NPS and timeline, row for row on a hand-made shop."""

import csv
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.warehouse.engagement_rows import entry, event, lead, points, won
from tests.warehouse.shop import returned, sale

AS_OF = date(2026, 6, 1)
NPS = Path(__file__).parents[4] / "shared" / "data" / "nps"


def acquired(shop, as_of, *rows):
    shop.load("fact_customer_acquisition", as_of.isoformat(), rows)


def test_a_channels_cost_includes_all_leads_and_its_median_payback_all_customers(shop):
    # web, March: three leads of 10 + 20 + 6 win two customers: 36 / 2 = 18 each. One paid back after
    # 4 days, one has not: the lower of the two is 4. In April two of three have not: no median.
    march = date(2026, 3, 2)
    ripe_30 = {"channel_code": "web", "revenue_30_days": 1}
    ripe = ripe_30 | {"revenue_90_days": 1}
    acquired(
        shop,
        AS_OF,
        won("l1", march, "ann", acquisition_cost=10, cac_payback_days=4, first_order_value=30, **ripe),
        won("l2", march, "bob", acquisition_cost=20, first_order_value=11, **ripe) | {"days_to_convert": 3},
        lead("l3", march, channel_code="web", acquisition_cost=6),
        won("l4", date(2026, 4, 2), "dee", acquisition_cost=1, cac_payback_days=9, **ripe_30),
        won("l5", date(2026, 4, 2), "eve", acquisition_cost=1, **ripe_30),
        won("l6", date(2026, 4, 2), "fay", acquisition_cost=1, **ripe_30),
        won("l7", date(2026, 5, 20), "cid", channel_code="web", acquisition_cost=7),
    )

    rows = shop.ask(
        "select cohort_month, leads, customers_acquired, total_acquisition_cost, avg_cac, "
        "avg_days_to_convert, avg_first_order_value, customers_matured, acquisition_roi_pct, "
        "customers_paid_back, median_cac_payback_days from mart.vw_acquisition_channel_performance order by 1"
    )

    assert rows == [
        (date(2026, 3, 1), 3, 2, Decimal(36), Decimal(18), Decimal("1.5"), Decimal("20.5"), 0, None, 1, 4),
        (date(2026, 4, 1), 3, 3, Decimal(3), Decimal(1), Decimal(0), None, 0, None, 1, None),
        (date(2026, 5, 1), 1, 1, Decimal(7), Decimal(7), Decimal(0), None, 0, None, 0, None),
    ]


def test_the_roi_of_a_channel_is_null_before_a_year_and_customers_without_a_lead_count(shop):
    # January 2025, store: 50 spent, 75 earned in 365 days: 50 %. May 2025 has not had its year yet.
    old = {"channel_code": "store", "revenue_30_days": 1, "revenue_90_days": 1}
    acquired(
        shop,
        AS_OF,
        won("l1", date(2025, 1, 10), "ann", acquisition_cost=50, revenue_365_days=60, **old),
        won("c1", date(2025, 1, 11), "bob", revenue_365_days=15, **old)
        | {"lead_id": None, "lead_created_date": None, "conversion_date": None, "days_to_convert": None},
        won("l2", date(2025, 5, 1), "cid", acquisition_cost=5, revenue_365_days=9, **old),
        won("l3", date(2025, 5, 31), "dee", acquisition_cost=5, revenue_365_days=9, **old),
        lead("l4", date(2025, 6, 1), channel_code="store", acquisition_cost=3),
    )

    rows = shop.ask(
        "select cohort_month, leads, customers_acquired, customers_matured, total_revenue_365, "
        "avg_revenue_365, acquisition_roi_pct "
        "from mart.acquisition_channel_performance('acme', %s) order by 1",
        AS_OF,
    )

    assert rows == [
        (date(2025, 1, 1), 1, 2, 2, Decimal(75), Decimal("37.5"), Decimal(50)),
        (date(2025, 5, 1), 2, 2, 2, Decimal(18), Decimal(9), Decimal(80)),
        (date(2025, 6, 1), 1, 0, 0, None, None, None),
    ]


def test_funnel_stages_never_grow_and_weeks_are_iso_weeks_across_the_year_end(shop):
    # 2024-12-30 is a Monday of week 1 of 2025. l1 was never contacted on paper, yet it bought.
    monday = date(2024, 12, 30)
    ripe = {"revenue_30_days": 0, "revenue_90_days": 0, "revenue_365_days": 0, "channel_code": "web"}
    acquired(
        shop,
        AS_OF,
        won("l1", monday, "ann", first_order_date=date(2025, 1, 2), **ripe),
        won("l2", date(2025, 1, 5), "bob", first_contact_date=date(2025, 1, 6), **ripe),
        lead("l3", date(2025, 1, 5), first_contact_date=date(2025, 1, 6), channel_code="web"),
        lead("l4", date(2025, 1, 5), channel_code="web"),
        lead("l5", date(2025, 1, 5), channel_code="web", customer_id="ann", conversion_date=date(2025, 1, 6)),
        lead("l6", date(2025, 1, 6), channel_code="web"),
    )

    rows = shop.ask(
        "select iso_year, week_of_year, week_start, channel_code, leads, contacted, converted, ordered, "
        "contact_rate, conversion_rate, order_rate, overall_conversion_rate "
        "from mart.vw_acquisition_funnel order by 1, 2"
    )

    assert rows == [
        (2025, 1, monday, "web", 5, 3, 2, 1, Decimal(60), Decimal("66.7"), Decimal(50), Decimal(20)),
        (2025, 2, date(2025, 1, 6), "web", 1, 0, 0, 0, Decimal(0), None, None, Decimal(0)),
    ]


def test_reach_counts_customers_once_and_a_day_shared_by_two_campaigns_is_halved(shop):
    # ann redeems spring twice and summer once on the 5th, and buys two orders of 30 in all that day:
    # spring and summer get one order and 15 each. The 6th, and its order of two lines, is spring's alone.
    # bob redeems on a day without an order; winter was shown to nobody known.
    day, other = date(2026, 5, 5), date(2026, 5, 6)
    shop.load(
        "dim_campaign", AS_OF.isoformat(), [entry("campaign", "spring", entry_name="Spring", entry_type="A")]
    )
    shop.load(
        "fact_interaction",
        "2026-05",
        [
            event("1", date(2026, 5, 1), "targeted", campaign_id="spring"),
            event("2", date(2026, 5, 1), "targeted", "bob", campaign_id="spring"),
            event("3", date(2026, 5, 1), "targeted", "cid", campaign_id="spring"),
            event("4", date(2026, 5, 2), "sent", campaign_id="spring", cost_amount=1),
            event("5", date(2026, 5, 3), "sent", campaign_id="spring", cost_amount=1),
            event("6", date(2026, 5, 3), "opened", campaign_id="spring"),
            event("7", date(2026, 5, 3), "clicked", campaign_id="spring"),
            event("8", day, "impression", None, campaign_id="spring", event_count=98, cost_amount=3),
            event("9", day, "redemption", campaign_id="spring"),
            event("10", day, "redemption", campaign_id="spring"),
            event("11", day, "redemption", campaign_id="summer"),
            event("12", other, "redemption", "bob", campaign_id="spring"),
            event("13", day, "redemption", None, campaign_id="summer"),
            event("14", other, "redemption", "ann", campaign_id="spring"),
            event("15", day, "impression", None, campaign_id="winter"),
        ],
        as_of=AS_OF,
    )  # fmt: skip
    shop.sales(
        "2026-05",
        sale("o1", day, "ann", 10),
        sale("o2", day, "ann", 20),
        sale("o3", other, "ann", 90),
        sale("o3", other, "ann", 9, line_id="2"),
        returned("r1", day, "ann", 7),
    )
    acquired(shop, AS_OF, lead("l1", day, campaign_id="spring"), won("l2", day, "dee", campaign_id="spring"))

    rows = shop.ask(
        "select campaign_id, campaign_name, audience_size, unique_reach, impressions, sends, opens, clicks, "
        "redemptions, redeeming_customers, leads_generated, customers_acquired, spend, orders_attributed, "
        "revenue_attributed, open_rate, click_through_rate, redemption_rate, cost_per_click, cost_per_lead, "
        "cost_per_acquisition, roas from mart.vw_campaign_performance order by 1"
    )

    assert [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in rows] == [
        ("spring", "Spring", 3, 3, 98, 2, 1, 1, 4, 2, 2, 1, 5, 2, 114, 50, 1, 66.7, 5, 2.5, 5, 22.8),
        ("summer", None, 0, 0, 0, 0, 0, 0, 2, 1, None, None, 0, 1, 15, *(None,) * 7),
        ("winter", None, 0, 0, 1, 0, 0, 0, 0, 0, None, None, 0, 0, 0, None, 0, *(None,) * 5),
    ]


def test_a_campaign_is_shown_as_of_a_day(shop):
    shop.load(
        "fact_interaction",
        "2026-05",
        [
            event("1", date(2026, 5, 1), "redemption", campaign_id="spring"),
            event("2", date(2026, 5, 2), "redemption", campaign_id="spring"),
        ],
        as_of=AS_OF,
    )

    before = shop.ask("select redemptions from mart.campaign_performance('acme', date '2026-05-02')")
    latest = shop.ask("select as_of, redemptions from mart.vw_campaign_performance")

    assert before == [(1,)]
    assert latest == [(AS_OF, 2)]


def test_redemption_counts_pairs_of_a_customer_and_a_campaign_by_type(shop):
    shop.load(
        "dim_campaign",
        AS_OF.isoformat(),
        [entry("campaign", code, entry_type=kind) for code, kind in (("1", "A"), ("2", "A"), ("3", "B"))],
    )
    day = date(2026, 5, 5)
    shop.load(
        "fact_interaction",
        "2026-05",
        [
            event("1", day, "targeted", "ann", campaign_id="1"),
            event("2", day, "targeted", "ann", campaign_id="2"),
            event("3", day, "targeted", "bob", campaign_id="1"),
            event("4", day, "redemption", "ann", campaign_id="1"),
            event("5", day, "redemption", "ann", campaign_id="1"),
            event("6", day, "redemption", "cid", campaign_id="2"),
            event("7", day, "targeted", "ann", campaign_id="3"),
            event("8", day, "redemption", None, campaign_id="3"),
        ],
        as_of=AS_OF,
    )

    rows = shop.ask(
        "select campaign_type, campaigns, targeted, redeeming, redemptions, redemption_rate "
        "from mart.vw_campaign_redemption order by 1"
    )

    assert rows == [("A", 2, 3, 2, 3, Decimal("33.3")), ("B", 1, 1, 0, 0, Decimal(0))]


def test_points_outstanding_are_carried_from_month_to_month(shop):
    shop.load(
        "fact_loyalty_movement",
        "2026-03",
        [
            points("m1", date(2026, 3, 5), earned=100),
            points("m2", date(2026, 3, 6), "bob", earned=50, used=20),
        ],
        as_of=AS_OF,
    )
    shop.load(
        "fact_loyalty_movement",
        "2026-05",
        [
            points("m3", date(2026, 5, 30), used=60),
            points("m4", date(2026, 5, 30), "cid", earned=5, programme="gold"),
            points("m6", date(2026, 5, 30), "cid", earned=3, programme="gold"),
            points("m5", date(2026, 5, 31), earned=1000),
        ],
        as_of=AS_OF,
    )

    rows = shop.ask(
        "select programme_id, month_start, active_members, new_members, members, points_earned, points_used, "
        "points_outstanding, redemption_rate, is_complete "
        "from mart.loyalty_programme('acme', date '2026-05-31') order by 1, 2"
    )

    march, may = date(2026, 3, 1), date(2026, 5, 1)
    assert [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in rows] == [
        ("club", march, 2, 2, 2, 150, 20, 130, 13.3, True),
        ("club", may, 1, 0, 2, 0, 60, 70, None, False),
        ("gold", may, 1, 1, 1, 8, 0, 8, 0, False),
    ]
    assert shop.ask(
        "select max(points_outstanding), bool_and(is_complete) from mart.vw_loyalty_programme"
    ) == [(Decimal(1070), True)]


def test_nps_leaves_out_surveys_without_a_score_and_other_events(shop):
    day = date(2026, 5, 5)
    scores = [(0, "order"), (6, "order"), (7, "order"), (8, "order"), (9, "order"), (10, "order"), (10, None)]
    shop.load(
        "fact_interaction",
        "2026-05",
        [
            event(f"{n}", day, "nps", None, nps_score=s, activity_subtype=at)
            for n, (s, at) in enumerate(scores)
        ]
        + [
            event("none", day, "nps", activity_subtype="order"),
            event("nine", day, "nps", nps_score=9, activity_subtype="order"),
            event("other", day, "feedback", nps_score=0),
        ],
        as_of=AS_OF,
    )

    rows = shop.ask(
        "select month_start, stage, responses, answers, promoters, passives, detractors, nps, is_complete "
        "from mart.vw_nps order by 2"
    )

    may = date(2026, 5, 1)
    assert rows == [
        (may, "(unknown)", 1, 1, 1, 0, 0, Decimal(100), True),
        (may, "order", 8, 7, 3, 2, 2, Decimal("14.3"), True),
    ]


def test_nps_of_2385_real_answers_equals_the_published_value(shop):
    if not NPS.is_dir():
        pytest.skip("the survey's answers are not beside this checkout")
    truth = json.loads((NPS / "ground_truth.json").read_text())
    months: dict[str, list[dict]] = {}
    with gzip.open(NPS / "nps_scores_no_text.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["customer_response_date"]).replace(
                tzinfo=ZoneInfo("Europe/London")
            )
            score = int(float(row["nps_score"])) if row["nps_score"] not in ("", "NA") else None
            months.setdefault(f"{at:%Y-%m}", []).append(
                event(row["response_id"], at.date(), "nps", None, activity_subtype=row["survey_sub_type"],
                      nps_score=score, occurred_at=at.astimezone(ZoneInfo("UTC")))
            )  # fmt: skip

    for month, rows in months.items():
        shop.load("fact_interaction", month, rows, as_of=date(2018, 7, 1))

    counts = shop.ask(
        "select sum(responses), sum(promoters), sum(passives), sum(detractors), "
        "100.0 * (sum(promoters) - sum(detractors)) / sum(answers) from mart.vw_nps"
    )
    # By stage and by month the published scores divide by every survey, those without a score too.
    published = (
        "round(100.0 * (sum(promoters) - sum(detractors)) / sum(responses), 4)::float from mart.vw_nps"
    )
    stages = shop.ask(f"select stage, sum(responses)::int, {published} group by stage")
    by_month = shop.ask(
        f"select to_char(month_start, 'YYYY-MM'), sum(responses)::int, {published} group by 1"
    )
    assert counts[0][:4] == (2385, *truth["prom_pass_det"])
    assert float(counts[0][4]) == pytest.approx(truth["NPS_overall"], abs=1e-4)
    assert {stage: [count, score] for stage, count, score in stages} == truth["NPS_by_survey_type"]
    assert {month: [n, pytest.approx(nps, abs=0.01)] for month, n, nps in by_month} == truth["NPS_by_month"]


def test_a_timeline_holds_one_known_customers_orders_and_events_in_order(shop):
    first, second = date(2026, 5, 5), date(2026, 5, 6)
    shop.sales(
        "2026-05",
        sale("o1", second, "ann", 10, channel="web"),
        sale("o2", first, "bob", 10),
        sale("o3", first, None, 10),
        as_of=AS_OF,
    )
    shop.sales("2026-06", sale("o4", AS_OF, "bob"), as_of=AS_OF)
    shop.load(
        "fact_interaction",
        "2026-05",
        [
            event("1", first, "sent", campaign_id="spring", channel_code="mail"),
            event("2", first, "nps", None, nps_score=1),
        ],
        as_of=AS_OF,
    )

    rows = shop.ask(
        "select order_date, activity_type, activity_reference, channel_code, campaign_id, order_value "
        "from mart.customer_activity_timeline('acme', 'ann', %s)",
        AS_OF,
    )
    earlier = shop.ask("select activity_type from mart.customer_activity_timeline('acme', 'ann', %s)", second)
    everybody = shop.ask("select customer_id, activity_type from mart.vw_customer_activity_timeline")

    assert rows == [
        (first, "sent", None, "mail", "spring", None),
        (second, "order", "o1", "web", None, Decimal(10)),
    ]
    assert earlier == [("sent",)]
    assert sorted(everybody) == [("ann", "order"), ("ann", "sent"), ("bob", "order")]
