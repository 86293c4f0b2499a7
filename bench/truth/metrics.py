"""Metrics of out-of-time predictions, with bootstrap errors over customers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from include.models.churn.evaluation import auc

Floats = NDArray[np.float64]
ROUNDS = 200
BINS = 10


def ece(probability: Floats, happened: Floats) -> float:
    """Expected calibration error over ten bins with equal numbers of customers."""
    parts = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return float(
        sum(abs(probability[at].mean() - happened[at].mean()) * len(at) for at in parts if len(at))
        / len(probability)
    )


def churn_auc(probability: Floats, happened: Floats) -> float:
    """Area under the ROC curve."""
    return auc(probability, happened.astype(bool))


def brier(probability: Floats, happened: Floats) -> float:
    """Mean squared difference of probability and outcome."""
    return float(np.mean((probability - happened) ** 2))


def spearman(expected: Floats, happened: Floats) -> float:
    """Rank correlation."""
    return float(np.corrcoef(rankdata(expected), rankdata(happened))[0, 1])


def total_error(expected: Floats, happened: Floats) -> float:
    """Error of the total, as a share of what happened."""
    return float(expected.sum() / happened.sum() - 1.0)


def samples(customers: int, *, rounds: int = ROUNDS) -> list[NDArray[np.int64]]:
    """Bootstrap samples of customers; the same for every model, so that differences are paired."""
    rng = np.random.default_rng(20261130)
    return [rng.integers(0, customers, customers) for _ in range(rounds)]


def error(measure: Callable[[Floats, Floats], float], predicted: Floats, happened: Floats) -> float:
    """Bootstrap standard error of a metric."""
    return float(np.std([measure(predicted[at], happened[at]) for at in samples(len(happened))]))


def difference(
    measure: Callable[[Floats, Floats], float], ours: Floats, theirs: Floats, happened: Floats
) -> dict[str, float]:
    """Ours minus theirs, its bootstrap standard error and the bounds of its 95 % interval."""
    found = [
        measure(ours[at], happened[at]) - measure(theirs[at], happened[at]) for at in samples(len(happened))
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return {
        "difference": measure(ours, happened) - measure(theirs, happened),
        "error": float(np.std(found)),
        "low": float(low),
        "high": float(high),
    }
