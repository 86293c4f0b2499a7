"""What is kept of a value model's training beside the model: its challenger, and who it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from include.models import drift
from include.models.firm import FirmSettings
from include.models.ltv import candidates
from include.models.ltv import worth as ltv_worth
from include.models.ltv.worth import Worth

WATCHED = (
    *("frequency", "recency_days", "age_days", "days_since_last_order", "order_count", "order_count_90_days"),
    *("mean_repeat_spend", "avg_order_value", "total_spend_365_days"),
)


def challenger_of(backtest: Sequence[dict[str, Any]], *, champion: str) -> str | None:
    """The candidate of lowest mean error over its windows but the champion."""
    errors: dict[str, list[float]] = {}
    for window in backtest:
        if window["candidate"] != champion:
            errors.setdefault(window["candidate"], []).append(window["metrics"]["error"])
    return min(errors, key=lambda name: (float(np.mean(errors[name])), name), default=None)


def reference(now: pa.Table, worth: Worth, *, firm: FirmSettings) -> dict[str, Any]:
    """The customers at the anchor, by which drift is told: their value, and what it hangs on."""
    found = ltv_worth.expected(now, worth, annual_discount_rate=firm.ltv.annual_discount_rate)
    values = {name: candidates.floats(now, name) for name in WATCHED}
    return drift.reference(values, score={"predicted_clv_1_year": found.values["1_year"]})
