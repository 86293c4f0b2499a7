"""Runner-up of the backtest and drift reference, stored with a value model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from include.models import drift
from include.models.firm import FirmSettings
from include.models.ltv import candidates
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv.value_model import ValueModel

DRIFT_FEATURES = (
    *("frequency", "recency_days", "age_days", "days_since_last_order", "order_count", "order_count_90_days"),
    *("mean_repeat_spend", "avg_order_value", "total_spend_365_days"),
)


def challenger_of(backtest: Sequence[dict[str, Any]], *, champion: str) -> str | None:
    """The candidate with the lowest mean error, the champion excluded; None without another candidate."""
    errors: dict[str, list[float]] = {}
    for window in backtest:
        if window["candidate"] != champion:
            errors.setdefault(window["candidate"], []).append(window["metrics"]["error"])
    return min(errors, key=lambda name: (float(np.mean(errors[name])), name), default=None)


def reference(now: pa.Table, model: ValueModel, *, firm: FirmSettings, as_of: date) -> dict[str, Any]:
    """Drift reference of the customers at the training date: features and predicted value of a year."""
    found = ltv_prediction.expected(
        now, model, annual_discount_rate=firm.ltv.annual_discount_rate, as_of=as_of
    )
    values = {name: candidates.floats(now, name) for name in DRIFT_FEATURES}
    return drift.reference(values, score={"predicted_clv_1_year": found.values["1_year"]})
