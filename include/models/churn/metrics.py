"""The numbers that led to a churn model, as rows: one per candidate and population."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from include.models.churn import artefact as churn_artefact

_TYPES = {
    **dict.fromkeys(("model_version", "candidate", "population"), pa.string()),
    "is_champion": pa.bool_(),
    "cutoff": pa.date32(),
    "horizon_days": pa.int32(),
    **dict.fromkeys(("customers", "churned"), pa.int64()),
    **dict.fromkeys(("auc", "pr_auc", "brier", "log_loss", "ece", "threshold"), pa.float64()),
    **dict.fromkeys(("accuracy", "precision", "recall", "f1"), pa.float64()),
    **dict.fromkeys(("true_positives", "false_positives", "false_negatives", "true_negatives"), pa.int64()),
}


def fit(model: pa.Table, *, firm: Any, as_of: date) -> pa.Table:
    """Rows of churn_metrics from churn_model; none where no candidate was tried."""
    del firm, as_of
    parts = churn_artefact.read(model)
    rows = [
        {
            **row,
            "model_version": parts["version"],
            "horizon_days": parts["header"]["horizon_days"],
            "cutoff": date.fromisoformat(row["cutoff"]),
        }
        for row in sorted(parts.get("metrics", []), key=lambda row: (row["candidate"], row["population"]))
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(_TYPES.items())))
