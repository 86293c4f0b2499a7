"""The numbers that led to a value model, as rows: one per candidate, backtest window and metric."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from include.models.ltv import artefact as ltv_artefact

_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("model_version", "candidate"), pa.string()),
        "is_champion": pa.bool_(),
        "cutoff": pa.date32(),
        "horizon_days": pa.int32(),
        "customers": pa.int64(),
        "metric": pa.string(),
        "measured": pa.float64(),
    }
)


def fit(model: pa.Table, *, firm: Any, as_of: date) -> pa.Table:
    """Rows of value_backtest from value_model; none where nothing could be held out."""
    del firm, as_of
    parts = ltv_artefact.read(model)
    champion = parts["header"]["method"]
    rows = [
        {
            "model_version": parts["version"],
            "candidate": window["candidate"],
            "is_champion": window["candidate"] == champion,
            "cutoff": date.fromisoformat(window["cutoff"]),
            "horizon_days": window["horizon_days"],
            "customers": window["customers"],
            "metric": metric,
            "measured": found,
        }
        for window in sorted(parts["backtest"], key=lambda window: (window["candidate"], window["cutoff"]))
        for metric, found in sorted(window["metrics"].items())
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
