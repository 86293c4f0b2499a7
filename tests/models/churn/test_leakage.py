"""Leaky protocols, built on the real queries, and the leakage checks that must detect them."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.engines import open_engine
from include.models.churn import artefact as churn_artefact
from include.models.churn import evaluation as churn_evaluation
from include.models.churn import leakage, trees
from include.models.churn import model as churn
from include.models.churn import training as churn_training
from include.training import churn as training
from tests.models.churn import cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("leakage")


@pytest.fixture(scope="module")
def shop(folder):
    return cases.shop(folder, customers=400)


@pytest.fixture(scope="module")
def correct(shop, folder):
    return cases.stacked(shop, folder, of=cases.firm())


@pytest.fixture(scope="module")
def late(shop, folder):
    """The same labels, with features computed at the end of the label window (look-ahead)."""
    engine = open_engine("duckdb", memory_mb=512, threads=1, scratch=folder)
    horizon = timedelta(days=cases.HORIZON)
    real = training.features_as_of
    try:
        training.features_as_of = lambda e, sample, cutoff, *more: real(e, sample, cutoff + horizon, *more)
        params = {"timezone": "UTC", "churn_threshold_days": cases.HORIZON}
        batches = list(
            training.stack(
                engine, shop, anchor=cases.ANCHOR, firm=cases.firm(), params=params, scratch=folder / "late"
            )
        )
    finally:
        training.features_as_of = real
    return pa.Table.from_batches(batches)


def blocked(table):
    """Names of the failed checks of a training, and the header of its model."""
    parts = churn_artefact.read(churn.fit(table, firm=cases.firm(), as_of=cases.ANCHOR))
    return {row["check"] for row in parts["sentinel"] if not row["passed"]}, parts["header"]


def same_day(table):
    """A common error: the label is the recency on the day of the features."""
    silent = pc.greater(table["days_since_last_order"], cases.HORIZON)
    return table.set_column(
        table.schema.get_field_index("is_churned"), table.schema.field("is_churned"), silent
    )


def test_a_correct_training_passes_every_leakage_check(correct):
    failed, header = blocked(correct)

    assert failed == set()
    assert header["method"] != "rules"


def test_features_computed_after_the_label_window_are_detected(late):
    windows = churn_training.windows_of(late)
    leaked = churn_evaluation.auc(
        windows[-1].rows["days_since_last_order"].to_numpy().astype(float), windows[-1].churned
    )

    failed, header = blocked(late)

    assert leaked > 0.99
    assert "future_information" in failed
    assert header["method"] == "rules"
    assert "a leakage check failed" in header["reason"]


def test_a_label_taken_from_the_same_days_recency_is_detected(correct):
    leaky = same_day(correct)
    silence = leaky["days_since_last_order"].to_numpy().astype(float)

    failed, header = blocked(leaky)

    assert churn_evaluation.auc(silence, leaky["is_churned"].to_numpy()) == 1.0
    assert "label_from_the_past" in failed
    assert header["method"] == "rules"


def test_a_single_feature_that_looks_ahead_is_named(correct):
    windows, (blind, _) = (
        churn_training.windows_of(correct),
        churn_training.windows_of(correct, is_blind=True),
    )
    names = trees.usable_features(windows[0].rows)
    model = trees.Trees(trees.train(trees.matrix(windows[0].rows, names), windows[0].churned, names))
    last = windows[-1].rows
    ahead = pc.add(last["longer_gap_count"], pa.array(np.arange(last.num_rows) % 2))
    at = last.schema.get_field_index("longer_gap_count")

    check = leakage.future_information(
        model, last.set_column(at, "longer_gap_count", ahead), blind.rows, windows[-1].churned
    )

    assert not check.passed
    assert "['longer_gap_count']" in check.message


def test_customers_known_only_after_the_cutoff_are_detected(correct):
    windows, (blind, _) = (
        churn_training.windows_of(correct),
        churn_training.windows_of(correct, is_blind=True),
    )
    names = trees.usable_features(windows[0].rows)
    model = trees.Trees(trees.train(trees.matrix(windows[0].rows, names), windows[0].churned, names))

    check = leakage.future_information(model, windows[-1].rows, blind.rows.slice(1), windows[-1].churned)

    assert not check.passed
    assert "depends on data after the cutoff" in check.message


def test_blind_rows_are_those_of_the_last_cutoff_and_of_the_training_date(correct):
    windows = churn_training.windows_of(correct)

    blind, newest = churn_training.windows_of(correct, is_blind=True)

    assert [blind.cutoff, newest.cutoff] == [windows[-1].cutoff, cases.ANCHOR]
    assert newest.rows.num_rows > windows[-1].rows.num_rows * 0.9
    assert not newest.churned.any()


@pytest.mark.parametrize("closes", [False, True])
def test_a_channel_that_is_overwritten_after_customers_left_is_detected(closes, tmp_path):
    files = cases.two_channels(tmp_path, customers=1_200, closes=closes)

    failed, header = blocked(cases.stacked(files, tmp_path / "work", of=cases.firm()))

    assert failed == ({"written_back"} if closes else set())
    assert ("channel" in header["reason"]) == closes
    assert (header["method"] == "rules") == closes


def test_rows_from_before_the_check_are_not_compared(correct):
    is_newest = pc.equal(correct["cutoff"], pa.scalar(cases.ANCHOR))

    failed, _ = blocked(correct.filter(pc.invert(is_newest)))

    assert failed == set()


def test_labels_that_can_be_learned_after_shuffling_are_detected(correct, monkeypatch):
    *older, last = churn_training.windows_of(correct)
    names = trees.usable_features(last.rows)
    x = np.concatenate([trees.matrix(window.rows, names) for window in older])
    labels = [window.churned for window in older]
    evaluated = (trees.matrix(last.rows, names), last.churned)

    fair = leakage.shuffled_labels(x, labels, evaluated, names)
    # A shuffle that does nothing simulates a pipeline that leaks labels into the features.
    monkeypatch.setattr(leakage.np.random, "default_rng", lambda seed: _Unmoved())
    leaky = leakage.shuffled_labels(x, labels, evaluated, names)

    assert fair.passed
    assert not leaky.passed


class _Unmoved:
    def permutation(self, labels):
        return labels
