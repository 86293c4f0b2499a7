import numpy as np
import pytest
from scipy import stats

from include.report.statistics import DIGITS, SMALL_GROUP, correlations, edges_of, histogram, rates, spread


def test_correlations_of_whole_columns_are_spearmans():
    rng = np.random.default_rng(1)
    first = rng.integers(0, 6, 200).astype(float)  # many ties
    values = np.column_stack([first, first**3 + rng.normal(0, 20, 200), rng.normal(size=200)])

    found = correlations(values)

    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert found[i, j] == pytest.approx(stats.spearmanr(values[:, i], values[:, j]).statistic)


def test_a_pair_is_judged_by_the_rows_where_both_are_known():
    x = np.arange(40.0)
    y = np.where(np.arange(40) < 20, np.nan, x)

    found = correlations(np.column_stack([x, y]))

    assert found[0, 1] == pytest.approx(1.0)


def test_a_constant_or_nearly_empty_column_has_no_correlation():
    x = np.arange(40.0)
    scarce = np.where(np.arange(40) < SMALL_GROUP - 1, x, np.nan)

    found = correlations(np.column_stack([x, np.full(40, 7.0), scarce]))

    assert np.isnan(found[0, 1])
    assert np.isnan(found[0, 2])


def test_one_outlier_does_not_flatten_a_histogram_and_is_still_counted():
    values = np.append(np.linspace(0, 100, 999), 1e9)

    edges = edges_of(values)
    counts = histogram(values, edges)

    assert edges[-1] < 101
    assert sum(counts) == 1000


def test_few_whole_numbers_have_a_bar_each():
    values = np.array([1.0, 1, 2, 5, np.nan])

    edges = edges_of(values)

    assert histogram(values, edges) == [2, 1, 0, 0, 1]


def test_a_rate_of_a_small_group_is_left_out():
    values = np.array([0.0] * (SMALL_GROUP - 1) + [1.0] * SMALL_GROUP)
    happened = np.array([1.0] * (SMALL_GROUP - 1) + [1.0] * 4 + [0.0] * (SMALL_GROUP - 4))

    found = rates(values, happened, np.array([-0.5, 0.5, 1.5]))

    assert found == [None, 4 / SMALL_GROUP]


def test_a_spread_is_of_the_known_values():
    found = spread(np.array([0.0, 2.0, 4.0, np.nan]))

    assert (found["known"], found["mean"], found["p50"]) == (3, 2.0, 2.0)
    assert found["zero_share"] == pytest.approx(1 / 3)


def test_a_feature_without_values_is_reported():
    assert spread(np.array([np.nan, np.nan])) == {"known": 0}


def test_the_last_bits_of_a_sum_do_not_show_in_a_correlation():
    values = np.random.default_rng(5).normal(size=(999, 6))
    found = correlations(values)
    assert np.array_equal(found, np.round(found, DIGITS))
    assert np.array_equal(found[::-1, ::-1], correlations(values[:, ::-1]))
