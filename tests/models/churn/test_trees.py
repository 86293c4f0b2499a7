"""Churn trees: the rows that place LightGBM's bins."""

import numpy as np
import pytest

from include.models.churn import evaluation, trees

NAMES = [f"feature_{number}" for number in range(5)]


@pytest.fixture
def learned():
    random = np.random.default_rng(5)
    x = random.normal(size=(1_200, len(NAMES))).astype(np.float32)
    return x, x[:, 0] + random.normal(size=len(x)) > 0


def test_few_rows_all_place_the_bins_and_the_model_is_as_without_a_limit(learned, monkeypatch):
    x, churned = learned
    expected = trees.train(x, churned, NAMES)
    monkeypatch.setattr(trees, "BINNED_ROWS", len(x))

    assert trees.train(x, churned, NAMES) == expected


def test_of_many_rows_a_part_places_the_bins_and_the_trees_rank_alike(learned, monkeypatch):
    x, churned = learned
    whole = trees.Trees(trees.train(x, churned, NAMES))
    monkeypatch.setattr(trees, "BINNED_ROWS", len(x) // 4)

    text = trees.train(x, churned, NAMES)

    assert f"[bin_construct_sample_cnt: {len(x) // 4}]" in text
    ranked = [evaluation.auc(model.scores(x), churned) for model in (whole, trees.Trees(text))]
    assert ranked[0] != ranked[1]
    assert ranked[0] == pytest.approx(ranked[1], abs=0.01)
