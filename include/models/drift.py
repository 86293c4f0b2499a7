"""Drift: compare the customers a model scores with those it was trained on.

The population stability index (PSI) sums (p - q) ln(p / q) over bins: p is the share in training, q the share
now. Each bin holds a tenth of the training customers; unknown values have their own bin. By convention, under
0.1 is no change and over 0.25 is a different population.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SHIFTED = 0.25
BINS = 10
MIN_SHARE = 1e-4  # avoids an infinite PSI for an empty bin

Numbers = NDArray[Any]


def reference(features: Mapping[str, Numbers], *, score: Mapping[str, Numbers | None]) -> dict[str, Any]:
    """Bin edges and shares of each feature and score, computed at training and stored with the model."""
    known = {name: values for name, values in {**features, **score}.items() if values is not None}
    variables = {}
    for name, values in known.items():
        edges = _edges(values)
        variables[name] = {
            "edges": edges.tolist(),
            "shares": (_count(values, edges) / max(len(values), 1)).tolist(),
        }
    rows = max((len(values) for values in known.values()), default=0)
    return {"customers": rows, "scores": sorted(set(score) & set(known)), "variables": variables}


class Tally:
    """Counts of scored customers in the bins of a model's reference, batch by batch."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        """Start with empty counts; ``kept`` is a result of ``reference``."""
        self._kept = kept
        self._counts: dict[str, Numbers] = {}

    def add(self, *batches: pa.RecordBatch) -> None:
        """Count batches: features, and the predictions made from them."""
        for name, variable in self._kept["variables"].items():
            for batch in batches:
                if name in batch.schema.names:
                    counts = _count(_values(batch, name), np.array(variable["edges"]))
                    self._counts[name] = self._counts.get(name, 0) + counts
                    break

    def rows(self) -> list[dict[str, Any]]:
        """One row per variable: its PSI, and the number of customers then and now."""
        return [
            {
                "variable_name": name,
                "is_score": name in self._kept["scores"],
                "psi": psi(np.array(self._kept["variables"][name]["shares"]), counts),
                "training_customers": self._kept["customers"],
                "customers": int(counts.sum()),
            }
            for name, counts in sorted(self._counts.items())
            if counts.sum()
        ]


def psi(shares: Numbers, counts: Numbers) -> float:
    """Population stability index of the counts now against the shares in training, one element per bin."""
    then = np.maximum(shares, MIN_SHARE)
    now = np.maximum(counts / max(float(counts.sum()), 1.0), MIN_SHARE)
    return float(np.sum((then - now) * np.log(then / now)))


def message(rows: list[dict[str, Any]]) -> str:
    """One sentence that names the three most shifted variables; empty if no PSI exceeds ``SHIFTED``."""
    shifted = sorted((row for row in rows if row["psi"] > SHIFTED), key=lambda row: -row["psi"])
    if not shifted:
        return ""
    named = ", ".join(f"{row['variable_name']} {row['psi']:.2f}" for row in shifted[:3])
    return f"drift: the scored customers differ from the training customers (PSI of {named})"


def _edges(values: Numbers) -> Numbers:
    known = values[~np.isnan(values)].astype(np.float32)
    if not len(known):
        return np.zeros(0, dtype=np.float32)
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower"))


def _count(values: Numbers, edges: Numbers) -> Numbers:
    """Customers per bin; the last bin counts unknown values."""
    at = np.searchsorted(edges.astype(np.float32), values.astype(np.float32), side="left")
    at[np.isnan(values)] = len(edges) + 1
    return np.bincount(at, minlength=len(edges) + 2)


def _values(batch: pa.RecordBatch, name: str) -> Numbers:
    column = batch.column(name)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    found: Numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found
