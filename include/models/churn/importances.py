"""How much each feature is used by a churn model's trees, as rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from include.models.churn import artefact as churn_artefact
from include.models.churn.factors import code_of

_SCHEMA = pa.schema(
    [
        ("model_version", pa.string()),
        ("feature", pa.string()),
        ("factor", pa.string()),
        ("place", pa.int32()),
        ("gain", pa.float64()),
        ("splits", pa.int64()),
        ("mean_contribution", pa.float64()),
    ]
)


def fit(model: pa.Table, *, firm: Any, as_of: date) -> pa.Table:
    """Rows of churn_importances from churn_model; none where no trees were trained."""
    del firm, as_of
    parts = churn_artefact.read(model)
    ranked = sorted(parts.get("importances", []), key=lambda row: (-row["mean_contribution"], row["feature"]))
    rows = [
        {
            **row,
            "model_version": parts["version"],
            "factor": code_of(row["feature"]),
            "place": place,
        }
        for place, row in enumerate(ranked, start=1)
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["feature"]), schema=_SCHEMA)
