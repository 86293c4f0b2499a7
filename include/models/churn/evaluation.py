"""Metrics of churn probabilities: ranking, calibration, and classification at a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ECE_BINS = 10


def auc(score: Floats, happened: Bools) -> float:
    """Area under the ROC curve, ties counted half; nan if only one class occurs."""
    from scipy.stats import rankdata  # importing costs a second and 15 MB; scoring does not need it

    events, others = int(happened.sum()), int((~happened).sum())
    if not events or not others:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[happened].sum() - events * (events + 1) / 2) / (events * others))


def auc_error(happened: Bools) -> float:
    """Standard error of the AUC of a random score (Mann & Whitney 1947)."""
    events, others = int(happened.sum()), int((~happened).sum())
    return float(np.sqrt((events + others + 1) / (12.0 * max(events, 1) * max(others, 1))))


def average_precision(score: Floats, happened: Bools) -> float:
    """Average precision, one step per distinct score; nan without an event."""
    if not happened.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(happened[order])
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    recall = hits[last] / hits[-1]
    precision = hits[last] / (last + 1.0)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def brier(probability: Floats, happened: Bools) -> float:
    """Brier score: mean squared difference of probability and outcome."""
    return float(np.mean((probability - happened) ** 2))


def log_loss(probability: Floats, happened: Bools) -> float:
    """Mean negative log-likelihood, probabilities clipped to [1e-6, 1 - 1e-6]."""
    p = np.clip(probability, 1e-6, 1.0 - 1e-6)
    return float(-np.mean(np.where(happened, np.log(p), np.log1p(-p))))


def calibration_error(probability: Floats, happened: Bools) -> float:
    """Expected calibration error: |mean probability - event rate| over ten bins of equal width."""
    edges = np.minimum((probability * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    count = np.bincount(edges, minlength=ECE_BINS)
    predicted = np.bincount(edges, weights=probability, minlength=ECE_BINS)
    realised = np.bincount(edges, weights=happened.astype(np.float64), minlength=ECE_BINS)
    return float(np.abs(predicted - realised).sum() / max(int(count.sum()), 1))


def measure(probability: Floats, happened: Bools, *, threshold: float) -> dict[str, float | int | None]:
    """All metrics of one candidate on one window; a rate with denominator 0 is None."""
    flagged = probability >= threshold
    hits, alarms = int((flagged & happened).sum()), int((flagged & ~happened).sum())
    missed, quiet = int((~flagged & happened).sum()), int((~flagged & ~happened).sum())
    rows = len(happened)
    precision = hits / (hits + alarms) if hits + alarms else None
    recall = hits / (hits + missed) if hits + missed else None
    found = {
        "auc": auc(probability, happened),
        "pr_auc": average_precision(probability, happened),
        "brier": brier(probability, happened) if rows else float("nan"),
        "log_loss": log_loss(probability, happened) if rows else float("nan"),
        "ece": calibration_error(probability, happened),
    }
    return {
        "customers": rows,
        "churned": int(happened.sum()),
        **{name: None if np.isnan(value) else value for name, value in found.items()},
        "threshold": threshold,
        "accuracy": (hits + quiet) / rows if rows else None,
        "precision": precision,
        "recall": recall,
        "f1": 2.0 * hits / (2 * hits + alarms + missed) if 2 * hits + alarms + missed else None,
        "true_positives": hits,
        "false_positives": alarms,
        "false_negatives": missed,
        "true_negatives": quiet,
    }
