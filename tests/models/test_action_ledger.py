"""One action per customer and quarter: what an earlier day decided holds, and its money is spent."""

from datetime import date

import pyarrow as pa
import pytest

from include.datasets.actions import ACTIONS
from include.firms import parse_firm
from include.models.actions import Customer
from tests.models.test_actions import computed, decided, rule
from tests.warehouse.shop import ACME, batch

JULY, AUGUST, OCTOBER = date(2025, 7, 1), date(2025, 8, 1), date(2025, 10, 1)
CARD = {"action_code": "card", "unit_cost": 2, "expected_lift": 0.1, "explanation": "Write."}
CALL = {
    "action_code": "call",
    "unit_cost": 5,
    "expected_lift": 0.5,
    "explanation": "Call.",
    "segments": ["best"],
}


def firm(**settings):
    return parse_firm(ACME | {"actions": {"holdout_share": 0, "rules": [CARD, CALL], **settings}})


def customer(name, *, segment="good", value=100, **more):
    return {
        "customer_id": name,
        "segment_code": segment,
        "churn_risk_category": "Low",
        "value_at_stake": value,
        **more,
    }


def by_customer(table):
    return {row["customer_id"]: row for row in table.to_pylist()}


def test_a_customer_keeps_its_action_and_its_day_to_the_end_of_the_quarter():
    first = computed([customer("ann")], firm=firm(), as_of=JULY)
    second = computed([customer("ann", segment="best", value=900)], firm=firm(), as_of=AUGUST, past=first)
    third = computed([customer("ann", segment="best", value=900)], firm=firm(), as_of=OCTOBER, past=second)

    found = [by_customer(table)["ann"] for table in (first, second, third)]

    assert [(row["action_code"], row["decided_date"], row["cost_amount"]) for row in found] == [
        ("card", JULY, 2), ("card", JULY, 2), ("call", OCTOBER, 5),
    ]  # fmt: skip
    assert all(row["is_chosen"] for row in found)


def test_the_budget_is_of_the_quarter_and_not_of_each_day():
    first = computed([customer("ann"), customer("bob")], firm=firm(budget=4), as_of=JULY)
    names = ("ann", "bob", "cid", "dan")
    second = computed([customer(name) for name in names], firm=firm(budget=6), as_of=AUGUST, past=first)
    next_quarter = computed(
        [customer(name) for name in names], firm=firm(budget=6), as_of=OCTOBER, past=second
    )

    chosen = [
        {name: row["decided_date"] for name, row in by_customer(table).items() if row["is_chosen"]}
        for table in (first, second, next_quarter)
    ]

    assert chosen == [
        {"ann": JULY, "bob": JULY},
        {"ann": JULY, "bob": JULY, "cid": AUGUST},
        {"ann": OCTOBER, "bob": OCTOBER, "cid": OCTOBER},
    ]


def test_a_customer_who_refuses_later_stays_in_the_ledger_and_is_not_contacted():
    first = computed([customer("ann"), customer("bob")], firm=firm(), as_of=JULY)
    second = computed(
        [customer("ann", may_contact=False), customer("bob", last_contact_date=date(2025, 7, 30))],
        firm=firm(), as_of=AUGUST, past=first,
    )  # fmt: skip

    rows = by_customer(second)

    assert (rows["ann"]["arm"], rows["ann"]["is_chosen"], rows["ann"]["exclusion"]) == (
        "action", False, "unsubscribed",
    )  # fmt: skip
    assert (rows["bob"]["is_chosen"], rows["bob"]["exclusion"]) == (True, None)  # the message is the action


def test_a_customer_who_is_no_candidate_now_stays_in_the_ledger_and_is_not_contacted():
    first = computed([customer("ann")], firm=firm(), as_of=JULY)

    (row,) = computed([], firm=firm(), as_of=AUGUST, past=first).to_pylist()

    assert (row["customer_id"], row["arm"], row["is_chosen"]) == ("ann", "action", False)


def test_the_holdout_of_the_first_day_stays_the_holdout():
    everyone = [customer(f"c{n:03}") for n in range(400)]
    first = computed(everyone[:200], firm=firm(holdout_share=0.2), as_of=JULY)
    second = computed(everyone, firm=firm(holdout_share=0.5), as_of=AUGUST, past=first)

    held = [
        {row["customer_id"] for row in table.to_pylist() if row["is_holdout"]} for table in (first, second)
    ]

    assert 20 < len(held[0]) < 65
    assert {name for name in held[1] if name < "c200"} == held[0]


def test_snapshots_from_before_the_ledger_are_no_decisions():
    old = pa.Table.from_batches(
        [
            batch(
                ACTIONS,
                [
                    {
                        "customer_id": "ann",
                        "action_code": "old",
                        "cost_amount": 1,
                        "is_chosen": True,
                        "explanation": "x",
                    }
                ],
            )
        ]
    )

    (row,) = computed([customer("ann")], firm=firm(), as_of=AUGUST, past=old).to_pylist()

    assert (row["action_code"], row["decided_date"]) == ("card", AUGUST)


def test_three_groups_have_their_shares_and_the_same_value():
    customers = [Customer(f"c{n:05}", "s", "Low", 50 + n % 100) for n in range(6_000)]

    rows = decided(customers, rules=[rule("card", 1, 0.1)], holdout_share=0.1, usual_share=0.2)

    groups = {
        arm: [row.value_at_stake for row in rows.values() if row.arm == arm]
        for arm in ("action", "holdout", "business_as_usual")
    }
    assert {arm: len(values) / 6_000 for arm, values in groups.items()} == pytest.approx(
        {"action": 0.7, "holdout": 0.1, "business_as_usual": 0.2}, abs=0.02
    )
    assert all(sum(v) / len(v) == pytest.approx(99.5, abs=4) for v in groups.values())
    assert [
        row for row in rows.values() if row.arm == "business_as_usual" and (row.is_chosen or row.is_holdout)
    ] == []
