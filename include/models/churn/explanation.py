"""Contributions of each reason to the score that is shown, by the method that scores.

Trees: TreeSHAP values summed by factor. BG/NBD and recency have few inputs, so a reason's contribution is the
difference of log-odds between the customer and the same customer just after an order.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from include.models.churn import baselines, calibration
from include.models.churn.baselines import BgNbd
from include.models.churn.trees import column_values

Floats = NDArray[np.float64]
Factors = tuple[list[str], Floats]
_CLIP = 1e-6


def of_bgnbd(rows: pa.Table | pa.RecordBatch, fitted: BgNbd, *, horizon_days: int, is_raw: bool) -> Factors:
    """Silence against the customer's own rhythm, and how seldom, or only once, the customer bought."""
    now = _log_odds(baselines.probability(fitted, rows, horizon_days=horizon_days, is_raw=is_raw))
    age = np.asarray(rows.column("age_days"))
    once = column_values(rows, "frequency") == 0
    fresh_rows = pa.table(
        {"frequency": rows.column("frequency"), "recency_days": age, "age_days": rows.column("age_days")}
    )
    fresh = _log_odds(baselines.probability(fitted, fresh_rows, horizon_days=horizon_days, is_raw=is_raw))
    seldom = np.maximum(fresh, 0.0)
    columns = [now - fresh, np.where(once, 0.0, seldom), np.where(once, seldom, 0.0)]
    return ["overdue", "few_orders", "short_history"], np.stack(columns, axis=1)


def of_recency(rows: pa.Table | pa.RecordBatch, curve: calibration.IsotonicCurve) -> Factors:
    """The days since the last order are the only reason."""
    now = _log_odds(baselines.recency(curve, rows))
    fresh = _log_odds(curve(np.zeros(rows.num_rows)))
    return ["long_silence"], (now - fresh)[:, None]


def _log_odds(probability: Floats) -> Floats:
    found: Floats = special.logit(np.clip(probability, _CLIP, 1.0 - _CLIP))
    return found
