"""Churn score by rules, for firms with too little training data: seven weighted signals, 0 to 100.

Each signal is a smooth, increasing function from 0 to 1: one more day never makes a jump, and a longer time
without an order never lowers the score. The score ranks customers. It is not a probability, but where the
outcome of one past window is known its mean equals the churn rate of that window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.churn.trees import column_values

Floats = NDArray[np.float64]


class Signal(NamedTuple):
    """One signal: its factor code and its weight; the weights add up to 1."""

    code: str
    weight: float


SIGNALS = {
    "overdue": Signal("overdue", 0.30),
    "silence": Signal("long_silence", 0.30),
    "orders": Signal("falling_orders", 0.12),
    "spend": Signal("falling_spend", 0.08),
    "one_time": Signal("short_history", 0.08),
    "engagement": Signal("low_engagement", 0.07),
    "returns": Signal("returns", 0.05),
}
MIN_WEIGHT = 0.02


def signals(features: pa.Table | pa.RecordBatch, *, horizon_days: int) -> dict[str, Floats]:
    """Signals by name, one element per customer of customer_features, each in [0, 1].

    ``overdue``: days since the last order against the customer's mean gap (half the threshold for a one-time
    buyer), 0.5 at one gap. ``silence``: the same against the churn threshold, 0.5 at the threshold.
    ``orders``, ``spend``: shortfall of the last 90 days against the customer's own rate. ``returns``: returns
    per order.
    """
    silent, gap, age = (
        _values(features, n) for n in ("days_since_last_order", "avg_days_between_orders", "age_days")
    )
    usual = np.where(np.isnan(gap), horizon_days / 2.0, np.maximum(gap, 1.0))
    once = _values(features, "is_one_timer")
    # A rate needs some history: the weight rises from 0 at 90 days of age to 1 at 180.
    known = np.clip(age / 90.0 - 1.0, 0.0, 1.0) * (1.0 - once)
    recent = _share(_values(features, "total_spend_90_days"), _values(features, "total_spend"), age)
    return {
        "overdue": 1.0 - np.exp2(-silent / usual),
        "silence": silent / (silent + horizon_days),
        "orders": known * np.clip(1.0 - _values(features, "order_pace_90_of_lifetime"), 0.0, 1.0),
        "spend": known * np.clip(1.0 - recent, 0.0, 1.0),
        "one_time": once,
        "engagement": np.clip(1.0 - _values(features, "engagement_score") / 100.0, 0.0, 1.0),
        "returns": np.clip(np.nan_to_num(_values(features, "return_rate")), 0.0, 1.0),
    }


def score(found: dict[str, Floats]) -> Floats:
    """Weighted sum of the signals, 0 to 100, one element per customer."""
    weighted = [SIGNALS[name].weight * values for name, values in found.items()]
    return 100.0 * np.sum(weighted, axis=0)


class Scale(NamedTuple):
    """Power that brings the mean score of a known window to its churn rate; the order of customers stays."""

    power: float
    churn_rate: float

    def __call__(self, score: Floats) -> Floats:
        """Scaled scores, 0 to 100."""
        scaled: Floats = 100.0 * np.power(np.clip(score / 100.0, 0.0, 1.0), self.power)
        return scaled


def scale_of(score: Floats, churned: NDArray[np.bool_]) -> Scale:
    """The scale of a known window, by bisection; add-one smoothing keeps the rate off 0 and 1."""
    rate = (float(churned.sum()) + 1.0) / (len(churned) + 2.0)
    share = np.clip(score / 100.0, 1e-9, 1.0)
    low, high = np.log(1e-4), np.log(1e4)
    for _ in range(60):
        middle = (low + high) / 2
        if float(np.power(share, np.exp(middle)).mean()) > rate:
            low = middle
        else:
            high = middle
    return Scale(float(np.exp((low + high) / 2)), rate)


def contributions(found: dict[str, Floats]) -> tuple[list[str], Floats]:
    """Factor codes, and their contributions to the score, shape (customers, codes); small ones are 0."""
    weighted = np.stack([SIGNALS[name].weight * values for name, values in found.items()], axis=1)
    weighted[weighted < MIN_WEIGHT] = 0.0
    return [SIGNALS[name].code for name in found], weighted


def _share(recent: Floats, whole: Floats, age: Floats) -> Floats:
    """Spend per day of the last 90 days over that of the lifetime; 1 without spend."""
    pace = recent / np.minimum(90.0, age)
    lifetime = whole / age
    return np.where(lifetime > 0, pace / np.where(lifetime > 0, lifetime, 1.0), 1.0)


def _values(features: pa.Table | pa.RecordBatch, name: str) -> Floats:
    return column_values(features, name).astype(np.float64)
