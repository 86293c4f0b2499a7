"""The views of actions: plan and effect."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest

from include.datasets.actions import ACTIONS
from include.datasets.engagement import ASSIGNMENTS
from include.models.actions import Customer, Rule, decide
from include.models.uplift import adjusted, amount_effect, rate_effect, slope_of
from include.simulator.behaviour import Season, draw_buyers, draw_purchases, draw_values
from tests.warehouse.shop import TABLES, returned, sale, scored

TABLES["fact_action"] = ACTIONS
TABLES["fact_assignment"] = ASSIGNMENTS
JANUARY, FEBRUARY, APRIL = date(2026, 1, 10), date(2026, 2, 10), date(2026, 4, 1)
N = Decimal
EFFECT = (
    "select action_code, quarter_start, treated_customers, held_out_customers, treated_order_pct, "
    "held_out_order_pct, treated_avg_spend, held_out_avg_spend, spend_effect, spend_effect_low, "
    "is_beyond_chance, cost_amount, incremental_spend from mart.action_effect('acme', %s) "
    "where action_code <> 'all_actions' order by 1"
)


def action(customer, *, held=False, chosen=None, code="offer", cost=2):
    return {
        "customer_id": customer,
        "action_code": code,
        "cost_amount": cost,
        "expected_benefit_amount": 5,
        "roi": (5 - cost) / cost,
        "is_holdout": held,
        "is_chosen": not held if chosen is None else chosen,
        "explanation": "Worth it.",
    }


def decide_on(shop, as_of, *rows):
    shop.load("fact_action", as_of.isoformat(), sorted(rows, key=lambda row: row["customer_id"]))


def sold(shop, *lines, as_of=APRIL):
    for month in sorted({line["order_date"].strftime("%Y-%m") for line in lines}):
        shop.sales(month, *[x for x in lines if x["order_date"].strftime("%Y-%m") == month], as_of=as_of)


def known(shop, *customers):
    shop.customers(JANUARY, *({"customer_id": customer} for customer in customers))


def test_the_plan_counts_who_is_chosen_held_out_and_beyond_the_budget(shop):
    known(shop, "ann", "bob", "cid", "dan", "eve", "fay")
    shop.rfm(FEBRUARY, scored("ann", FEBRUARY))  # another fact of the same day
    decide_on(shop, JANUARY, action("ann"))
    decide_on(
        shop,
        FEBRUARY,
        action("ann"),
        action("bob", held=True),
        action("cid", chosen=False),
        action("dan", code="call", cost=4),
        action("eve", cost=3),
        action("fay", held=True, code="gift"),
    )

    rows = shop.ask(
        "select as_of, action_code, customers_proposed, customers_chosen, customers_held_out, planned_cost, "
        "planned_benefit from mart.vw_action_plan order by 2"
    )

    assert rows == [
        (FEBRUARY, "call", 1, 1, 0, 4, 5),
        (FEBRUARY, "gift", 1, 0, 1, 0, 0),
        (FEBRUARY, "offer", 4, 2, 1, 5, 10),
    ]


def test_the_plan_says_who_is_left_out_and_who_is_new(shop):
    known(shop, "ann", "bob", "cid", "dan", "eve", "fay")
    lift = {"expected_lift": 0.2, "lift_error": 0.05}
    decide_on(
        shop,
        FEBRUARY,
        action("ann") | {"arm": "action", "decided_date": JANUARY} | lift,
        action("bob") | {"arm": "action", "decided_date": FEBRUARY} | lift,
        action("cid", chosen=False) | {"arm": "business_as_usual", "decided_date": JANUARY},
        action("dan", chosen=False) | {"exclusion": "unsubscribed"},
        action("eve", chosen=False) | {"exclusion": "recently_contacted"},
        action("fay", chosen=False) | {"exclusion": "assigned_elsewhere"},
    )

    rows = shop.ask(
        "select customers_proposed, customers_chosen, customers_decided_today, customers_as_usual, "
        "customers_unsubscribed, customers_contacted, customers_assigned, customers_without_consent, "
        "expected_lift, lift_error from mart.vw_action_plan"
    )

    assert rows == [(3, 2, 1, 1, 1, 1, 1, 0, 0.2, 0.05)]


def test_spend_from_the_day_of_entry_to_the_quarters_end_is_compared(shop):
    known(shop, "ann", "bob", "cid", "dan", "eve")
    decide_on(shop, JANUARY, action("ann"), action("bob", held=True), action("eve", chosen=False))
    decide_on(shop, FEBRUARY, action("ann"), action("cid"), action("dan", held=True))
    sold(
        shop,
        sale("1", JANUARY - timedelta(days=1), "ann", 1000),  # before she was chosen
        sale("2", JANUARY, "ann", 30),
        returned("3", date(2026, 3, 31), "ann", 10),
        sale("4", FEBRUARY - timedelta(days=1), "cid", 1000),
        sale("5", date(2026, 3, 1), "dan", 6),
        sale("6", date(2026, 3, 1), "eve", 500),  # beyond the budget: of neither group
        sale("7", APRIL, "cid", 1000),  # the quarter is over
        as_of=date(2026, 4, 15),
    )

    rows = shop.ask(EFFECT, date(2026, 4, 15))

    # ann 30 - 10 and cid 0 against bob 0 and dan 6; two customers a group are too few for an interval.
    assert rows == [
        ("offer", date(2026, 1, 1), 2, 2, 50, 50, 10, 3, 7, None, None, 4, None),
    ]


def test_an_unfinished_quarter_has_no_row_and_the_view_uses_the_latest_sales(shop):
    known(shop, "ann", "bob")
    decide_on(shop, JANUARY, action("ann"), action("bob", held=True))
    view = "select as_of, action_code, treated_customers from mart.vw_action_effect order by 2 desc limit 1"

    sold(shop, sale("1", FEBRUARY, "ann", 30), as_of=APRIL - timedelta(days=1))
    early = shop.ask(view)
    sold(shop, sale("1", FEBRUARY, "ann", 31), as_of=APRIL)

    assert early == []
    assert shop.ask(view) == [(APRIL, "offer", 1)]
    assert shop.ask(EFFECT, APRIL - timedelta(days=1)) == []


def test_a_customer_counts_in_the_group_of_its_first_day(shop):
    known(shop, "ann")
    decide_on(shop, JANUARY, action("ann", held=True))
    decide_on(shop, FEBRUARY, action("ann"))
    sold(shop, sale("1", FEBRUARY, "ann", 30))

    ((_, _, treated, held_out, *_, cost, _),) = shop.ask(EFFECT, APRIL)

    assert (treated, held_out, cost) == (0, 1, 0)


def test_the_intervals_are_those_of_the_model(shop):
    treated, held_out = [f"t{n:02}" for n in range(60)], [f"h{n:02}" for n in range(30)]
    known(shop, *treated, *held_out)
    decide_on(shop, JANUARY, *map(action, treated), *(action(who, held=True) for who in held_out))
    spend = {who: 10 + n for n, who in enumerate(treated[:36])} | dict.fromkeys(held_out[:9], 11)
    sold(shop, *(sale(who, FEBRUARY, who, amount) for who, amount in spend.items()))
    amounts = [[float(spend.get(who, 0)) for who in group] for group in (treated, held_out)]

    (rate, amount) = rate_effect(36, 60, 9, 30), amount_effect(*amounts)
    (row,) = shop.ask(
        "select order_effect_pct, order_effect_low_pct, order_effect_high_pct, spend_effect, "
        "spend_effect_low, spend_effect_high, is_beyond_chance, incremental_spend from mart.vw_action_effect "
        "where action_code = 'offer'"
    )

    assert row[0] == 30
    assert [float(x) for x in row[1:3]] == pytest.approx([100 * rate.low, 100 * rate.high], abs=0.005)
    assert [float(x) for x in row[3:6]] == pytest.approx(
        [amount.difference, amount.low, amount.high], abs=0.005
    )
    assert row[6] is amount.is_beyond_chance
    assert float(row[7]) == pytest.approx(60 * amount.difference, abs=0.01)


def trial(shop, before, after):
    """Sixty treated and thirty held out, who spent these amounts before January 10 and in February."""
    treated, held_out = [f"t{n:02}" for n in range(60)], [f"h{n:02}" for n in range(30)]
    known(shop, *treated, *held_out)
    decide_on(shop, JANUARY, *map(action, treated), *(action(who, held=True) for who in held_out))
    day = JANUARY - timedelta(days=60)
    everyone = list(enumerate((*treated, *held_out)))
    earlier = [sale(f"b{who}", day, who, before(n)) for n, who in everyone]
    sold(shop, *earlier, *(sale(f"a{who}", FEBRUARY, who, after(n)) for n, who in everyone))


def test_what_a_customer_spent_before_narrows_the_interval(shop):
    def before(n):
        return 100 + 40 * (n % 10)

    def after(n):
        return before(n) + n % 3 + (5 if n < 60 else 0)

    trial(shop, before, after)
    amounts, known_before = [float(after(n)) for n in range(90)], [float(before(n)) for n in range(90)]
    slope, mean = slope_of(amounts, known_before), sum(known_before) / 90
    found = adjusted(amounts, known_before, slope=slope, mean_before=mean)
    expected, raw = amount_effect(found[:60], found[60:]), amount_effect(amounts[:60], amounts[60:])

    ((effect, low, high, beyond),) = shop.ask(
        "select spend_effect, spend_effect_low, spend_effect_high, is_beyond_chance "
        "from mart.vw_action_effect where action_code = 'offer'"
    )

    assert [float(x) for x in (effect, low, high)] == pytest.approx(
        [expected.difference, expected.low, expected.high], abs=0.006
    )
    assert not raw.is_beyond_chance
    assert beyond


def test_nothing_is_added_up_where_no_effect_is_proved(shop):
    trial(shop, lambda n: 100, lambda n: 50 + n % 7)

    rows = shop.ask("select is_beyond_chance, incremental_spend from mart.vw_action_effect")

    assert rows == [(False, None), (False, None)]


def test_a_split_that_no_draw_gives_is_named(shop):
    known(shop, *(f"c{n:03}" for n in range(100)))
    decide_on(shop, JANUARY, *(action(f"c{n:03}", held=n < 10) | {"holdout_share": 0.5} for n in range(100)))
    sold(shop, sale("1", FEBRUARY, "c001", 5))

    rows = shop.ask("select action_code, is_split_as_planned from mart.vw_action_effect order by 1")

    assert rows == [("all_actions", False), ("offer", False)]


def test_business_as_usual_is_compared_apart_from_the_holdout(shop):
    known(shop, *(f"c{n}" for n in range(9)))
    arms = ["action"] * 3 + ["holdout"] * 3 + ["business_as_usual"] * 3
    shares = {"holdout_share": 0.25, "usual_share": 0.25}
    decide_on(
        shop,
        FEBRUARY,
        *(
            action(f"c{n}", held=arm == "holdout", chosen=arm == "action")
            | {"arm": arm, "decided_date": JANUARY, **shares}
            for n, arm in enumerate(arms)
        ),
    )
    spend = {"action": 30, "holdout": 10, "business_as_usual": 24}
    sold(shop, *(sale(f"s{n}", JANUARY, f"c{n}", spend[arm]) for n, arm in enumerate(arms)))

    rows = shop.ask(
        "select compared_with, treated_customers, held_out_customers, spend_effect, is_split_as_planned "
        "from mart.vw_action_effect where action_code = 'offer' order by 1"
    )

    # Three of six where a third is planned: 0.25 of 0.75.
    assert rows == [("business_as_usual", 3, 3, 6, True), ("holdout", 3, 3, 20, True)]


def test_assignments_made_elsewhere_are_measured_by_their_own_control(shop):
    treated, control = [f"t{n:02}" for n in range(60)], [f"h{n:02}" for n in range(40)]
    known(shop, *treated, *control)
    shop.load(
        "fact_assignment",
        "2026-01",
        [
            {
                "assignment_id": f"a{who}",
                "customer_id": who,
                "action_code": "spring|mail",
                "occurred_at": datetime(2026, 1, 10, 9, tzinfo=UTC),
                "order_date": JANUARY,
                "is_control": who in control,
                "control_share": 0.4,
                "cost_amount": 1,
            }
            for who in sorted((*treated, *control))
        ],
    )
    spend = {who: 50 + n % 5 for n, who in enumerate(treated)} | {
        who: 20 + n % 5 for n, who in enumerate(control)
    }
    sold(shop, *(sale(who, FEBRUARY, who, amount) for who, amount in spend.items()))

    rows = shop.ask(
        "select origin, action_code, compared_with, treated_customers, held_out_customers, spend_effect, "
        "is_beyond_chance, cost_amount, incremental_spend, is_split_as_planned from mart.vw_action_effect"
    )

    assert rows == [("elsewhere", "spring|mail", "control", 60, 40, 30, True, 60, 1800, True)]


def test_the_programme_pools_its_actions_and_counts_a_customer_once(shop):
    known(shop, "ann", "bob")
    decide_on(shop, JANUARY, action("ann", code="call"), action("bob", code="card"))
    decide_on(shop, FEBRUARY, action("ann", code="card"))
    sold(shop, sale("1", FEBRUARY, "ann", 5))

    rows = shop.ask("select action_code, treated_customers from mart.vw_action_effect order by 1")

    assert rows == [("all_actions", 2), ("call", 1), ("card", 2)]


@pytest.mark.parametrize(("added", "is_found"), [(0, False), (12, True)])
def test_the_effect_on_simulated_customers_is_zero_without_one_and_found_with_one(shop, added, is_found):
    """Customers of the simulator, decided on by the rules; the treated may buy one thing more."""
    rng = np.random.default_rng(21)
    season = Season(days=90, strength=0)
    buyers = draw_buyers(
        rng, 1500, counts=(1.1, 9.0, 0.6, 9.0), spend=(6.25, 3.74, 15.44), one_timer_share=0, joining_days=10
    )
    bought = draw_purchases(rng, buyers, days=90, season=season)
    cents = draw_values(rng, buyers.spend_rate[bought.buyer], shape=6.25)
    names = [f"c{n:04}" for n in range(1500)]
    known(shop, *names)
    rule = Rule("offer", (), (), 0, 1, 0.1, "en", "tr")
    start = date(2026, 1, 11)  # everybody has bought once by then
    rows = decide(
        [Customer(name, "recent", "High", 100) for name in names],
        rules=[rule],
        firm_key="acme",
        as_of=start,
        budget=1e9,
        holdout_share=0.4,
    )
    decide_on(shop, start, *(row._asdict() for row in rows))
    lines = [
        sale(f"s{n}", date(2026, 1, 1) + timedelta(days=int(at)), names[who], N(int(amount)) / 100)
        for n, (who, at, amount) in enumerate(zip(bought.buyer, bought.at, cents, strict=True))
    ]
    treated = [row.customer_id for row in rows if row.is_chosen] if added else []

    sold(shop, *lines, *(sale(f"x{who}", FEBRUARY, who, added) for who in treated))

    ((effect, low, high, beyond),) = shop.ask(
        "select spend_effect, spend_effect_low, spend_effect_high, is_beyond_chance "
        "from mart.vw_action_effect where action_code = 'offer'"
    )
    assert low < added < high
    assert abs(effect - added) < 4
    assert beyond is is_found


def test_another_firms_actions_are_not_counted(shop):
    known(shop, "ann")
    decide_on(shop, JANUARY, action("ann"))
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("insert into analytics.dim_firm (firm_key, firm_name, timezone, currency) "
                           "values ('zeta', 'Zeta', 'UTC', 'EUR')")  # fmt: skip

    assert shop.ask("select * from mart.action_effect('zeta', %s)", APRIL) == []
