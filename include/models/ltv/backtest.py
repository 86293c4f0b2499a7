"""The rolling backtest of value: each candidate fitted before a cutoff, held against what came after it.

The rule. A candidate's error on a window is its mean Tweedie deviance (power 1.5, which is least for
the expectation and takes spend of 0), divided by that of the same mean for everybody. The candidate of lowest
mean error leads; those whose paired difference to it is within one standard error count as equal, and of
these the simplest values the firm's customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.ltv import candidates, value
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel

LEVEL = 0.8
POWER = 1.5
FLOOR = 1e-3  # of the mean: nobody is expected to spend nothing at all, or one surprise costs infinity


class Window(NamedTuple):
    """One cutoff: histories before it, and what was spent in ``horizon_days`` after it (0: not known)."""

    cutoff: date
    horizon_days: int
    rows: pa.Table


class Result(NamedTuple):
    """One candidate on one window: loss per customer, and its numbers."""

    candidate: str
    cutoff: date
    horizon_days: int
    losses: Floats
    metrics: dict[str, float | None]


def windows_of(table: pa.Table) -> list[Window]:
    """value_histories by cutoff, oldest first; the anchor's own is the last."""
    found = []
    for cutoff in sorted(pc.unique(table["cutoff"]).to_pylist()):
        rows = table.filter(pc.equal(table["cutoff"], pa.scalar(cutoff, pa.date32()))).combine_chunks()
        found.append(Window(cutoff, rows["horizon_days"][0].as_py(), rows))
    return found


def run(windows: Sequence[Window]) -> list[Result]:
    """Results on every window with an earlier one to train trees on; on the one window there is, else."""
    tested = [window for window in windows if window.horizon_days]
    evaluated = range(1, len(tested)) if len(tested) > 1 else range(len(tested))
    return [result for at in evaluated for result in _window(tested[at], tested[:at])]


def _window(window: Window, earlier: Sequence[Window]) -> list[Result]:
    rows, horizon = window.rows, window.horizon_days
    happened = candidates.floats(rows, "holdout_spend")
    kept, spends = candidates.kept_share(rows), candidates.fit_spends(rows)
    counts = candidates.fit_counts(rows)
    expected = {candidates.OWN_RATE: kept * candidates.spend_by_own_rate(rows, horizon_days=horizon)}
    more: dict[str, dict[str, float | None]] = {}
    if spends is not None:
        for name, model in counts.items():
            spend = candidates.spend_by_counts(model, spends.model, rows, horizon_days=horizon)
            expected[name] = kept * spend
            more[name] = _coverage(model, spends.model, rows, kept, happened, horizon_days=horizon)
    if earlier and counts and spends is not None:
        text, course = train(earlier), partner(counts)
        level = level_of(text, course, spends.model, rows, horizon_days=horizon)
        expected[candidates.TREES] = level * candidates.Trees(text).spend(rows)
    return [
        Result(
            name,
            window.cutoff,
            horizon,
            losses(spend, happened),
            {**measures(spend, happened), **more.get(name, {})},
        )
        for name, spend in expected.items()
    ]


def partner(counts: Mapping[str, PurchaseModel]) -> PurchaseModel:
    """The soundest and likeliest count model: it gives the course of time to methods that have none."""
    return max(counts.values(), key=lambda model: (not model.is_boundary, model.log_likelihood))


def train(windows: Sequence[Window]) -> str:
    """Trees trained on every window whose outcome is known."""
    return candidates.train_trees(pa.concat_tables([w.rows for w in windows if w.horizon_days]))


def level_of(
    trees: str, counts: PurchaseModel, spends: GammaGamma, rows: pa.Table, *, horizon_days: int
) -> float:
    """What the trees' spend is multiplied by: their total becomes the count model's.

    Trees rank customers best, but carry the level of their training windows, which lie at least one horizon
    back, into the future of a firm whose customers are older by then.
    """
    total = float(candidates.Trees(trees).spend(rows).sum())
    course = candidates.spend_by_counts(counts, spends, rows, horizon_days=horizon_days)
    return candidates.kept_share(rows) * float(course.sum()) / total if total > 0 else 1.0


def champion_of(results: Sequence[Result]) -> tuple[str, str]:
    """The candidate that the rule chooses, and why, in words."""
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
    said = ", ".join(f"{other} {error:.3f}" for other, error in errors.items())
    windows = len({result.cutoff for result in results})
    why = "has the lowest error" if name == leader else f"is within noise of {leader} and simpler"
    return name, f"{name} {why} on {windows} window{'s' * (windows > 1)} of backtest (error {said})"


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


def _coverage(
    counts: Any, spends: Any, rows: pa.Table, kept: float, happened: Floats, *, horizon_days: int
) -> dict[str, float | None]:
    """How often 80 % intervals hold: of all customers, of those wider than [0, 0], and of the firm."""
    x, t_x, T, m = candidates.histories(rows)
    chance = value.spend(counts, spends, x, t_x, T, m, horizon_days=horizon_days)
    low, high, nominal = value.interval(chance, level=LEVEL)
    inside = (kept * low <= happened + 1e-6) & (happened <= kept * high + 1e-6)
    batch = pa.RecordBatch.from_pydict(
        {**{name: rows[name].combine_chunks() for name in ("frequency", "recency_days", "age_days")},
         "mean_spend": pa.array(m)}
    )  # fmt: skip
    total = value.total([batch], counts, spends, horizon_days=horizon_days, level=LEVEL)
    return {
        "coverage": float(inside.mean()),
        "coverage_nominal": float(nominal.mean()),
        "coverage_of_open": float(inside[high > 0].mean()) if (high > 0).any() else None,
        "total_expected": kept * total.expected,
        "total_low": kept * total.low,
        "total_high": kept * total.high,
        "total_realised": float(happened.sum()),
    }
