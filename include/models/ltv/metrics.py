"""Runner-up of the backtest and drift reference, stored with a value model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from include.models import drift, season
from include.models.firm import FirmSettings
from include.models.ltv import candidates
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv.value_model import ValueModel
from include.models.ltv.windows import Window
from include.models.purchases.likelihood import Floats

SCORE = "predicted_clv_1_year"
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


def reference(
    now: pa.Table, past: Sequence[Window], model: ValueModel, *, firm: FirmSettings, as_of: date
) -> dict[str, Any]:
    """Drift reference: features and predicted value of a year, at the training date and by season before.

    Of each window of ``past`` its customers are valued as if they were scored in the same season a year on.
    """

    def predicted(rows: pa.Table, day: date) -> Floats:
        rate = firm.ltv.annual_discount_rate
        found = ltv_prediction.expected(rows, model, annual_discount_rate=rate, as_of=day)
        return found.values["1_year"]

    cutoffs = []
    for cutoff, rows in {w.cutoff: w.rows for w in past if drift.is_of_last_year(w.cutoff, as_of)}.items():
        some = drift.sample(rows)
        values = {name: candidates.floats(some, name) for name in DRIFT_FEATURES}
        values[SCORE] = predicted(some, max(cutoff + season.YEAR, as_of))
        cutoffs.append(drift.Cutoff(cutoff, values))
    return drift.reference(
        {name: candidates.floats(now, name) for name in DRIFT_FEATURES},
        score={SCORE: predicted(now, as_of)},
        anchor=as_of,
        past=cutoffs,
    )
