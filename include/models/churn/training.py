"""Backtest all churn candidates, run the leakage checks, and build the model that scores.

With cutoffs c1 < ... < cn, one horizon apart: the backtest trains on c1..c(n-2), stops early and calibrates
on c(n-1), and evaluates on cn. No step of the backtest uses the labels of cn. The model that scores is then
built one window later: trained on c1..c(n-1) with the backtest's number of trees, calibrated on cn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import baselines as churn_baselines
from include.models.churn import calibration, evaluation, leakage, trees
from include.models.churn.factors import code_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TREES = "lightgbm"
BASELINES = ("bgnbd", "recency")
EXPLAINED_ROWS = 5_000


class Window(NamedTuple):
    """One cutoff: features (one row per customer), churn labels, and whether each is a repeat buyer."""

    cutoff: Any
    rows: pa.Table
    churned: Bools
    repeat: Bools


class Score(NamedTuple):
    """Metrics of a candidate on the evaluation window; lower Brier and ECE are better."""

    brier: float
    auc: float
    ece: float


class Backtest(NamedTuple):
    """Result of a backtest."""

    features: list[str]
    tree_count: int
    probabilities: dict[str, Floats]  # by candidate; one element per customer of the evaluation window
    checks: list[leakage.Check]


def windows_of(training: pa.Table, *, is_blind: bool = False) -> list[Window]:
    """Split churn_training by cutoff, oldest first. ``is_blind`` selects the control rows."""
    rows = training.filter(pc.equal(training["is_blind"], is_blind))
    found = []
    for cutoff in sorted(pc.unique(rows["cutoff"]).to_pylist()):
        table = rows.filter(pc.equal(rows["cutoff"], cutoff))
        found.append(
            Window(
                cutoff,
                table,
                table["is_churned"].to_numpy().astype(np.bool_),
                table["frequency"].to_numpy() > 0,
            )
        )
    return found


def backtest(training: pa.Table, windows: list[Window], *, horizon_days: int) -> Backtest:
    """Train, tune and evaluate every candidate, and run the leakage checks.

    ``windows`` are at least three, oldest first.
    """
    *older, tuning, last = windows
    features = trees.usable_features(pa.concat_tables([window.rows for window in older]))
    samples = [(trees.matrix(window.rows, features), window.churned) for window in older]
    x_tuning, x_last = trees.matrix(tuning.rows, features), trees.matrix(last.rows, features)
    x = np.concatenate([rows for rows, _ in samples])
    y = np.concatenate([labels for _, labels in samples])
    text, count = trees.train(x, y, features, watch=(x_tuning, tuning.churned))
    del x
    model = trees.Trees(text)
    curve = calibration.fit_platt(model.scores(x_tuning), tuning.churned)
    probabilities = {TREES: curve(model.scores(x_last))}
    bgnbd = churn_baselines.fit_bgnbd(tuning.rows, tuning.churned, horizon_days=horizon_days)
    if bgnbd is not None:
        probabilities["bgnbd"] = bgnbd.probability(last.rows, horizon_days=horizon_days)
        probabilities["bgnbd_uncalibrated"] = churn_baselines.uncalibrated(
            bgnbd.model, last.rows, horizon_days=horizon_days
        )
    isotonic = churn_baselines.fit_recency(tuning.rows, tuning.churned)
    probabilities["recency"] = churn_baselines.recency(isotonic, last.rows)
    blind = windows_of(training, is_blind=True)
    checks = [
        leakage.shuffled_labels(samples, (x_last, last.churned), features),
        leakage.future_information(
            model, last.rows, blind[-1].rows if blind else last.rows.slice(0, 0), last.churned
        ),
        leakage.label_from_the_past(training, horizon_days=horizon_days),
    ]
    return Backtest(features, count, probabilities, checks)


def measures(tested: Backtest, last: Window, *, champion: str, threshold: float) -> list[dict[str, Any]]:
    """Metrics of every candidate on the evaluation window, for all, one-time and repeat buyers."""
    populations = {
        "all": np.ones(len(last.churned), dtype=np.bool_),
        "one_time_buyers": ~last.repeat,
        "repeat_buyers": last.repeat,
    }
    return [
        {
            "candidate": candidate,
            "population": population,
            "is_champion": candidate == champion,
            "cutoff": last.cutoff.isoformat(),
            **evaluation.measure(probability[members], last.churned[members], threshold=threshold),
        }
        for candidate, probability in sorted(tested.probabilities.items())
        for population, members in populations.items()
        if members.any()
    ]


def select_model(tested: Backtest, last: Window) -> tuple[str, str]:
    """Selected candidate and reason: the trees if their Brier score is lowest, else the best baseline."""
    found = {
        name: Score(evaluation.brier(p, last.churned), evaluation.auc(p, last.churned),
                    evaluation.calibration_error(p, last.churned))
        for name, p in tested.probabilities.items()
        if name in (TREES, *BASELINES)
    }  # fmt: skip
    simple = min((name for name in found if name != TREES), key=lambda name: found[name].brier)
    winner = TREES if found[TREES].brier < found[simple].brier else simple
    best = found[winner]
    scores = ", ".join(
        f"{name} {score.brier:.4f} / {score.auc:.3f} / {score.ece:.3f}"
        for name, score in sorted(found.items(), key=lambda item: item[1].brier)
    )
    return winner, (
        f"{winner} is selected: it ranks a churned customer above one who stayed in "
        f"{100 * best.auc:.0f} of 100 pairs, and its probabilities are off by {100 * best.ece:.1f} points "
        f"(Brier / AUC / ECE: {scores}; {len(last.churned):,} customers not trained on, from {last.cutoff})"
    )


def challenger_of(tested: Backtest, last: Window, *, champion: str) -> str | None:
    """The candidate with the lowest Brier score, the champion excluded."""
    left = [name for name in tested.probabilities if name in (TREES, *BASELINES) and name != champion]
    return min(
        left, key=lambda name: evaluation.brier(tested.probabilities[name], last.churned), default=None
    )


def build(tested: Backtest, windows: list[Window], *, horizon_days: int) -> dict[str, Any]:
    """Artefact parts of the model that scores: the backtested recipe, one window later."""
    *older, last = windows
    x = np.concatenate([trees.matrix(window.rows, tested.features) for window in older])
    y = np.concatenate([window.churned for window in older])
    text, _ = trees.train(x, y, tested.features, trees=tested.tree_count)
    del x
    model = trees.Trees(text)
    x_last = trees.matrix(last.rows, tested.features)
    baseline = churn_baselines.fit_bgnbd(last.rows, last.churned, horizon_days=horizon_days)
    isotonic = churn_baselines.fit_recency(last.rows, last.churned)
    gain, splits = model.importances()
    adds = np.abs(model.contributions(x_last[:EXPLAINED_ROWS])[:, :-1]).mean(axis=0)
    return {
        "trees": text,
        "calibration": list(calibration.fit_platt(model.scores(x_last), last.churned)),
        "bgnbd": churn_baselines.to_json(baseline),
        "recency": {"at": isotonic.at, "probability": isotonic.probability},
        "importances": [
            {
                "feature": name,
                "factor": code_of(name),
                "gain": float(g),
                "splits": int(s),
                "mean_contribution": float(a),
            }
            for name, g, s, a in zip(tested.features, gain, splits, adds, strict=True)
        ],
    }
