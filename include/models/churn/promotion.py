"""Churn at the promotion gate: what a model's Brier score is on an anchor's evaluation window."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from include.models.churn import artefact as churn_artefact
from include.models.churn import evaluation
from include.models.churn import model as churn
from include.models.churn import training as churn_training
from include.models.firm import FirmSettings
from include.models.gate import Contender

ERROR = "Brier score"


def version_of(model: pa.Table) -> str:
    """The version of a model."""
    version: str = churn_artefact.read(model)["version"]
    return version


def window_of(training: pa.Table) -> churn_training.Window | None:
    """The evaluation window of churn_training: the last one."""
    windows = churn_training.windows_of(training)
    return windows[-1] if windows else None


def cutoff_of(training: pa.Table) -> date | None:
    """The day on which that window begins."""
    window = window_of(training)
    return None if window is None else window.cutoff


def contender(model: pa.Table, training: pa.Table, *, anchor: date, firm: FirmSettings) -> Contender:
    """A model at the gate of ``anchor``: its own by the trial, an earlier one by scoring the window."""
    parts = churn_artefact.read(model)
    header = parts["header"]
    own = date.fromisoformat(header["anchor"])
    is_sound = bool(header["is_sufficient"])
    canaries = parts.get("sentinel", [])
    error = None
    if is_sound:
        error = _trial_error(parts) if own == anchor else _error_on(model, training, own=own, firm=firm)
    return Contender(
        own,
        parts["version"],
        header["method"],
        is_sound,
        not all(canary["passed"] for canary in canaries),
        error,
    )


def _trial_error(parts: dict[str, Any]) -> float | None:
    for row in parts.get("metrics", []):
        if row["is_champion"] and row["population"] == "all":
            error: float = row["brier"]
            return error
    return None


def _error_on(model: pa.Table, training: pa.Table, *, own: date, firm: FirmSettings) -> float | None:
    window = window_of(training)
    if window is None or window.cutoff < own:
        return None  # it has seen some of this window
    params = churn.prepare(model, firm=firm, as_of=window.cutoff)
    probability = churn.probability_of(window.rows, params, horizon_days=firm.churn_threshold_days)
    return None if probability is None else evaluation.brier(probability, window.churned)
