"""Drift: how far the customers that a model scores lie from those it was trained on.

The population stability index (PSI) sums (p - q) ln(p / q) over bins that hold a tenth of the training
customers each, p the share then and q the share now; what is unknown is a bin of its own. By custom, under
0.1 nothing has moved, over 0.25 it is another population.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SHIFTED = 0.25
BINS = 10
LEAST_SHARE = 1e-4  # an empty bin would cost infinity

Numbers = NDArray[Any]


def reference(features: Mapping[str, Numbers], *, score: Mapping[str, Numbers | None]) -> dict[str, Any]:
    """What a model keeps of its training customers: edges and shares of each feature and of the score."""
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
    """Counts of customers scored, batch by batch, in a model's own bins."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        """Begin with nobody; ``kept`` is what ``reference`` gave."""
        self._kept = kept
        self._counts: dict[str, Numbers] = {}

    def add(self, *batches: pa.RecordBatch) -> None:
        """Count a batch of features and the batch of predictions made from it."""
        for name, variable in self._kept["variables"].items():
            for batch in batches:
                if name in batch.schema.names:
                    counts = _count(_values(batch, name), np.array(variable["edges"]))
                    self._counts[name] = self._counts.get(name, 0) + counts
                    break

    def rows(self) -> list[dict[str, Any]]:
        """One row per variable: its PSI, and how many customers it compares."""
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
    """Population stability index of counts now against shares then."""
    then = np.maximum(shares, LEAST_SHARE)
    now = np.maximum(counts / max(float(counts.sum()), 1.0), LEAST_SHARE)
    return float(np.sum((then - now) * np.log(then / now)))


def said(rows: list[dict[str, Any]]) -> str:
    """What a person should hear of it; nothing where nothing has shifted."""
    shifted = sorted((row for row in rows if row["psi"] > SHIFTED), key=lambda row: -row["psi"])
    if not shifted:
        return ""
    named = ", ".join(f"{row['variable_name']} {row['psi']:.2f}" for row in shifted[:3])
    return f"drift: the customers are others than those trained on (PSI of {named})"


def _edges(values: Numbers) -> Numbers:
    known = values[~np.isnan(values)].astype(np.float32)
    if not len(known):
        return np.zeros(0, dtype=np.float32)
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower"))


def _count(values: Numbers, edges: Numbers) -> Numbers:
    """Customers per bin; the last one holds those whose value is unknown."""
    at = np.searchsorted(edges.astype(np.float32), values.astype(np.float32), side="left")
    at[np.isnan(values)] = len(edges) + 1
    return np.bincount(at, minlength=len(edges) + 2)


def _values(batch: pa.RecordBatch, name: str) -> Numbers:
    column = batch.column(name)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    found: Numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found
