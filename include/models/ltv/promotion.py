"""Error of a value model on the latest backtest window before an anchor, for the promotion decision."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from include.models.firm import FirmSettings
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import candidates, fitting
from include.models.ltv import losses as ltv_losses
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv import value_model as ltv_value_model
from include.models.ltv.windows import Past, Window, windows_of
from include.models.promotion import Candidate

ERROR = "error"


def version_of(model: pa.Table) -> str:
    """Version of a model: module, training date and hash of its parts."""
    version: str = ltv_artefact.read(model)["version"]
    return version


def window_of(histories: pa.Table) -> Window | None:
    """The latest window of the main horizon with known spend; None without one."""
    past = Past(windows_of(histories))
    tested = past.of(fitting.main_horizon(past))
    return tested[-1] if tested else None


def cutoff_of(histories: pa.Table) -> date | None:
    """First day of that window."""
    window = window_of(histories)
    return None if window is None else window.cutoff


def candidate(model: pa.Table, histories: pa.Table, *, anchor: date, firm: FirmSettings) -> Candidate:
    """A model as promotion candidate at ``anchor``.

    The anchor's own model is measured by its backtest, an earlier model by predicting the window.
    """
    parts = ltv_artefact.read(model)
    header = parts["header"]
    trained_to = date.fromisoformat(header["anchor"])
    is_sound = bool(header["is_sufficient"])
    window = window_of(histories)
    error, spread = None, 0.0
    if is_sound and window is not None and trained_to == anchor:
        error = _backtest_error(parts, window)
    elif is_sound and window is not None:
        error, spread = _error_on(parts, window, trained_to, firm)
    return Candidate(trained_to, parts["version"], header["method"], is_sound, False, error, spread)


def _backtest_error(parts: dict[str, Any], window: Window) -> float | None:
    for row in parts["backtest"]:
        if row["candidate"] == parts["header"]["method"] and row["cutoff"] == window.cutoff.isoformat():
            error: float = row["metrics"]["error"]
            return error
    return None


def _error_on(
    parts: dict[str, Any], window: Window, trained_to: date, firm: FirmSettings
) -> tuple[float | None, float]:
    """Error on the window and its standard error."""
    model = ltv_value_model.from_parts(parts)
    has_other_horizon = window.horizon_days not in model.horizons
    if window.cutoff < trained_to or (model.method == candidates.TREES and has_other_horizon):
        return None, 0.0  # trained on part of this window, or trees trained for another horizon
    model = model._replace(horizon_days=window.horizon_days)
    found = ltv_prediction.expected(
        window.rows, model, annual_discount_rate=firm.ltv.annual_discount_rate, as_of=window.cutoff
    )
    expected = found.spend["horizon"]
    if np.isnan(expected).any():
        return None, 0.0
    losses = ltv_losses.losses(expected, candidates.floats(window.rows, "holdout_spend"))
    return float(losses.mean()), float(losses.std() / np.sqrt(len(losses)))
