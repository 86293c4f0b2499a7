"""Value at the promotion gate: what a model's error is on an anchor's latest backtest window."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from include.models.firm import FirmSettings
from include.models.gate import Contender
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import backtest as ltv_backtest
from include.models.ltv import candidates
from include.models.ltv import worth as ltv_worth

ERROR = "error"


def version_of(model: pa.Table) -> str:
    """The version of a model."""
    version: str = ltv_artefact.read(model)["version"]
    return version


def window_of(histories: pa.Table) -> ltv_backtest.Window | None:
    """The latest window of value_histories whose outcome is known."""
    tested = [window for window in ltv_backtest.windows_of(histories) if window.horizon_days]
    return tested[-1] if tested else None


def cutoff_of(histories: pa.Table) -> date | None:
    """The day on which that window begins."""
    window = window_of(histories)
    return None if window is None else window.cutoff


def contender(model: pa.Table, histories: pa.Table, *, anchor: date, firm: FirmSettings) -> Contender:
    """A model at the gate of ``anchor``: its own by the backtest, an earlier one by valuing the window."""
    parts = ltv_artefact.read(model)
    header = parts["header"]
    own = date.fromisoformat(header["anchor"])
    is_sound = bool(header["is_sufficient"])
    window = window_of(histories)
    error = None
    if is_sound and window is not None:
        error = _backtest_error(parts, window) if own == anchor else _error_on(parts, window, own, firm)
    return Contender(own, parts["version"], header["method"], is_sound, False, error)


def _backtest_error(parts: dict[str, Any], window: ltv_backtest.Window) -> float | None:
    for row in parts["backtest"]:
        if row["candidate"] == parts["header"]["method"] and row["cutoff"] == window.cutoff.isoformat():
            error: float = row["metrics"]["error"]
            return error
    return None


def _error_on(
    parts: dict[str, Any], window: ltv_backtest.Window, own: date, firm: FirmSettings
) -> float | None:
    worth = ltv_worth.from_parts(parts)
    is_of_another_length = worth.horizon_days != window.horizon_days
    if window.cutoff < own or (worth.method == candidates.TREES and is_of_another_length):
        return None  # it has seen some of this window, or its trees learned windows of another length
    worth = worth._replace(horizon_days=window.horizon_days)
    found = ltv_worth.expected(window.rows, worth, annual_discount_rate=firm.ltv.annual_discount_rate)
    expected = found.spend["horizon"]
    if np.isnan(expected).any():
        return None
    return float(ltv_backtest.losses(expected, candidates.floats(window.rows, "holdout_spend")).mean())
