import random
from collections import Counter
from datetime import date
from itertools import combinations

import pyarrow as pa
import pytest

from include.datasets.actions import ACTION_CANDIDATES, ACTION_EFFECTS, ACTIONS
from include.firms import FirmError, parse_firm
from include.models import actions
from include.models.actions import Customer, Rule, RuleTableError, decide
from include.models.segments import SEGMENTS
from include.models.uplift import amount_effect
from tests.warehouse.shop import ACME, batch

AS_OF = date(2025, 7, 1)


def rule(code, cost, lift, *, segments=(), risks=(), least=0):
    return Rule(code, segments, risks, least, cost, lift, f"en {code}", f"tr {code}")


STANDARD = actions.in_currency(actions.RULES, 40.0)


def decided(customers, *, rules=STANDARD, budget=1e9, holdout_share=0.0, as_of=AS_OF, **more):
    rows = decide(
        customers,
        rules=rules,
        firm_key="acme",
        as_of=as_of,
        budget=budget,
        holdout_share=holdout_share,
        **more,
    )
    return {row.customer_id: row for row in rows}


def computed(rows, *, firm, as_of=AS_OF, effects=(), past=None):
    candidates = pa.Table.from_batches([batch(ACTION_CANDIDATES, rows)])
    measured = pa.Table.from_batches([batch(ACTION_EFFECTS, effects)])
    known = ACTIONS.schema.empty_table() if past is None else past
    found = actions.compute(candidates, measured, firm=firm, as_of=as_of, past=known)
    batches = [ACTIONS.conform(part) for part in found.combine_chunks().to_batches()]
    return pa.Table.from_batches(batches, schema=ACTIONS.schema)


def many(count, seed=1):
    rng = random.Random(seed)
    return [Customer(f"c{n:05}", "recent", "High", rng.uniform(20, 500), 1) for n in range(count)]


def test_the_more_expensive_action_goes_to_customers_with_a_positive_net_benefit():
    rows = decided(
        [
            Customer("great", "cant_lose_them", "Critical", 1000),
            Customer("small", "about_to_sleep", "Low", 15),
        ]
    )

    assert rows["great"].action_code == "personal_call"
    assert (rows["great"].cost_amount, rows["great"].expected_benefit_amount) == (8, pytest.approx(100))
    assert rows["great"].roi == pytest.approx(11.5)
    assert rows["small"].action_code == "reminder_email"


def test_the_action_with_the_highest_net_benefit_is_proposed():
    rules = [rule("lavish", 9, 1), rule("thrifty", 1, 0.5)]

    assert decided([Customer("a", "lost", "Low", 10)], rules=rules)["a"].action_code == "thrifty"


def test_a_customer_without_a_profitable_action_has_no_row():
    assert decided([Customer("a", "lost", "Critical", 1)]) == {}


def test_a_firms_budget_and_holdout_decide_its_table():
    rows = [
        {
            "customer_id": f"c{n:03}",
            "segment_code": "champions",
            "churn_risk_category": "Low",
            "value_at_stake": 500,
            "firm_avg_order_value": 40.0,
        }
        for n in range(200)
    ]
    firm = parse_firm(ACME | {"actions": {"budget": 25, "holdout_share": 0.5}})

    decided = computed(rows, firm=firm).to_pylist()

    assert [row["customer_id"] for row in decided] == [row["customer_id"] for row in rows]
    assert sum(row["cost_amount"] for row in decided if row["is_chosen"]) == 25
    assert 20 < sum(row["is_holdout"] for row in decided) < 90


def test_a_firms_own_rules_replace_the_standard_ones():
    at_stake = {"segment_code": "lost", "churn_risk_category": "High", "value_at_stake": 500}
    rows = [{"customer_id": "a", **at_stake}, {"customer_id": "b", **at_stake, "churn_risk_category": "Low"}]
    postcard = {
        "action_code": "postcard",
        "risks": ["High"],
        "unit_cost": 3,
        "expected_lift": 0.05,
        "explanation": "Bize kart yazın.",
    }

    firm = parse_firm(ACME | {"actions": {"rules": [postcard], "holdout_share": 0}})
    (row,) = computed(rows, firm=firm).to_pylist()

    assert (row["customer_id"], row["action_code"], row["explanation"]) == (
        "a",
        "postcard",
        "Bize kart yazın.",
    )
    assert (row["cost_amount"], row["expected_benefit_amount"]) == (3, 25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risks": ["Severe"]}, "risks"),
        ({"unit_cost": -1}, "unit_cost"),
        ({"max_orders": 0}, "max_orders"),
        ({"expected_lift": 2}, "expected_lift"),
        ({"explanation": ""}, "explanation"),
    ],
)
def test_a_firms_rule_that_cannot_be_used_is_refused_with_its_field(change, message):
    rule = {"action_code": "card", "unit_cost": 3, "expected_lift": 0.05, "explanation": "x"}

    with pytest.raises(FirmError, match=rf"actions\.rules\.0\.{message}"):
        parse_firm(ACME | {"actions": {"rules": [rule | change]}})
    with pytest.raises(FirmError, match=r"\['card'\] have two rules"):
        parse_firm(ACME | {"actions": {"rules": [rule, rule]}})


def test_the_explanation_is_in_the_firms_language():
    customers = [Customer("a", "champions", "Low", 500)]

    assert decided(customers)["a"].explanation.startswith("Buys regularly")
    assert decided(customers, language="tr")["a"].explanation.startswith("Düzenli alışveriş")


def test_the_budget_is_kept_and_the_benefit_is_within_one_action_of_the_optimum():
    rules = [rule("cheap", 2, 0.1, segments=("s",)), rule("dear", 7, 0.1, segments=("t",))]
    rng = random.Random(3)
    customers = [Customer(f"c{n:02}", rng.choice("st"), "Low", rng.uniform(75, 300)) for n in range(12)]
    budget = 20

    rows = decided(customers, rules=rules, budget=budget)

    net = {key: row.expected_benefit_amount - row.cost_amount for key, row in rows.items()}
    best = max(
        sum(net[key] for key in keys)
        for size in range(len(rows) + 1)
        for keys in combinations(rows, size)
        if sum(rows[key].cost_amount for key in keys) <= budget
    )
    reached = sum(net[key] for key, row in rows.items() if row.is_chosen)
    assert sum(row.cost_amount for row in rows.values() if row.is_chosen) <= budget
    assert best - max(net.values()) < reached <= best


def test_the_budget_is_spent_by_net_benefit_per_unit_of_cost():
    rules = [
        rule("dear", 4, 0.12, segments=("big",)),
        rule("cheap", 2, 0.08, segments=("small",)),
        rule("card", 1, 0.02, segments=("card",)),
        rule("free", 0, 0.01, segments=("free",)),
    ]
    customers = [
        Customer("big", "big", "Low", 100),  # brings 12 for 4: 2 a coin
        Customer("one", "small", "Low", 100),  # 8 for 2: 3 a coin
        Customer("two", "small", "Low", 100),
        Customer("card", "card", "Low", 75),  # 1.50 for 1: a half a coin
        Customer("free", "free", "Low", 100),
    ]

    chosen = {
        budget: [key for key, row in decided(customers, rules=rules, budget=budget).items() if row.is_chosen]
        for budget in (0, 2, 4, 5, 8, 9)
    }

    assert chosen == {
        0: ["free"],
        2: ["free", "one"],
        4: ["free", "one", "two"],
        5: ["card", "free", "one", "two"],
        8: ["big", "free", "one", "two"],
        9: ["big", "card", "free", "one", "two"],
    }


def test_an_action_that_only_breaks_even_is_not_proposed_and_the_least_value_is_enough():
    even, enough = rule("even", 2, 0.02), rule("enough", 1, 0.02, least=100)

    assert decided([Customer("a", "lost", "Low", 100)], rules=[even]) == {}
    assert decided([Customer("a", "lost", "Low", 99.99)], rules=[enough]) == {}
    assert decided([Customer("a", "lost", "Low", 100)], rules=[enough])["a"].action_code == "enough"


def test_the_holdout_differs_between_firms_and_quarters():
    kinds = [("acme", AS_OF), ("zeta", AS_OF), ("acme", date(2025, 10, 1))]

    drawn = [actions.draw(firm_key, "ann", day) for firm_key, day in kinds]

    assert len(set(drawn)) == 3


def test_without_a_budget_only_free_actions_are_chosen():
    rows = decided(many(50), budget=0)

    assert rows
    assert not any(row.is_chosen or row.is_holdout for row in rows.values())


def test_the_holdout_is_the_same_all_through_a_quarter_and_another_in_the_next():
    days = (AS_OF, date(2025, 9, 30), date(2025, 10, 1))

    held, held_last, held_next = (
        {key for key, row in decided(many(2000), holdout_share=0.1, as_of=day).items() if row.is_holdout}
        for day in days
    )

    assert 150 < len(held) < 250
    assert held == held_last
    assert len(held & held_next) < 50


def test_no_customer_is_both_held_out_and_chosen_and_the_holdout_costs_nothing():
    rows = decided(many(500), holdout_share=0.2, budget=300).values()

    assert not any(row.is_holdout and row.is_chosen for row in rows)
    assert sum(row.cost_amount for row in rows if row.is_chosen) <= 300
    assert actions.spent(rows)["second_order_voucher"] == sum(r.cost_amount for r in rows if r.is_chosen)


def test_the_holdout_and_the_chosen_have_the_same_mean_value():
    customers = many(20_000)
    value = {customer.customer_id: customer.value for customer in customers}

    rows = decided(customers, holdout_share=0.2, budget=5_000)

    groups = Counter((row.is_chosen, row.is_holdout) for row in rows.values())
    effect = amount_effect(
        [value[key] for key, row in rows.items() if row.is_chosen],
        [value[key] for key, row in rows.items() if row.is_holdout],
    )
    assert groups[False, False] > 1_000  # the money did not reach everybody
    assert not effect.is_beyond_chance


def test_a_simulated_effect_is_measured_and_no_effect_is_not():
    rng = random.Random(5)
    rows = decided(many(20_000), holdout_share=0.3)
    spend = {key: rng.gauss(100, 30) for key in rows}

    def measured(added):
        return amount_effect(
            [spend[key] + added for key, row in rows.items() if row.is_chosen],
            [spend[key] for key, row in rows.items() if row.is_holdout],
        )

    assert measured(5).low < 5 < measured(5).high
    assert measured(5).is_beyond_chance
    assert not measured(0).is_beyond_chance


def test_the_standard_rules_name_segments_that_exist():
    known = {segment.segment_code for segment in SEGMENTS}

    assert {code for each in actions.RULES for code in each.segments} <= known


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([rule("a", 1, 0.1), rule("a", 2, 0.1)], "a has more than one rule"),
        ([rule("a", -1, 0.1)], "cost must be 0 or more"),
        ([rule("a", 1, 1.5)], "lift from 0 to 1"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(rules, message):
    with pytest.raises(RuleTableError, match=message):
        decided([Customer("a", "lost", "Low", 10)], rules=rules)


def test_the_voucher_for_a_second_order_goes_to_customers_of_one_order_only():
    rows = decided(
        [Customer("one", "recent", "Low", 100, orders=1), Customer("many", "recent", "Low", 100, orders=22),
         Customer("unknown", "recent", "Low", 100)]
    )  # fmt: skip

    assert {key: row.action_code for key, row in rows.items()} == {
        "one": "second_order_voucher", "many": "reminder_email", "unknown": "reminder_email",
    }  # fmt: skip


def test_standard_costs_are_shares_of_the_firms_average_order():
    dollars, yen = (
        decided(
            [Customer("a", "cant_lose_them", "High", 4_000.0 * rate)],
            rules=actions.in_currency(actions.RULES, 40.0 * rate),
        )["a"]
        for rate in (1, 150)
    )

    assert (dollars.action_code, dollars.cost_amount) == ("personal_call", 8)
    assert (yen.action_code, yen.cost_amount, yen.roi) == ("personal_call", 1200, dollars.roi)


def test_the_long_silent_are_on_no_work_list():
    assert decided([Customer("a", "lost", "Critical", 900), Customer("b", "hibernating", "High", 900)]) == {}


def test_without_an_average_order_no_standard_rule_is_used():
    assert actions.in_currency(actions.RULES, None) == []


def test_the_holdout_is_one_for_all_actions_of_a_quarter():
    voucher = decided([Customer(f"c{n}", "recent", "Low", 100, 1) for n in range(300)], holdout_share=0.2)
    email = decided([Customer(f"c{n}", "recent", "Low", 100, 5) for n in range(300)], holdout_share=0.2)

    held = [{key for key, row in rows.items() if row.is_holdout} for rows in (voucher, email)]
    assert {row.action_code for row in voucher.values()} != {row.action_code for row in email.values()}
    assert held[0] == held[1]
    assert 30 < len(held[0]) < 90


def test_a_firms_rule_has_one_cost():
    card = {"action_code": "card", "expected_lift": 0.05, "explanation": "x"}

    for costs in ({}, {"unit_cost": 1, "unit_cost_in_orders": 0.1}):
        with pytest.raises(FirmError, match="either unit_cost"):
            parse_firm(ACME | {"actions": {"rules": [card | costs]}})
