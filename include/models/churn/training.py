"""Backtest all churn candidates, run the leakage checks, and build the model that scores.

With cn the last cutoff, whose labels no step of the backtest uses: trees are trained on all windows that
ended by cn, baselines on the latest of these. The model that scores is the same recipe one window later:
trained on all windows, which overlap. Trained without class weights on windows of all seasons, the trees need
no calibration of their own (a Platt curve of the last window learns that window's level: ECE .037 instead of
.021 and .048 instead of .036 on two days of a charity). The number of trees is fixed: stopped early, they are
shrunk towards the mean. A season (``season.py``) moves their level where the firm has one and it lowers the
loss on cn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import baselines as churn_baselines
from include.models.churn import calibration, evaluation, leakage, trees, written_back
from include.models.churn import season as churn_season
from include.models.churn.factors import code_of
from include.models.churn.sufficiency import disjoint

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Samples = dict[Any, tuple[NDArray[np.float32], Bools]]  # by cutoff

TREES = "lightgbm"
SEASONAL = "lightgbm_season"
RAW_BGNBD, SEASONAL_BGNBD, PARETONBD = "bgnbd_uncalibrated", "bgnbd_season", "paretonbd"
FROM_SIMPLE = ("recency", RAW_BGNBD, PARETONBD, SEASONAL_BGNBD, "bgnbd", TREES)
SEASON_ERRORS = 1.0
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
    has_season: bool
    probabilities: dict[str, Floats]  # by candidate; one element per customer of the evaluation window
    checks: list[leakage.Check]


def windows_of(training: pa.Table, *, is_blind: bool = False) -> list[Window]:
    """Split churn_training by cutoff, oldest first. ``is_blind`` selects the control rows."""
    rows = _where(training, pc.equal(training["is_blind"], is_blind))
    found = []
    for cutoff in sorted(pc.unique(rows["cutoff"]).to_pylist()):
        table = _where(rows, pc.equal(rows["cutoff"], cutoff))
        found.append(
            Window(
                cutoff,
                table,
                table["is_churned"].to_numpy().astype(np.bool_),
                table["frequency"].to_numpy() > 0,
            )
        )
    return found


def _where(rows: pa.Table, is_kept: pa.ChunkedArray) -> pa.Table:
    """The rows whose flag is true; adjacent rows, as the grain sorts them, are not copied."""
    kept = pc.indices_nonzero(is_kept)
    if len(kept) and kept[-1].as_py() - kept[0].as_py() + 1 == len(kept):
        return rows.slice(kept[0].as_py(), len(kept))
    return rows.take(kept)


def backtest(training: pa.Table, windows: list[Window], *, horizon_days: int) -> Backtest:
    """Train, tune and evaluate every candidate, and run the leakage checks.

    ``windows`` are oldest first, with at least three that do not overlap.
    """
    last = windows[-1]
    known = ended_by(windows, last.cutoff, horizon_days)
    tuning = known[-1]
    older = ended_by(known, tuning.cutoff, horizon_days)
    features = trees.usable_features(pa.concat_tables([window.rows for window in older]))
    x, y, samples = _stacked(known, features)
    x_last = trees.matrix(last.rows, features)
    text = trees.train(x, y, features)
    model = trees.Trees(text)
    plain = model.probabilities(x_last)
    gaps = [
        churn_season.gap(cutoff, model.probabilities(part), churned)
        for cutoff, (part, churned) in samples.items()
    ]
    season = churn_season.of(gaps, last.cutoff, horizon_days=horizon_days)
    seasonal = churn_season.shifted(plain, season)
    has_season = bool(season.years) and _is_lower(seasonal, plain, last.churned)
    probabilities = {TREES: seasonal if has_season else plain}
    if season.years:
        probabilities[SEASONAL] = seasonal
    bgnbd = churn_baselines.fit_bgnbd(tuning.rows, tuning.churned, horizon_days=horizon_days)
    if bgnbd is not None:
        probabilities["bgnbd"] = bgnbd.probability(last.rows, horizon_days=horizon_days)
        raw = churn_baselines.uncalibrated(bgnbd.model, last.rows, horizon_days=horizon_days)
        probabilities[RAW_BGNBD] = raw
        season = churn_season.of(_gaps_of(bgnbd, known, horizon_days), last.cutoff, horizon_days=horizon_days)
        if season.years:
            probabilities[SEASONAL_BGNBD] = churn_season.shifted(raw, season)
    pareto = churn_baselines.fit_paretonbd(tuning.rows)
    if pareto is not None:
        probabilities[PARETONBD] = churn_baselines.uncalibrated(
            pareto.model, last.rows, horizon_days=horizon_days
        )
    isotonic = churn_baselines.fit_recency(tuning.rows, tuning.churned)
    probabilities["recency"] = churn_baselines.recency(isotonic, last.rows)
    control = {window.cutoff: window.rows for window in windows_of(training, is_blind=True)}
    apart = disjoint([window.cutoff for window in windows], horizon_days=horizon_days)
    no_rows = last.rows.slice(0, 0)
    newest = next((rows for day, rows in control.items() if day > last.cutoff), no_rows)
    checks = [
        leakage.shuffled_labels(x, [w.churned for w in older], (x_last, last.churned), features),
        leakage.future_information(model, last.rows, control.get(last.cutoff, no_rows), last.churned),
        leakage.label_from_the_past(training, horizon_days=horizon_days),
        written_back.check(
            model,
            [(window.rows, window.churned) for window in windows if window.cutoff in apart],
            newest,
            horizon_days=horizon_days,
        ),
    ]
    return Backtest(features, trees.TREE_COUNT, has_season, probabilities, checks)


def _gaps_of(
    fitted: churn_baselines.BgNbd, windows: list[Window], horizon_days: int
) -> list[churn_season.Gap]:
    """Gaps of a raw purchase model on past windows; none where the horizon has no season."""
    if horizon_days >= churn_season.LONGEST:
        return []
    return [
        churn_season.gap(
            window.cutoff,
            churn_baselines.uncalibrated(fitted.model, window.rows, horizon_days=horizon_days),
            window.churned,
        )
        for window in windows
    ]


def ended_by(windows: list[Window], cutoff: Any, horizon_days: int) -> list[Window]:
    """Windows that ended by ``cutoff``, oldest first."""
    return [window for window in windows if (cutoff - window.cutoff).days >= horizon_days]


def _stacked(windows: list[Window], features: list[str]) -> tuple[NDArray[np.float32], Bools, Samples]:
    """The features and labels of all windows, one below the other, and the rows of each as views of them."""
    ends = np.cumsum([0, *(len(window.churned) for window in windows)])
    x = np.empty((ends[-1], len(features)), dtype=np.float32)
    samples = {}
    for window, first, end in zip(windows, ends, ends[1:], strict=False):
        trees.fill(x[first:end], window.rows, features)
        samples[window.cutoff] = x[first:end], window.churned
    return x, np.concatenate([window.churned for window in windows]), samples


def _is_lower(one: Floats, other: Floats, churned: Bools) -> bool:
    """Whether the first has the lower Brier score, by more than the standard error of the difference."""
    gain = (other - churned) ** 2 - (one - churned) ** 2
    return float(gain.mean()) > SEASON_ERRORS * float(gain.std()) / float(np.sqrt(len(gain)))


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
    """Selected candidate and reason: the simplest that equals the one with the lowest Brier score.

    Equal: within one standard error in the Brier score (of the mean paired difference over the customers)
    and in the AUC. Where little can be predicted, Brier scores of all candidates are alike, ranks are not.
    """
    found = {
        name: Score(evaluation.brier(p, last.churned), evaluation.auc(p, last.churned),
                    evaluation.calibration_error(p, last.churned))
        for name, p in tested.probabilities.items()
        if name in FROM_SIMPLE
    }  # fmt: skip
    leader = min(found, key=lambda name: found[name].brier)
    least_auc = found[leader].auc - evaluation.auc_error(last.churned)
    winner = next(
        name
        for name in (*FROM_SIMPLE, leader)
        if name in found
        and not found[name].auc < least_auc
        and not _is_lower(tested.probabilities[leader], tested.probabilities[name], last.churned)
    )
    best = found[winner]
    scores = ", ".join(
        f"{name} {score.brier:.4f} / {score.auc:.3f} / {score.ece:.3f}"
        for name, score in sorted(found.items(), key=lambda item: item[1].brier)
    )
    tie = "" if winner == leader else f" (within one standard error of {leader}, and simpler)"
    return winner, (
        f"{winner} is selected{tie}: it ranks a churned customer above one who stayed in "
        f"{100 * best.auc:.0f} of 100 pairs, and its probabilities are off by {100 * best.ece:.1f} points "
        f"(Brier / AUC / ECE: {scores}; {len(last.churned):,} customers not trained on, from {last.cutoff})"
    )


def challenger_of(tested: Backtest, last: Window, *, champion: str) -> str | None:
    """The candidate with the lowest Brier score, the champion excluded."""
    left = [name for name in tested.probabilities if name in FROM_SIMPLE and name != champion]
    return min(
        left, key=lambda name: evaluation.brier(tested.probabilities[name], last.churned), default=None
    )


def build(tested: Backtest, windows: list[Window], *, champion: str, horizon_days: int) -> dict[str, Any]:
    """Artefact parts of the model that scores: the backtested recipe, one window later.

    A candidate that only the champion needs (Pareto/NBD, the season of BG/NBD) is stored for it alone.
    """
    last = windows[-1]
    x, y, samples = _stacked(windows, tested.features)
    text = trees.train(x, y, tested.features, trees=tested.tree_count)
    model = trees.Trees(text)
    x_last, _ = samples[last.cutoff]
    gaps = []
    if tested.has_season:
        gaps = [
            churn_season.gap(cutoff, model.probabilities(part), churned)
            for cutoff, (part, churned) in samples.items()
        ]
    del x, samples
    baseline = churn_baselines.fit_bgnbd(last.rows, last.churned, horizon_days=horizon_days)
    if champion == SEASONAL_BGNBD and baseline is not None:
        gaps = _gaps_of(baseline, windows, horizon_days)
    pareto = churn_baselines.fit_paretonbd(last.rows) if champion == PARETONBD else None
    isotonic = churn_baselines.fit_recency(last.rows, last.churned)
    gain, splits = model.importances()
    adds = np.abs(model.contributions(x_last[:EXPLAINED_ROWS])[:, :-1]).mean(axis=0)
    return {
        "trees": text,
        "calibration": list(calibration.AS_TRAINED),
        "season": churn_season.to_json(gaps),
        "bgnbd": churn_baselines.to_json(baseline),
        "paretonbd": churn_baselines.to_json(pareto),
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
