"""A churn score by rule, for firms with too little data to train on: seven signals, weighted, 0 to 100.

Each signal is a number from 0 to 1 that rises smoothly: one more day never makes a cliff, and a longer
silence never lowers the score. The score orders customers; it is no probability and is never shown as one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.churn.trees import column_values

Floats = NDArray[np.float64]


class Signal(NamedTuple):
    """One signal: the factor it speaks of and its weight; the weights add up to 1."""

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
LEAST_WEIGHT = 0.02


def signals(features: pa.RecordBatch, *, horizon_days: int) -> dict[str, Floats]:
    """Each signal of each customer, from customer_features, all in [0, 1].

    ``overdue``: silence against the customer's own mean gap (half the threshold for a one-time buyer), half
    at one gap. ``silence``: against the firm's threshold, half at the threshold. ``orders``, ``spend``: how
    far the last 90 days fall short of the own pace. ``returns``: returns per order.
    """
    silent, gap, age = (
        _values(features, n) for n in ("days_since_last_order", "avg_days_between_orders", "age_days")
    )
    usual = np.where(np.isnan(gap), horizon_days / 2.0, np.maximum(gap, 1.0))
    once = _values(features, "is_one_timer")
    # A pace needs some history: a customer of ten days has not slowed down yet.
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
    """The weighted signals, 0 to 100."""
    weighted = [SIGNALS[name].weight * values for name, values in found.items()]
    return 100.0 * np.sum(weighted, axis=0)


def contributions(found: dict[str, Floats]) -> tuple[list[str], Floats]:
    """Factor codes and what each adds to each customer's score, as (customers, codes); trifles are 0."""
    weighted = np.stack([SIGNALS[name].weight * values for name, values in found.items()], axis=1)
    weighted[weighted < LEAST_WEIGHT] = 0.0
    return [SIGNALS[name].code for name in found], weighted


def _share(recent: Floats, whole: Floats, age: Floats) -> Floats:
    """Spend a day in the last 90 days over that of a lifetime; 1 where nothing was spent."""
    pace = recent / np.minimum(90.0, age)
    lifetime = whole / age
    return np.where(lifetime > 0, pace / np.where(lifetime > 0, lifetime, 1.0), 1.0)


def _values(features: pa.RecordBatch, name: str) -> Floats:
    return column_values(features, name).astype(np.float64)
