"""One honest trial of every churn candidate, oldest windows to newest, and the model that follows from it.

With cutoffs c1 < ... < cn, one horizon apart: the trial trains on c1..c(n-2), stops and calibrates on c(n-1)
and evaluates on cn, whose labels nothing has seen. The model in use is then made by the same recipe one
window later: trained on c1..c(n-1) with the trial's number of trees, calibrated on cn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import calibration, evaluation, sentinel, trees
from include.models.churn import rivals as churn_rivals
from include.models.churn.factors import code_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TREES = "lightgbm"
SIMPLER = ("bgnbd", "recency")
EXPLAINED_ROWS = 5_000


class Window(NamedTuple):
    """One cutoff's customers: features, whether they churned, whether they had bought more than once."""

    cutoff: Any
    rows: pa.Table
    churned: Bools
    repeat: Bools


class Score(NamedTuple):
    """How good a candidate's probabilities are on the evaluation window."""

    brier: float
    auc: float
    ece: float


class Trial(NamedTuple):
    """What one trial found."""

    features: list[str]
    tree_count: int
    probabilities: dict[str, Floats]  # by candidate, of the evaluation window
    checks: list[sentinel.Check]


def windows_of(training: pa.Table, *, is_blind: bool = False) -> list[Window]:
    """The training rows by cutoff, oldest first."""
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


def try_out(training: pa.Table, windows: list[Window], *, horizon_days: int) -> Trial:
    """Train, tune and evaluate every candidate, and let the canaries fly."""
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
    rival = churn_rivals.fit_bgnbd(tuning.rows, tuning.churned, horizon_days=horizon_days)
    if rival is not None:
        probabilities["bgnbd"] = rival.probability(last.rows, horizon_days=horizon_days)
        probabilities["bgnbd_uncalibrated"] = churn_rivals.raw(
            rival.model, last.rows, horizon_days=horizon_days
        )
    staircase = churn_rivals.fit_recency(tuning.rows, tuning.churned)
    probabilities["recency"] = churn_rivals.recency(staircase, last.rows)
    blind = windows_of(training, is_blind=True)
    checks = [
        sentinel.shuffled_labels(samples, (x_last, last.churned), features),
        sentinel.future_information(
            model, last.rows, blind[-1].rows if blind else last.rows.slice(0, 0), last.churned
        ),
        sentinel.label_from_the_past(training, horizon_days=horizon_days),
    ]
    return Trial(features, count, probabilities, checks)


def measures(trial: Trial, last: Window, *, champion: str, threshold: float) -> list[dict[str, Any]]:
    """Every candidate's numbers on the evaluation window: of all, of one-time and of repeat buyers."""
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
            **evaluation.measure(probability[who], last.churned[who], threshold=threshold),
        }
        for candidate, probability in sorted(trial.probabilities.items())
        for population, who in populations.items()
        if who.any()
    ]


def champion_of(trial: Trial, last: Window) -> tuple[str, str]:
    """The trees if their Brier score beats every simpler candidate's, else the best of those; and why."""
    found = {
        name: Score(evaluation.brier(p, last.churned), evaluation.auc(p, last.churned),
                    evaluation.calibration_error(p, last.churned))
        for name, p in trial.probabilities.items()
        if name in (TREES, *SIMPLER)
    }  # fmt: skip
    simple = min((name for name in found if name != TREES), key=lambda name: found[name].brier)
    winner = TREES if found[TREES].brier < found[simple].brier else simple
    best = found[winner]
    told = ", ".join(
        f"{name} {score.brier:.4f} / {score.auc:.3f} / {score.ece:.3f}"
        for name, score in sorted(found.items(), key=lambda item: item[1].brier)
    )
    return winner, (
        f"{winner} scores: of a customer who left and one who stayed it names the right one in "
        f"{100 * best.auc:.0f} of 100 pairs, and its chances are {100 * best.ece:.1f} points off "
        f"(Brier / AUC / ECE: {told}; {len(last.churned):,} customers not trained on, from {last.cutoff})"
    )


def challenger_of(trial: Trial, last: Window, *, champion: str) -> str | None:
    """The candidate of lowest Brier score but the champion."""
    left = [name for name in trial.probabilities if name in (TREES, *SIMPLER) and name != champion]
    return min(left, key=lambda name: evaluation.brier(trial.probabilities[name], last.churned), default=None)


def build(trial: Trial, windows: list[Window], *, horizon_days: int) -> dict[str, Any]:
    """The parts of the model in use: the trial's recipe, one window later."""
    *older, last = windows
    x = np.concatenate([trees.matrix(window.rows, trial.features) for window in older])
    y = np.concatenate([window.churned for window in older])
    text, _ = trees.train(x, y, trial.features, trees=trial.tree_count)
    del x
    model = trees.Trees(text)
    x_last = trees.matrix(last.rows, trial.features)
    rival = churn_rivals.fit_bgnbd(last.rows, last.churned, horizon_days=horizon_days)
    staircase = churn_rivals.fit_recency(last.rows, last.churned)
    gain, splits = model.importances()
    adds = np.abs(model.contributions(x_last[:EXPLAINED_ROWS])[:, :-1]).mean(axis=0)
    return {
        "trees": text,
        "calibration": list(calibration.fit_platt(model.scores(x_last), last.churned)),
        "bgnbd": churn_rivals.to_json(rival),
        "recency": {"at": staircase.at, "probability": staircase.probability},
        "importances": [
            {
                "feature": name,
                "factor": code_of(name),
                "gain": float(g),
                "splits": int(s),
                "mean_contribution": float(a),
            }
            for name, g, s, a in zip(trial.features, gain, splits, adds, strict=True)
        ],
    }
