import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from include.models.churn import calibration
from include.models.churn import evaluation as churn_evaluation

SCORES = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.9])
HAPPENED = np.array([False, False, True, True, True, True])


def sample(rows=4000, seed=1):
    random = np.random.default_rng(seed)
    score = random.normal(0.0, 2.0, rows)
    return score, random.random(rows) < special.expit(0.7 * score - 1.0)


def test_auc_counts_ties_half_as_scikit_learn_does():
    assert churn_evaluation.auc(SCORES, HAPPENED) == pytest.approx(metrics.roc_auc_score(HAPPENED, SCORES))
    assert churn_evaluation.auc(np.zeros(6), HAPPENED) == 0.5


def test_average_precision_is_scikit_learns():
    assert churn_evaluation.average_precision(SCORES, HAPPENED) == pytest.approx(
        metrics.average_precision_score(HAPPENED, SCORES)
    )


def test_brier_and_log_loss_are_scikit_learns():
    score, happened = sample()
    p = special.expit(score)

    assert churn_evaluation.brier(p, happened) == pytest.approx(metrics.brier_score_loss(happened, p))
    assert churn_evaluation.log_loss(p, happened) == pytest.approx(metrics.log_loss(happened, p))


def test_calibration_error_is_the_difference_of_probability_and_event_rate():
    p = np.array([0.25] * 4 + [0.75] * 4)
    kept = np.array([True, False, False, False, True, True, True, False])

    assert churn_evaluation.calibration_error(p, kept) == pytest.approx(0.0)
    assert churn_evaluation.calibration_error(p, ~kept) == pytest.approx(0.5)
    assert churn_evaluation.calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0


def test_measure_counts_the_four_outcomes_at_the_threshold():
    found = churn_evaluation.measure(SCORES, HAPPENED, threshold=0.4)

    cells = [
        found[name] for name in ("true_positives", "false_positives", "false_negatives", "true_negatives")
    ]
    assert cells == [3, 1, 1, 1]
    assert found["precision"] == 0.75
    assert found["recall"] == 0.75
    assert found["f1"] == 0.75
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_one_outcome_alone_has_no_auc():
    found = churn_evaluation.measure(SCORES, np.ones(6, dtype=bool), threshold=0.5)

    assert found["auc"] is None


def test_platt_recovers_the_curve_that_generated_the_outcomes():
    score, happened = sample(rows=200_000)

    curve = calibration.fit_platt(score, happened)

    assert curve.slope == pytest.approx(0.7, abs=0.02)
    assert curve.intercept == pytest.approx(-1.0, abs=0.03)
    assert curve(score).mean() == pytest.approx(happened.mean(), abs=1e-4)


def test_platt_stays_finite_for_separable_classes_and_for_a_constant_score():
    parted = calibration.fit_platt(np.array([-1.0, -2.0, 1.0, 2.0]), np.array([False, False, True, True]))
    flat = calibration.fit_platt(np.zeros(10), np.arange(10) < 3)

    assert np.isfinite(parted).all()
    assert parted.slope > 0
    assert flat(np.zeros(1))[0] == pytest.approx((3 * 4 / 5 + 7 / 9) / 10)


def test_the_isotonic_curve_never_falls_and_is_constant_beyond_its_ends():
    value = np.arange(100.0)
    happened = value + np.random.default_rng(5).normal(0, 20, 100) > 50

    curve = calibration.fit_isotonic(value, happened)

    found = curve(np.array([-5.0, 0.0, 30.0, 60.0, 99.0, 500.0]))
    assert (np.diff(found) >= 0).all()
    assert found[0] == found[1]
    assert found[-1] == found[-2]


def test_each_rate_divides_by_its_own_customers():
    flagged = [0.9] * 4 + [0.1] * 6  # three of four rightly; two of six wrongly let go
    churned = np.array([True, True, True, False, True, True, False, False, False, False])

    found = churn_evaluation.measure(np.array(flagged), churned, threshold=0.9)

    assert found["precision"] == 3 / 4
    assert found["recall"] == 3 / 5
    assert found["f1"] == pytest.approx(2 * 3 / 9)
    assert found["accuracy"] == 7 / 10
    assert (found["true_positives"], found["false_positives"]) == (3, 1)
    assert (found["true_negatives"], found["false_negatives"]) == (4, 2)


def test_a_probability_of_one_belongs_to_the_last_bin():
    found = churn_evaluation.calibration_error(np.array([0.9, 1.0]), np.array([True, False]))

    assert found == pytest.approx(abs(1.9 - 1) / 2)
