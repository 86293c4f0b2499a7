"""Sentences about simulated firms: a small sample of what ``python -m bench.statements`` checks."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from bench.statements.check import check
from bench.statements.firms import expected, plans, simulate
from include.simulator import Plan

SAMPLE = [(replace(plan, customers=20 + plan.customers // 12), *rest) for plan, *rest in plans(8)]


@pytest.mark.parametrize("number", range(len(SAMPLE)))
def test_descriptive_sentences_are_exactly_true_and_have_their_history(number, tmp_path):
    found = check(simulate(*SAMPLE[number]), tmp_path, modules=("rfm", "insight"))

    assert found.sentences > 3
    assert found.false == ()
    assert found.without_evidence == ()
    assert found.predictions == {}  # the modules that predict are off


@pytest.mark.parametrize("season", [0.0, 0.8])
def test_the_simulators_expectation_is_what_comes_on_average(season):
    plan = Plan(customers=4_000, start=date(2023, 7, 1), end=date(2026, 1, 1), seed=5,
                counts=(0.6, 4.0, 0.8, 6.0),
                joining_share=0.4, season_strength=season, return_share=0.0, anonymous_share=0.0)  # fmt: skip
    firm = simulate(plan, 365, 90)
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
