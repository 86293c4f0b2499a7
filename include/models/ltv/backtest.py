"""The rolling backtest of value: each candidate fitted before a cutoff, held against what came after it.

The rule. A candidate's error on a window is its mean Tweedie deviance (power 1.5, which is least for
the expectation and takes spend of 0), divided by that of the same mean for everybody. The candidate of lowest
mean error leads; those whose paired difference to it is within one standard error count as equal, and of
these the simplest values the firm's customers. The count model beside trees is chosen by the same rule, on
windows before the one that is valued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.ltv import candidates, intervals
from include.models.ltv.intervals import Coverage
from include.models.ltv.trees import Lesson, Trees
from include.models.ltv.trees import train as train_trees
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel

POWER = 1.5
FEWEST_LESSONS = 2  # customers; of one, LightGBM draws none
FLOOR = 1e-3  # of the mean: nobody is expected to spend nothing at all, or one surprise costs infinity


class Window(NamedTuple):
    """One cutoff: histories before it, and what was spent in ``horizon_days`` after it (0: not known)."""

    cutoff: date
    horizon_days: int
    rows: pa.Table


class Fits(NamedTuple):
    """What was fitted before a window's cutoff."""

    window: Window
    counts: dict[str, PurchaseModel]
    spends: candidates.Spends | None


class Result(NamedTuple):
    """One candidate on one window: loss per customer, its numbers, and how its intervals did."""

    candidate: str
    cutoff: date
    horizon_days: int
    losses: Floats
    metrics: dict[str, float | None]
    coverage: Coverage | None = None


class Backtest(NamedTuple):
    """Every result, and every fit that led to one."""

    results: list[Result]
    fits: list[Fits]


def windows_of(table: pa.Table) -> list[Window]:
    """value_histories by cutoff, oldest first; the anchor's own is the last."""
    found = []
    for cutoff in sorted(pc.unique(table["cutoff"]).to_pylist()):
        rows = table.filter(pc.equal(table["cutoff"], pa.scalar(cutoff, pa.date32()))).combine_chunks()
        found.append(Window(cutoff, rows["horizon_days"][0].as_py(), rows))
    return found


def fit(window: Window) -> Fits:
    """Count models and spends of a window's histories."""
    if not window.rows.num_rows:
        return Fits(window, {}, None)
    return Fits(window, candidates.fit_counts(window.rows), candidates.fit_spends(window.rows))


def run(windows: Sequence[Window]) -> Backtest:
    """Every candidate on every window whose outcome is known; trees where an earlier one could teach them."""
    fits: list[Fits] = []
    results: list[Result] = []
    for window in windows:
        if window.horizon_days:
            found = fit(window)
            results += _window(found, fits, results)
            fits.append(found)
    return Backtest(results, fits)


def _window(now: Fits, earlier: Sequence[Fits], results: Sequence[Result]) -> list[Result]:
    rows, horizon = now.window.rows, now.window.horizon_days
    happened, kept = candidates.floats(rows, "holdout_spend"), candidates.kept_share(rows)
    expected = {candidates.OWN_RATE: kept * candidates.spend_by_own_rate(rows, horizon_days=horizon)}
    spreads: dict[str, intervals.Spread] = {}
    beside = partner(now.counts, results) if now.counts else None
    if now.spends is not None and beside is not None:
        spends, course = now.spends.model, {}
        for name, model in now.counts.items():
            course[name] = kept * candidates.spend_by_counts(model, spends, rows, horizon_days=horizon)
            expected[name] = course[name]
        if (text := train(earlier, beside.model)) is not None:
            level = level_of(text, beside, spends, rows, horizon_days=horizon)
            trees = Trees(text).spend(rows, beside, spends, horizon_days=horizon)
            expected[candidates.TREES] = level * trees
        doubts = {
            name: intervals.doubt_share(rows, model, spends, horizon_days=horizon)
            for name, model in now.counts.items()
        }
        for name, spend in expected.items():
            model = now.counts.get(name, beside)
            usual = course[model.model]
            factor = np.where(usual > 0, spend / np.maximum(usual, 1e-12), 0.0)
            spreads[name] = intervals.spread(
                rows,
                model,
                spends,
                kept_share=kept,
                factor=factor,
                horizon_days=horizon,
                doubt_share=doubts[model.model],
            )
    found = []
    for name, spend in expected.items():
        numbers, covered = measures(spend, happened), None
        if name in spreads:
            past = coverages(results, name, beside=beside.model if beside is not None else name)
            numbers |= intervals.measured(spreads[name], happened, past)
            covered = intervals.coverage(spreads[name], happened)
        found.append(Result(name, now.window.cutoff, horizon, losses(spend, happened), numbers, covered))
    return found


def coverages(results: Sequence[Result], candidate: str, *, beside: str) -> list[Coverage]:
    """How a candidate's intervals did, window by window; its count model's where it was not run itself."""
    by_cutoff: dict[date, Coverage] = {}
    for name in (beside, candidate):
        by_cutoff |= {r.cutoff: r.coverage for r in results if r.candidate == name and r.coverage}
    return [by_cutoff[cutoff] for cutoff in sorted(by_cutoff)]


def partner(counts: Mapping[str, PurchaseModel], results: Sequence[Result]) -> PurchaseModel:
    """The count model that gives the course of time to methods that have none.

    Of those off their boundary the one that earlier windows speak for, else the likeliest.
    """
    sound = {name: model for name, model in counts.items() if not model.is_boundary} or dict(counts)
    tested = [result for result in results if result.candidate in sound]
    if tested:
        return sound[champion_of(tested)[0]]
    return max(sound.values(), key=lambda model: model.log_likelihood)


def lessons(fits: Sequence[Fits], kind: str) -> list[Lesson]:
    """Training data of trees: every window with a fitted count model of that kind.

    Empty when LightGBM cannot fit them: it draws 80 % of the rows, which must leave one, and its targets
    must not sum to 0, as they do when nothing was spent after any of these cutoffs.
    """
    found = [
        Lesson(past.window.rows, past.counts[kind], past.spends.model, past.window.horizon_days)
        for past in fits
        if past.spends is not None and kind in past.counts
    ]
    customers = sum(past.rows.num_rows for past in found)
    has_spend = any((candidates.floats(past.rows, "holdout_spend") > 0).any() for past in found)
    return found if has_spend and customers >= FEWEST_LESSONS else []


def train(fits: Sequence[Fits], kind: str) -> str | None:
    """Train trees on the past windows; None when there is nothing to train on."""
    found = lessons(fits, kind)
    return train_trees(found) if found else None


def level_of(
    trees: str, counts: PurchaseModel, spends: GammaGamma, rows: pa.Table, *, horizon_days: int
) -> float:
    """What the trees' spend is multiplied by: their total becomes the count model's.

    Trees rank customers best, but carry the level of their training windows, which lie at least one horizon
    back, into the future of a firm whose customers are older by then.
    """
    total = float(Trees(trees).spend(rows, counts, spends, horizon_days=horizon_days).sum())
    course = candidates.spend_by_counts(counts, spends, rows, horizon_days=horizon_days)
    return candidates.kept_share(rows) * float(course.sum()) / total if total > 0 else 1.0


def champion_of(results: Sequence[Result]) -> tuple[str, str]:
    """The candidate that the rule chooses, and why, in words, on the windows on which most were run."""
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
    name = next(name for name, found in by_name.items() if _is_equal(found, by_name[leader]))
    windows = len({result.cutoff for result in results})
    said = ", ".join(f"{other} {errors[other]:.3f}" for other in sorted(errors, key=lambda one: errors[one]))
    why = "has the lowest error" if name == leader else f"is within noise of {leader} and simpler"
    return name, f"{name} {why} on {windows} past window{'s' * (windows > 1)} (1 is a plain average: {said})"


def _is_equal(found: Floats, least: Floats) -> bool:
    """Whether the mean difference lies within one standard error of none."""
    difference = found - least
    return float(difference.mean()) <= float(difference.std()) / float(np.sqrt(len(difference)))


def losses(expected: Floats, happened: Floats) -> Floats:
    """Tweedie deviance of each customer over the mean deviance of expecting the average of everybody."""
    spent = np.maximum(happened, 0.0)
    mean = max(float(spent.mean()), 1e-9)
    naive = float(_deviance(np.full_like(spent, mean), spent).mean())
    return _deviance(np.maximum(expected, FLOOR * mean), spent) / max(naive, 1e-12)


def _deviance(expected: Floats, spent: Floats) -> Floats:
    one, two = 1.0 - POWER, 2.0 - POWER
    return 2.0 * (spent**two / (one * two) - spent * expected**one / one + expected**two / two)


def measures(expected: Floats, happened: Floats) -> dict[str, float | None]:
    """What is recorded of a candidate on a window."""
    total = float(happened.sum())
    return {
        "error": float(losses(expected, happened).mean()),
        "spearman": _correlation(ranks(expected), ranks(happened)),
        "gini": _gini(expected, happened),
        "mae": float(np.abs(expected - happened).mean()),
        "total_ratio": float(expected.sum()) / total if total > 0 else None,
    }


def ranks(values: Floats) -> Floats:
    """Ranks from 0; ties share their mean."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[where]


def _correlation(one: Floats, other: Floats) -> float | None:
    if one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _gini(expected: Floats, happened: Floats) -> float | None:
    """Normalised Gini: spend gathered in the order of expectation, over that in the order of spend."""

    def area(keys: Floats) -> float:
        at = ranks(keys)
        return float(np.sum(happened * (at - at.mean())))

    best = area(happened)
    return area(expected) / best if best > 0 else None
