"""Loss of predicted spend, and the metrics of a backtest window."""

from __future__ import annotations

import numpy as np

from include.models.purchases.likelihood import Floats

POWER = 1.5
FLOOR = 1e-3  # lower bound of a prediction as a share of the mean; the deviance at 0 is infinite


def losses(expected: Floats, happened: Floats) -> Floats:
    """Tweedie deviance of each customer, divided by the mean deviance of predicting the mean for all."""
    spent = np.maximum(happened, 0.0)
    mean = max(float(spent.mean()), 1e-9)
    naive = float(_deviance(np.full_like(spent, mean), spent).mean())
    return _deviance(np.maximum(expected, FLOOR * mean), spent) / max(naive, 1e-12)


def _deviance(expected: Floats, spent: Floats) -> Floats:
    one, two = 1.0 - POWER, 2.0 - POWER
    return 2.0 * (spent**two / (one * two) - spent * expected**one / one + expected**two / two)


def measures(expected: Floats, happened: Floats) -> dict[str, float | None]:
    """Metrics of one candidate on one window; the keys are the metric names of ``value_backtest``."""
    total = float(happened.sum())
    return {
        "error": float(losses(expected, happened).mean()),
        "spearman": _correlation(ranks(expected), ranks(happened)),
        "gini": _gini(expected, happened),
        "mae": float(np.abs(expected - happened).mean()),
        "total_ratio": float(expected.sum()) / total if total > 0 else None,
    }


def ranks(values: Floats) -> Floats:
    """Ranks from 0; ties get their mean rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[where]


def _correlation(one: Floats, other: Floats) -> float | None:
    if one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _gini(expected: Floats, happened: Floats) -> float | None:
    """Normalised Gini: area of spend sorted by prediction, over the area of spend sorted by spend."""

    def area(keys: Floats) -> float:
        at = ranks(keys)
        return float(np.sum(happened * (at - at.mean())))

    best = area(happened)
    return area(expected) / best if best > 0 else None
