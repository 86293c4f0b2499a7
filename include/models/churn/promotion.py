"""Brier score of a churn model on the latest evaluation window before an anchor, for promotion."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from include.models.churn import artefact as churn_artefact
from include.models.churn import model as churn
from include.models.churn import training as churn_training
from include.models.firm import FirmSettings
from include.models.promotion import Candidate

ERROR = "Brier score"


def version_of(model: pa.Table) -> str:
    """Version of a model: module, training date and hash of its parts."""
    version: str = churn_artefact.read(model)["version"]
    return version


def window_of(training: pa.Table) -> churn_training.Window | None:
    """The evaluation window of churn_training: the last one; None without rows."""
    windows = churn_training.windows_of(training)
    return windows[-1] if windows else None


def cutoff_of(training: pa.Table) -> date | None:
    """First day of that window."""
    window = window_of(training)
    return None if window is None else window.cutoff


def candidate(model: pa.Table, training: pa.Table, *, anchor: date, firm: FirmSettings) -> Candidate:
    """A model as promotion candidate at ``anchor``.

    The anchor's model is measured by its backtest, an earlier model by scoring the window.
    """
    parts = churn_artefact.read(model)
    header = parts["header"]
    trained_to = date.fromisoformat(header["anchor"])
    is_sound = bool(header["is_sufficient"])
    checks = parts.get(churn_artefact.LEAKAGE_CHECKS, [])
    error, spread = None, 0.0
    if is_sound and trained_to == anchor:
        error = _backtest_error(parts)
    elif is_sound:
        error, spread = _error_on(model, training, trained_to=trained_to, firm=firm)
    return Candidate(
        trained_to,
        parts["version"],
        header["method"],
        is_sound,
        not all(check["passed"] for check in checks),
        error,
        spread,
    )


def _backtest_error(parts: dict[str, Any]) -> float | None:
    for row in parts.get("metrics", []):
        if row["is_champion"] and row["population"] == "all":
            error: float = row["brier"]
            return error
    return None


def _error_on(
    model: pa.Table, training: pa.Table, *, trained_to: date, firm: FirmSettings
) -> tuple[float | None, float]:
    """Brier score on the window and its standard error."""
    window = window_of(training)
    if window is None or window.cutoff < trained_to:
        return None, 0.0  # trained on part of this window
    params = churn.prepare(model, firm=firm, as_of=window.cutoff)
    probability = churn.probability_of(
        window.rows, params, horizon_days=firm.churn_threshold_days, as_of=window.cutoff
    )
    if probability is None:
        return None, 0.0
    losses = (probability - window.churned) ** 2
    return float(losses.mean()), float(losses.std() / np.sqrt(len(losses)))
