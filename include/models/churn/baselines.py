"""Baselines that the churn trees must beat: a curve of recency, and BG/NBD's probability of no purchase.

``1 - P(alive)`` is not a churn score: BG/NBD defines a one-time buyer as alive. The probability of no
purchase within the churn threshold is used instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from include.models.churn import calibration
from include.models.churn.trees import column_values
from include.models.purchases import bgnbd, likelihood, mbgnbd, paretonbd
from include.models.purchases import model as purchases
from include.models.purchases.model import PurchaseModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_MIN_PROBABILITY = 1e-6


class BgNbd(NamedTuple):
    """A fitted BG/NBD (or Pareto/NBD) model and the Platt curve that calibrates its log-odds."""

    model: PurchaseModel
    curve: calibration.Platt

    def probability(self, features: pa.Table | pa.RecordBatch, *, horizon_days: int) -> Floats:
        """Calibrated P(no purchase in the next ``horizon_days``), one element per customer."""
        return self.curve(special.logit(uncalibrated(self.model, features, horizon_days=horizon_days)))


def probability(
    fitted: BgNbd, features: pa.Table | pa.RecordBatch, *, horizon_days: int, is_raw: bool
) -> Floats:
    """P(no purchase in the next ``horizon_days``): the model's own (``is_raw``), or calibrated."""
    if is_raw:
        return uncalibrated(fitted.model, features, horizon_days=horizon_days)
    return fitted.probability(features, horizon_days=horizon_days)


def fit_paretonbd(features: pa.Table) -> BgNbd | None:
    """Pareto/NBD of one window's purchase histories, without a curve; None without convergence."""
    try:
        model = paretonbd.fit(likelihood.group(*_histories(features)))
    except (ValueError, FloatingPointError):
        return None
    return BgNbd(model, calibration.AS_TRAINED) if model.is_converged else None


def fit_next_order(features: pa.Table) -> mbgnbd.MbgNbd | None:
    """MBG/NBD of one window's purchase histories, for the date of the next order; None if it fails."""
    try:
        model = mbgnbd.fit(likelihood.group(*_histories(features)))
    except (ValueError, FloatingPointError):
        return None
    return model if model.is_converged else None


def weeks(features: pa.Table | pa.RecordBatch) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T; times in weeks."""
    x, t_x, T = (values.astype(np.float64) for values in _histories(features))
    return x, t_x / likelihood.DAYS_PER_WEEK, T / likelihood.DAYS_PER_WEEK


def fit_bgnbd(features: pa.Table, churned: Bools, *, horizon_days: int) -> BgNbd | None:
    """Fit on the purchase histories of one window, calibrate on its labels; None without convergence."""
    x, t_x, T = _histories(features)
    try:
        model = bgnbd.fit(likelihood.group(x, t_x, T))
    except (ValueError, FloatingPointError):
        return None
    if not model.is_converged:
        return None
    score = special.logit(uncalibrated(model, features, horizon_days=horizon_days))
    return BgNbd(model, calibration.fit_platt(score, churned))


def uncalibrated(model: PurchaseModel, features: pa.Table | pa.RecordBatch, *, horizon_days: int) -> Floats:
    """The model's P(no purchase in the next ``horizon_days``), clipped away from 0 and 1."""
    found = purchases.none(model, *weeks(features), horizon_days=horizon_days)
    return np.clip(found, _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY)


def fit_recency(features: pa.Table, churned: Bools) -> calibration.IsotonicCurve:
    """Fit the churn rate as an isotonic curve of the days since the last order."""
    return calibration.fit_isotonic(_silence(features), churned)


def recency(curve: calibration.IsotonicCurve, features: pa.Table | pa.RecordBatch) -> Floats:
    """Churn probability by days since the last order, one element per customer."""
    return curve(_silence(features))


def to_json(fitted: BgNbd | None) -> dict[str, Any] | None:
    """JSON of a fitted baseline, as stored in the artefact."""
    return None if fitted is None else {"row": fitted.model.to_row(), "curve": list(fitted.curve)}


def from_json(kept: dict[str, Any]) -> BgNbd:
    """Inverse of ``to_json``."""
    row = kept["row"]
    kind = paretonbd.ParetoNbd if row["model"] == "paretonbd" else bgnbd.BgNbd
    return BgNbd(kind.from_row(row), calibration.Platt(*kept["curve"]))


def _histories(features: pa.Table | pa.RecordBatch) -> tuple[NDArray[np.int64], ...]:
    return tuple(
        column_values(features, name).astype(np.int64) for name in ("frequency", "recency_days", "age_days")
    )


def _silence(features: pa.Table | pa.RecordBatch) -> Floats:
    return column_values(features, "days_since_last_order").astype(np.float64)
