"""The lane `make truth`: its metrics, and rivals that see nothing on or after the day they predict from."""

from datetime import date

import numpy as np
import pytest

from bench.rivals import lgb30, purchases, recency
from bench.rivals.sales import Sales, number
from bench.truth import metrics
from bench.truth.bars import bars

AS_OF = date(2025, 1, 1)


def shop(customers: int = 300) -> Sales:
    """Customers with a gap of 10 to 60 days each; half of them stop at some time."""
    random = np.random.default_rng(7)
    rows = []
    for customer in range(customers):
        gap, stops = random.uniform(10, 60), random.random() < 0.5
        day, end = random.uniform(0, 500), random.uniform(300, 1000) if stops else 1000
        while day < end:
            rows.append((customer, number(date(2022, 9, 1)) + int(day), 1, random.gamma(4, 5)))
            day += random.exponential(gap) + 1
    columns = [np.array(column) for column in zip(*sorted(rows), strict=True)]
    return Sales([f"c{n}" for n in range(customers)], *columns)


def test_calibration_error_is_measured_in_bins_of_equal_counts():
    probability = np.concatenate([np.full(500, 0.1), np.full(500, 0.9)])
    happened = np.concatenate([np.arange(500) < 50, np.arange(500) < 350]).astype(float)

    random = np.random.default_rng(1)
    order = random.permutation(1000)

    # Half are right; half are .2 too high.
    assert metrics.ece(probability[order], happened[order]) == pytest.approx(0.1, abs=0.03)
    assert metrics.ece(np.full(1000, 0.5), np.tile([0.0, 1.0], 500)) == 0.0


def test_a_paired_difference_has_a_smaller_error_than_each_side():
    random = np.random.default_rng(2)
    happened = random.gamma(1, 10, 800)
    ours = happened + random.normal(0, 5, 800)
    theirs = ours + random.normal(0, 0.5, 800)

    found = metrics.difference(metrics.spearman, ours, theirs, happened)

    assert found["error"] < metrics.error(metrics.spearman, ours, happened)
    assert found["low"] <= found["difference"] <= found["high"]


def test_lgb30_has_thirty_features_and_none_looks_ahead():
    sales = shop()
    known = sales.known(AS_OF)

    now = lgb30.features(sales, known, AS_OF, 90)
    before = lgb30.features(sales.before(AS_OF), known, AS_OF, 90)

    assert now.shape == (len(known), 30)
    np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize(
    "rival",
    [
        lgb30.churn,
        recency.churn,
        lambda sales, **of: purchases.churn("bgnbd", sales, **of),
        lambda sales, **of: purchases.churn("paretonbd", sales, **of),
    ],
)
def test_each_rival_of_churn_ranks_those_who_left_first(rival):
    sales = shop()
    known = sales.known(AS_OF)
    left = sales.between(AS_OF, 90).orders_of()[known] == 0

    found = rival(sales.before(AS_OF), as_of=AS_OF, horizon_days=90)

    assert found.shape == known.shape
    assert 0 < left.mean() < 1
    assert metrics.churn_auc(found, left.astype(float)) > 0.8


def test_a_missed_bar_is_reported_with_its_figure():
    row = {
        "firm": "charity",
        "as_of": "2011-01-01",
        "module": "value",
        "horizon_days": 180,
        "total_error": {"product": -0.2},
        "total_inside": False,
        "total_half_width": 0.1,
        "customers": 9_000,
    }

    found = {bar.bar: bar for bar in bars([row])}

    (totals,) = (bar for text, bar in found.items() if text.startswith("charity, mean absolute"))
    assert totals.measured == 0.2
    assert {text: bar.held for text, bar in found.items()} == {text: "half-width" in text for text in found}


def test_a_calibration_within_a_standard_error_of_the_rival_holds_and_a_worse_one_names_its_day():
    def day(as_of, difference):
        return {
            "firm": "charity",
            "as_of": as_of,
            "module": "churn",
            "horizon_days": 365,
            "ece": {"product": 0.05, "lgb30": 0.05 - difference},
            "ece_error": 0.003,
            "most_ece": 0.02,
            "auc_against_best": {"difference": 0.001, "error": 0.001, "high": 0.003},
            "ece_against_lgb30": {"difference": difference, "error": 0.002},
        }

    def calibration(rows):
        return next(bar for bar in bars(rows) if "365 days: on each day ECE" in bar.bar)

    close, worse = day("2011-01-01", 0.001), day("2012-01-01", 0.003)

    assert calibration([close]).held
    assert not calibration([close, worse]).held
    assert calibration([close, worse]).note.endswith("missed on 1 of 2 days: 2012-01-01")
