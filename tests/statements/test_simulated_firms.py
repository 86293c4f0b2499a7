"""Sentences about simulated firms: a small sample of what ``python -m bench.statements`` checks."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from bench.statements.__main__ import bars
from bench.statements.check import Found, check, contradictory_dates, wrong_numbers
from bench.statements.expectation import expected
from bench.statements.firms import KINDS, Case, plans, simulate
from bench.statements.page import NEEDS, Evidence
from include.simulator import Plan

SAMPLE = [
    case._replace(plan=replace(case.plan, customers=20 + case.plan.customers // 12))
    for case in plans(len(KINDS))
]


@pytest.mark.parametrize("number", range(len(SAMPLE)))
def test_descriptive_sentences_are_exactly_true_and_have_their_history(number, tmp_path):
    found = check(simulate(SAMPLE[number]), tmp_path, modules=("rfm", "insight"))

    assert found.sentences > 3
    assert found.false == ()
    assert found.without_evidence == ()
    assert found.predictions == {}  # the modules that predict are off


@pytest.mark.parametrize(
    ("season", "regularity", "power"), [(0.0, 1, 1.0), (0.8, 1, 1.0), (0.0, 20, 0.4)], ids=str
)
def test_the_simulators_expectation_is_what_comes_on_average(season, regularity, power):
    plan = Plan(customers=4_000, start=date(2023, 7, 1), end=date(2026, 1, 1), seed=5,
                counts=(0.6, 4.0, 0.8, 6.0), joining_share=0.4, joining_power=power, regularity=regularity,
                season_strength=season, return_share=0.0, anonymous_share=0.0)  # fmt: skip
    firm = simulate(Case("test", plan, 365, 90))
    lines = firm.lines.to_pandas()
    day = (lines["occurred_at"].dt.tz_convert("UTC").dt.date - plan.start).apply(lambda gap: gap.days)
    now = (firm.as_of - plan.start).days
    last = day[day < now].groupby(lines["customer_id"]).max().to_dict()

    truth = expected(firm, {name: float(at) for name, at in last.items()})

    is_known = lines["customer_id"].isin(list(last))
    soon = set(lines["customer_id"][is_known & (day >= now) & (day < now + 90)])
    stayed_away = len(last) - len(soon)
    spread = float(np.sqrt((truth.no_purchase * (1 - truth.no_purchase)).sum()))
    assert abs(truth.no_purchase.sum() - stayed_away) < 4 * spread
    orders = int((is_known & (day >= now) & (day < now + 365)).sum())
    assert abs(truth.orders_year.sum() / orders - 1) < 0.1


def test_a_false_number_a_missing_history_and_a_broken_expectation_are_each_found():
    cited = [
        {"metric": "customers", "member": "", "shown": "11"},
        {"metric": "median_spend", "member": "", "shown": "€5.00"},
    ]
    row = {"rule_code": "customers", "language_code": "en", "cited_metrics": json.dumps(cited)}
    found = [
        Found("mixed", 5, (), (), {"page: expected_spend": True}, False),
        Found(
            "mixed",
            5,
            ("customers: customers is 10, said 11 (en)",),
            ("year_up",),
            {"page: expected_spend": False},
            True,
        ),
    ]

    wrong = wrong_numbers([row], {"customers": Decimal(10), "median_spend": Decimal(5)})
    result = bars(found)

    assert wrong == ["customers: customers is 10, said 11 (en)"]
    assert [bar["holds"] for bar in result.values()] == [False] * 4
    assert [bar["figure"] for bar in result.values()] == [1, 1, 0.5, 0.5]
    assert all(bar["holds"] for bar in bars(found[:1]).values())


def test_a_page_that_compares_with_a_year_before_lacks_its_evidence_in_a_short_file():
    there = Evidence(history_days=300, window_days=90, churn_days=90, customers=10, churn_method="rules",
                     value_method="none", has_costs=False, has_consent=True)  # fmt: skip

    lacking = {key for key, need in NEEDS.items() if not need(there)}

    assert {"year_up", "leaving", "value_range", "cannot_contact", "value_source"} <= lacking
    assert not {"change_up", "actions_rules", "value_extrapolated", "actions_excluded"} & lacking


def test_the_kinds_differ_in_what_makes_them():
    cases = {case.kind: case for case in plans(len(KINDS))}

    assert len(cases) == len(KINDS) >= 12
    assert cases["growing"].plan.joining_power < 1 < cases["shrinking"].plan.joining_power
    assert cases["subscription"].plan.regularity > 1
    assert cases["45 days"].plan.days == 45 + 365


def test_a_next_order_date_that_contradicts_churn_in_its_row_is_found():
    firm = simulate(plans(1)[0])
    soon, late = firm.as_of + timedelta(days=1), firm.as_of + timedelta(days=firm.churn_threshold_days + 1)
    rows = [
        {
            "customer_id": f"c{n}",
            "churn_probability": p,
            "any_order_probability": 0.9,
            "next_order_date_50_pct": day,
        }
        for n, (p, day) in enumerate(
            [(0.1, soon), (0.9, late), (0.9, None), (0.9, soon), (0.1, late), (0.1, None)]
        )
    ]

    found = contradictory_dates(rows, firm)

    assert [text.split()[2] for text in found] == ["c3", "c4", "c5"]
