"""Drift reference of a churn model: its customers at the last cutoff, and by season in the year before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models import drift, season
from include.models.churn.training import Window
from include.models.churn.trees import column_values

Floats = NDArray[np.float64]
SCORE = "churn_probability"
FEATURES = 15  # those with the largest mean contribution


def reference(
    windows: Sequence[Window],
    importances: Sequence[Mapping[str, Any]],
    probability: Callable[[pa.Table, date], Floats | None],
    *,
    anchor: date,
) -> dict[str, Any]:
    """Reference of the probability and the most important features; ``probability`` scores rows as of a day.

    The customers of a past cutoff are scored as if they were in the same season a year on.
    """
    ranked = sorted(importances, key=lambda row: (-row["mean_contribution"], row["feature"]))
    features = [row["feature"] for row in ranked[:FEATURES]]

    def values(rows: pa.Table, day: date) -> dict[str, Any]:
        return {**{name: column_values(rows, name) for name in features}, SCORE: probability(rows, day)}

    past = [
        drift.Cutoff(
            window.cutoff, values(drift.sample(window.rows), max(window.cutoff + season.YEAR, anchor))
        )
        for window in windows
        if drift.is_of_last_year(window.cutoff, anchor)
    ]
    last = windows[-1]
    now = values(last.rows, last.cutoff)
    score = {SCORE: now.pop(SCORE)}
    return drift.reference(now, score=score, anchor=anchor, past=past)
