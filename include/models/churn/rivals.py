"""The simpler candidates that the churn trees must beat: recency alone, and BG/NBD's own probability.

``1 - P(alive)`` is no churn score (a one-time buyer is alive by definition in BG/NBD); the probability of
no purchase within the threshold is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from include.models.churn import calibration
from include.models.churn.trees import column_values
from include.models.purchases import bgnbd, likelihood
from include.models.purchases import model as purchases

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_OFF_THE_EDGE = 1e-6


class BgNbd(NamedTuple):
    """A fitted BG/NBD and the curve that takes its log-odds to what was seen."""

    model: bgnbd.BgNbd
    curve: calibration.Platt

    def probability(self, features: pa.Table | pa.RecordBatch, *, horizon_days: int) -> Floats:
        """P(no purchase in the next ``horizon_days``), calibrated."""
        return self.curve(special.logit(raw(self.model, features, horizon_days=horizon_days)))


def fit_bgnbd(features: pa.Table, churned: Bools, *, horizon_days: int) -> BgNbd | None:
    """Fit on the purchase histories of one window, calibrate on its labels; None when no fit is found."""
    x, t_x, T = _histories(features)
    try:
        model = bgnbd.fit(likelihood.group(x, t_x, T))
    except (ValueError, FloatingPointError):
        return None
    if not model.is_converged:
        return None
    score = special.logit(raw(model, features, horizon_days=horizon_days))
    return BgNbd(model, calibration.fit_platt(score, churned))


def raw(model: bgnbd.BgNbd, features: pa.Table | pa.RecordBatch, *, horizon_days: int) -> Floats:
    """P(no purchase in the next ``horizon_days``) as BG/NBD has it, kept off 0 and 1."""
    x, t_x, T = (values.astype(np.float64) for values in _histories(features))
    weeks = likelihood.DAYS_PER_WEEK
    found = purchases.none(model, x, t_x / weeks, T / weeks, horizon_days=horizon_days)
    return np.clip(found, _OFF_THE_EDGE, 1.0 - _OFF_THE_EDGE)


def fit_recency(features: pa.Table, churned: Bools) -> calibration.Steps:
    """Churn as a rising curve of the days since the last order."""
    return calibration.fit_steps(_silence(features), churned)


def recency(curve: calibration.Steps, features: pa.Table | pa.RecordBatch) -> Floats:
    """Probability by days since the last order."""
    return curve(_silence(features))


def to_json(fitted: BgNbd | None) -> dict[str, Any] | None:
    """What the artefact keeps of a BG/NBD."""
    return None if fitted is None else {"row": fitted.model.to_row(), "curve": list(fitted.curve)}


def from_json(kept: dict[str, Any]) -> BgNbd:
    """Read ``to_json`` back."""
    return BgNbd(bgnbd.BgNbd.from_row(kept["row"]), calibration.Platt(*kept["curve"]))


def _histories(features: pa.Table | pa.RecordBatch) -> tuple[NDArray[np.int64], ...]:
    return tuple(
        column_values(features, name).astype(np.int64) for name in ("frequency", "recency_days", "age_days")
    )


def _silence(features: pa.Table | pa.RecordBatch) -> Floats:
    return column_values(features, "days_since_last_order").astype(np.float64)
