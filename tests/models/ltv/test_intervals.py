"""Intervals of value: what stretches them, what the firm's reaches to, and how often they hold."""

import numpy as np
import pytest
from mapie.regression import SplitConformalRegressor
from scipy import stats
from sklearn.dummy import DummyRegressor

from include.models.ltv import intervals
from include.models.ltv.intervals import Coverage, Spread
from include.models.ltv.value import Spend


def spread(low, high, *, expected=None, deviation=0.0, parameter_se_share=0.0):
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    mean = (low + high) / 2 if expected is None else np.array(expected, dtype=float)
    return Spread(
        mean, np.full(len(low), float(deviation)), low, high, np.full(len(low), 0.8), parameter_se_share
    )


def scored(scores, total_z=0.0):
    return Coverage(scores, total_z, np.arange(len(scores), dtype=float))


def test_a_conformal_score_is_the_ratio_by_which_spend_exceeds_its_interval():
    found = spread([0, 10, 10, 10, 0], [20, 20, 20, 20, 0])

    scores = intervals.coverage(found, np.array([30.0, 5.0, 15.0, 0.0, 99.0])).scores

    # 30 over 20; 10 over 5; inside; nothing spent where something was sure; [0, 0] has no scores.
    np.testing.assert_allclose(scores, [1.5, 2.0, 0.75, np.inf])


def test_a_calibrated_interval_covers_the_stated_share_of_the_windows_that_calibrated_it():
    random = np.random.default_rng(2)
    happened = random.gamma(1.0, 100.0, 5000)
    found = spread(np.full(5000, 40.0), np.full(5000, 90.0))

    conformal = intervals.conformal_of([intervals.coverage(found, happened)])

    low, high = intervals.calibrated(found, conformal)
    assert ((found.low <= happened) & (happened <= found.high)).mean() < 0.3
    assert ((low <= happened) & (happened <= high)).mean() == pytest.approx(0.8, abs=0.001)


def test_the_conformal_factor_needs_enough_scores_and_is_bounded():
    few, wild = scored(np.full(49, 3.0)), scored(np.full(50, 1e9))
    narrow = scored(np.full(50, 0.1))

    found = [intervals.conformal_of(past) for past in ([], [few], [wild], [narrow])]

    assert [set(conformal.factors) for conformal in found] == [
        {1.0},
        {1.0},
        {intervals.MAX_FACTOR},
        {intervals.MIN_FACTOR},
    ]


def test_each_fifth_of_the_expectation_has_its_own_conformal_factor():
    expected = np.arange(1000.0)
    found = intervals.conformal_of([Coverage(np.where(expected < 400, 3.0, 0.9), 0.0, expected)])

    assert len(found.bounds) == 4
    np.testing.assert_allclose(found.of(np.array([0.0, 350.0, 450.0, 999.0])), [3.0, 3.0, 0.9, 0.9])
    np.testing.assert_allclose(found.scaled(2.0).of(np.array([750.0, 850.0])), [3.0, 0.9])


@pytest.mark.parametrize("seed", [1, 2])
def test_conformal_factors_equal_those_of_mapie(seed):
    # Fifths differ in spread; MAPIE is run once per fifth, on a model that always predicts 0.
    random = np.random.default_rng(seed)
    expected = random.gamma(2.0, 50.0, 2_000)
    scores = random.lognormal(0.1, np.where(expected > 100, 0.9, 0.4))

    found = intervals.conformal_of([Coverage(scores, 0.0, expected)])

    group = np.searchsorted(np.asarray(found.bounds), expected, side="right")
    theirs = [_mapie(scores[group == fifth]) for fifth in range(intervals.GROUPS)]
    assert len(set(found.factors)) == intervals.GROUPS
    assert found.factors == pytest.approx(np.clip(theirs, intervals.MIN_FACTOR, intervals.MAX_FACTOR))


def _mapie(scores):
    nothing = np.zeros((len(scores), 1))
    zero = DummyRegressor(strategy="constant", constant=0.0).fit(nothing, scores)
    regressor = SplitConformalRegressor(zero, confidence_level=intervals.LEVEL, prefit=True)
    _, bounds = regressor.conformalize(nothing, scores).predict_interval(nothing[:1])
    return float(bounds[0, 1, 0])


@pytest.mark.parametrize(("share", "changes"), [(0.74, True), (0.76, False), (0.84, False), (0.86, True)])
def test_intervals_that_cover_already_stay_as_they_are(share, changes):
    scores = np.where(np.arange(1000) < 1000 * share, 0.5, 2.0)

    found = intervals.conformal_of([Coverage(scores, 0.0, np.arange(1000.0))])

    assert (found != intervals.NO_CONFORMAL) == changes


def test_the_firms_interval_is_wider_after_totals_outside_their_expectation():
    none, calm, shaken = (
        intervals.interval_z_of([scored(np.zeros(0), z) for z in past])
        for past in ((), (1.0, -1.0), (4.0, -5.0))
    )

    # Two windows' worth of a prior about 1: t of 2, 4 and 4 degrees; 2 + 2 over 4, and 2 + 41 over 4.
    assert none == pytest.approx(stats.t.ppf(0.9, 2))
    assert calm == pytest.approx(stats.t.ppf(0.9, 4))
    assert shaken == pytest.approx(stats.t.ppf(0.9, 4) * np.sqrt(43 / 4))


def test_the_firms_deviation_combines_customers_and_parameter_uncertainty():
    found = spread([0, 0], [100, 100], deviation=30.0, parameter_se_share=0.4)

    deviation = intervals.total_deviation(found)

    assert deviation == pytest.approx(np.sqrt(2 * 30**2 + (0.4 * 100) ** 2))


def test_rescaled_spend_has_the_requested_mean_and_keeps_its_relative_spread():
    chance = Spend(np.array([10.0, 1e-9, 50.0]), np.array([300.0, 1e-8, 900.0]), np.array([0.5, 1e-9, 0.99]))

    same, more = intervals.rescaled(chance, 1.0), intervals.rescaled(chance, np.array([2.0, 1e10, 0.5]))

    for name in ("mean", "variance", "any"):
        np.testing.assert_allclose(getattr(same, name), getattr(chance, name), rtol=1e-6)
    np.testing.assert_allclose(more.mean, [20.0, 10.0, 25.0])
    # P(nothing) to the power: .5^2; who was all but gone (a chance in 1e9 of about 1) is all but sure of 10.
    np.testing.assert_allclose(more.any, [0.75, 1.0, 0.9], atol=1e-4)
    assert np.sqrt(more.variance[1]) < 100


def test_an_interval_of_zero_counts_by_the_level_over_its_nominal_coverage():
    # 900 of 1,000 spend nothing with a chance of .9 and get [0, 0]; 100 have an interval that holds 80.
    random = np.random.default_rng(4)
    happened = np.concatenate([np.where(np.arange(900) < 810, 0.0, 50.0), np.repeat([15.0, 99.0], [80, 20])])
    found = spread([0] * 900 + [10] * 100, [0] * 900 + [20] * 100)._replace(
        nominal=np.repeat([0.9, 0.8], [900, 100])
    )
    order = random.permutation(1000)
    found = Spread(*(part[order] if isinstance(part, np.ndarray) else part for part in found))

    measured = intervals.measured(found, happened[order], [])

    assert measured["coverage"] == pytest.approx(0.89)
    assert measured["coverage_of_open"] == pytest.approx(0.8)
    assert measured["coverage_at_level"] == pytest.approx(0.8)


def test_coverage_is_described_in_a_sentence():
    found = spread([10, 0, 10, 10], [20, 0, 20, 20], deviation=1.0)
    happened = np.array([15.0, 0.0, 4.0, 12.0])

    (sentence,) = intervals.coverage_message(intervals.measured(found, happened, []))
    (sure,) = intervals.coverage_message(
        intervals.measured(found._replace(nominal=np.array([0.8, 1, 0.8, 0.8])), happened, [])
    )

    # Two of three open intervals cover, three of all four; at the level [0, 0] counts .8. 45 +- 1.9 x 2.
    assert (
        "covered 75 % of the customers; the firm's total of 31 was outside its interval of 41 to 49"
        in sentence
    )
    assert (
        "covered 67 % of the customers with an open interval and 70 % of all at level (75 % of all without"
        in sure
    )


def test_coverage_is_measured_by_earlier_windows_only():
    past = scored(np.full(100, 2.0), 3.0)
    found = spread([10, 0, 10, 10], [20, 0, 20, 20], deviation=1.0)

    measured = intervals.measured(found, np.array([38.0, 0.0, 4.0, 12.0]), [past])

    # Stretched by 2 to [5, 40]: 38 and 12 hold, 4 does not; unstretched 12 alone does.
    assert measured["coverage"] == pytest.approx(3 / 4)
    assert measured["coverage_of_open"] == pytest.approx(2 / 3)
    assert measured["coverage_of_open_raw"] == pytest.approx(1 / 3)
    assert measured["stretch"] == 2.0
    assert measured["reach"] == pytest.approx(stats.t.ppf(0.9, 3) * np.sqrt(11 / 3))
    # Expected 45 with three deviations of 1 and one of the sure zero: room of reach x 2 around it, 54 is out.
    assert measured["total_inside"] == 0.0
    assert measured["total_high"] == pytest.approx(45 + 2 * measured["reach"])
