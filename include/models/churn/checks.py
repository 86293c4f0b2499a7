"""What the leak sentinel saw in a churn training, as rows: one per canary."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pyarrow as pa

from include.models.churn import artefact as churn_artefact

_SCHEMA = pa.schema(
    [
        ("model_version", pa.string()),
        ("check_name", pa.string()),
        ("observed", pa.float64()),
        ("allowed", pa.float64()),
        ("passed", pa.bool_()),
        ("message", pa.string()),
    ]
)


def fit(model: pa.Table, *, firm: Any, as_of: date) -> pa.Table:
    """Rows of churn_checks from churn_model; none where nothing was trained."""
    del firm, as_of
    parts = churn_artefact.read(model)
    rows = [
        {
            "model_version": parts["version"],
            "check_name": row["check"],
            "observed": None if math.isnan(row["observed"]) else row["observed"],
            "allowed": row["allowed"],
            "passed": row["passed"],
            "message": row["message"],
        }
        for row in sorted(parts.get("sentinel", []), key=lambda row: row["check"])
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
