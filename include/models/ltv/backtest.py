"""Rolling backtest of value: fit each candidate before a cutoff and compare it with the spend after it.

The error of a candidate on a window is its mean Tweedie deviance (power 1.5), divided by the deviance of
predicting the mean for every customer. That deviance is minimal for the expectation and is defined for a
spend of 0. The candidate with the lowest mean error leads. Candidates whose mean paired difference to the
leader is within one standard error, and whose rank correlation is, count as equal; the simplest of them is
selected. The count model used
for timing by methods without one is selected by the same rule, on earlier windows. Each horizon has its own
backtest; the windows that are evaluated do not overlap, those that trees are trained on do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from include.models.ltv import candidates, intervals
from include.models.ltv.intervals import Coverage
from include.models.ltv.losses import losses, measures
from include.models.ltv.trees import TrainingWindow, Trees
from include.models.ltv.trees import train as train_trees
from include.models.ltv.windows import Fits, Past, Window
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel

MIN_TRAINING_CUSTOMERS = 2  # bagging of one row leaves LightGBM without data
MOST_EVALUATED = 3
MOST_TRAINED = 4


class Result(NamedTuple):
    """One candidate on one window: loss per customer, metrics, and coverage of its intervals."""

    candidate: str
    cutoff: date
    horizon_days: int
    losses: Floats
    metrics: dict[str, float | None]
    coverage: Coverage | None = None


def run(past: Past, horizon_days: int, *, most: int = MOST_EVALUATED) -> list[Result]:
    """Run every candidate on the latest windows of a horizon that do not overlap, oldest first.

    Trees need an earlier window, that ended by the cutoff, to train on.
    """
    results: list[Result] = []
    for window in past.evaluated(horizon_days, most=most):
        results += _window(window, past, results)
    return results


def _window(window: Window, past: Past, results: Sequence[Result]) -> list[Result]:
    now = past.fits(window)
    rows, horizon = window.rows, window.horizon_days
    happened, kept = candidates.floats(rows, "holdout_spend"), candidates.kept_share(rows)
    expected = {candidates.NAIVE_RATE: kept * candidates.spend_by_naive_rate(rows, horizon_days=horizon)}
    spreads: dict[str, intervals.Spread] = {}
    timing = timing_model(now.counts, results) if now.counts else None
    if now.spends is not None and timing is not None:
        spends, by_counts, seasons = now.spends.model, {}, {}
        for name, model in now.counts.items():
            by_counts[name] = kept * candidates.spend_by_counts(model, spends, rows, horizon_days=horizon)
            seasons[name], _ = past.season(window.cutoff, horizon, name)
            expected[name] = seasons[name].factor * by_counts[name]
        if (text := train(past, window.cutoff, horizon, timing.model)) is not None:
            level = scale_of(text, timing, spends, rows, horizon_days=horizon) * seasons[timing.model].factor
            expected[candidates.TREES] = level * Trees(text).spend(rows, timing, spends, horizon_days=horizon)
        parameter_ses = {
            name: intervals.parameter_se_share(rows, model, spends, horizon_days=horizon)
            for name, model in now.counts.items()
        }
        for name, spend in expected.items():
            model = now.counts.get(name, timing)
            usual = by_counts[model.model]
            factor = np.where(usual > 0, spend / np.maximum(usual, 1e-12), 0.0)
            spreads[name] = intervals.spread(
                rows,
                model,
                spends,
                kept_share=kept,
                factor=factor,
                horizon_days=horizon,
                parameter_se_share=float(
                    np.hypot(parameter_ses[model.model], seasons[model.model].prediction_error)
                ),
            )
    found = []
    for name, spend in expected.items():
        numbers, covered = measures(spend, happened), None
        if name in spreads:
            earlier = coverages(results, name, timing=timing.model if timing is not None else name)
            numbers |= intervals.measured(spreads[name], happened, earlier)
            covered = intervals.coverage(spreads[name], happened)
        found.append(Result(name, window.cutoff, horizon, losses(spend, happened), numbers, covered))
    return found


def coverages(results: Sequence[Result], candidate: str, *, timing: str) -> list[Coverage]:
    """Coverage of a candidate by window, oldest first; the timing model's where the candidate did not run."""
    by_cutoff: dict[date, Coverage] = {}
    for name in (timing, candidate):
        by_cutoff |= {r.cutoff: r.coverage for r in results if r.candidate == name and r.coverage}
    return [by_cutoff[cutoff] for cutoff in sorted(by_cutoff)]


def timing_model(counts: Mapping[str, PurchaseModel], results: Sequence[Result]) -> PurchaseModel:
    """Count model used for timing by methods without one.

    Among models off their boundary: the one selected on earlier windows, else the one with the highest
    likelihood.
    """
    sound = {name: model for name, model in counts.items() if not model.is_boundary} or dict(counts)
    tested = [result for result in results if result.candidate in sound]
    if tested:
        return sound[select_model(tested)[0]]
    return max(sound.values(), key=lambda model: model.log_likelihood)


def training_windows(fits: Sequence[Fits], kind: str) -> list[TrainingWindow]:
    """Training data of the trees: every window with a fitted count model of this kind.

    Empty when LightGBM cannot fit them: its bagging (80 %) needs at least two rows, and the Tweedie objective
    needs a positive sum of targets.
    """
    found = [
        TrainingWindow(past.window.rows, past.counts[kind], past.spends.model, past.window.horizon_days)
        for past in fits
        if past.spends is not None and kind in past.counts
    ]
    customers = sum(past.rows.num_rows for past in found)
    has_spend = any((candidates.floats(past.rows, "holdout_spend") > 0).any() for past in found)
    return found if has_spend and customers >= MIN_TRAINING_CUSTOMERS else []


def train(past: Past, until: date, horizon_days: int, kind: str) -> str | None:
    """Train trees on the latest windows that ended by ``until``; None without training data."""
    found = training_windows(past.before(until, horizon_days, most=MOST_TRAINED), kind)
    return train_trees(found) if found else None


def scale_of(
    trees: str, counts: PurchaseModel, spends: GammaGamma, rows: pa.Table, *, horizon_days: int
) -> float:
    """Factor for the trees' spend that makes their total equal the count model's, before any season.

    Trees rank customers best. Their total reflects the training windows, which end at least one horizon
    earlier, when the firm's customers were younger.
    """
    total = float(Trees(trees).spend(rows, counts, spends, horizon_days=horizon_days).sum())
    by_counts = candidates.spend_by_counts(counts, spends, rows, horizon_days=horizon_days)
    return candidates.kept_share(rows) * float(by_counts.sum()) / total if total > 0 else 1.0


def select_model(results: Sequence[Result]) -> tuple[str, str]:
    """Selected candidate and the reason, on the windows with the most candidates."""
    run_on = {r.cutoff: sum(other.cutoff == r.cutoff for other in results) for r in results}
    results = [result for result in results if run_on[result.cutoff] == max(run_on.values())]
    by_name = {
        name: np.concatenate([result.losses for result in results if result.candidate == name])
        for name in candidates.FROM_SIMPLE
        if any(result.candidate == name for result in results)
    }
    most = max(len(found) for found in by_name.values())
    by_name = {name: found for name, found in by_name.items() if len(found) == most}
    errors = {name: float(found.mean()) for name, found in by_name.items()}
    leader = min(errors, key=lambda name: errors[name])
    name = next(
        name
        for name, found in by_name.items()
        if _is_equal(found, by_name[leader]) and _ranks_alike(results, name, leader, len(found))
    )
    windows = len({result.cutoff for result in results})
    errors_text = ", ".join(
        f"{other} {errors[other]:.3f}" for other in sorted(errors, key=lambda one: errors[one])
    )
    why = (
        "has the lowest error"
        if name == leader
        else f"equals {leader} within one standard error, and is simpler"
    )
    return name, (
        f"{name} {why} on {windows} past window{'s' * (windows > 1)} "
        f"(errors relative to a constant prediction: {errors_text})"
    )


def _ranks_alike(results: Sequence[Result], name: str, leader: str, customers: int) -> bool:
    """Whether the mean rank correlation is at most one standard error below the leader's.

    The loss is dominated by a few large customers, so it alone can hardly tell candidates apart. The standard
    error is that of a rank correlation of independent variables.
    """
    both = [
        [found for r in results if r.candidate == one and (found := r.metrics.get("spearman")) is not None]
        for one in (name, leader)
    ]
    if not all(both):
        return True
    return float(np.mean(both[0])) >= float(np.mean(both[1])) - 1.0 / float(np.sqrt(max(customers - 1, 1)))


def _is_equal(found: Floats, least: Floats) -> bool:
    """Whether the mean paired difference is at most one standard error above 0."""
    difference = found - least
    return float(difference.mean()) <= float(difference.std()) / float(np.sqrt(len(difference)))
