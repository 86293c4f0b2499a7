"""Drift: compare the customers a model scores with those it was trained on.

The population stability index (PSI) sums (p - q) ln(p / q) over bins: p is the share in training, q the share
now. Each bin holds a tenth of the training customers; unknown values have their own bin. By convention, under
0.1 is no change and over 0.25 is a different population.

Customers before Christmas differ from those in summer every year. So the shares of past cutoffs are kept too,
and customers are compared both with the last training window and with the same season a year before, whose
shares are interpolated between two cutoffs. The smaller of the two PSIs counts: a population that is usual in
this season has not drifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SHIFTED = 0.25
BINS = 10
MIN_SHARE = 1e-4  # avoids an infinite PSI for an empty bin
YEAR_DAYS, NEAR_DAYS = 365, 15
LONGEST_GAP = 125  # days between two cutoffs to interpolate between: a third of a year
MOST_CUSTOMERS = 5_000  # of a past cutoff

Numbers = NDArray[Any]


class Cutoff(NamedTuple):
    """Features and scores of the customers of a past cutoff, by name; each may be a sample."""

    cutoff: date
    values: Mapping[str, Numbers | None]


def reference(
    features: Mapping[str, Numbers],
    *,
    score: Mapping[str, Numbers | None],
    anchor: date | None = None,
    past: Sequence[Cutoff] = (),
) -> dict[str, Any]:
    """Bin edges and shares of each feature and score, computed at training and stored with the model.

    ``past`` are cutoffs of the year before the ``anchor``; each shows the same season a year later.
    """
    known = {name: values for name, values in {**features, **score}.items() if values is not None}
    seasons = sorted(past, key=lambda cutoff: _season_day(cutoff, anchor))
    variables = {}
    for name, values in known.items():
        edges = _edges(values)
        variables[name] = {
            "edges": edges.tolist(),
            "shares": (_count(values, edges) / max(len(values), 1)).tolist(),
            "seasons": [_shares(cutoff.values.get(name), edges) for cutoff in seasons],
        }
    rows = max((len(values) for values in known.values()), default=0)
    return {
        "customers": rows,
        "scores": sorted(set(score) & set(known)),
        "anchor": anchor.isoformat() if anchor else None,
        "season_days": [_season_day(cutoff, anchor) for cutoff in seasons],
        "variables": variables,
    }


def is_of_last_year(cutoff: date, anchor: date) -> bool:
    """Whether a cutoff shows a season of the year after the anchor."""
    return 0 < (anchor - cutoff).days <= YEAR_DAYS + NEAR_DAYS


def sample(rows: pa.Table) -> pa.Table:
    """Customers at equal steps, at most ``MOST_CUSTOMERS``."""
    return rows.take(np.arange(0, rows.num_rows, max(-(-rows.num_rows // MOST_CUSTOMERS), 1)))


def _season_day(past: Cutoff, anchor: date | None) -> int:
    """Days from the anchor to the same season a year or more after the cutoff, below a year."""
    return (past.cutoff - anchor).days % YEAR_DAYS if anchor else 0


def _shares(values: Numbers | None, edges: Numbers) -> list[float] | None:
    if values is None or not len(values):
        return None
    return [round(share, 5) for share in (_count(values, edges) / len(values)).tolist()]


class Tally:
    """Counts of scored customers in the bins of a model's reference, batch by batch."""

    def __init__(self, kept: Mapping[str, Any], *, as_of: date | None = None) -> None:
        """Start with empty counts; ``kept`` is a result of ``reference``, of this or an earlier version."""
        self._kept = kept
        anchor = kept.get("anchor")
        self._day = (as_of - date.fromisoformat(anchor)).days if anchor and as_of else None
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
                "psi": self._psi(self._kept["variables"][name], counts),
                "training_customers": self._kept["customers"],
                "customers": int(counts.sum()),
            }
            for name, counts in sorted(self._counts.items())
            if counts.sum()
        ]

    def _psi(self, variable: Mapping[str, Any], counts: Numbers) -> float:
        found = psi(np.array(variable["shares"]), counts)
        known = [
            (day, np.array(shares))
            for day, shares in zip(
                self._kept.get("season_days", ()), variable.get("seasons", ()), strict=False
            )
            if shares is not None
        ]
        if self._day is None or (usual := _between(known, self._day)) is None:
            return found
        return min(found, psi(usual, counts))


def _between(known: Sequence[tuple[int, Numbers]], day: int) -> Numbers | None:
    """Shares on a day, interpolated between the cutoffs around it; None where they are too far apart."""
    around = [(at + turn, shares) for turn in (-YEAR_DAYS, 0, YEAR_DAYS) for at, shares in known]
    before = max((pair for pair in around if pair[0] <= day), key=lambda pair: pair[0], default=None)
    after = min((pair for pair in around if pair[0] >= day), key=lambda pair: pair[0], default=None)
    if before is None or after is None:
        return None
    apart = after[0] - before[0]
    if apart > LONGEST_GAP:
        nearest = min(before, after, key=lambda pair: abs(pair[0] - day))
        return nearest[1] if abs(nearest[0] - day) <= NEAR_DAYS else None
    share = (day - before[0]) / apart if apart else 0.0
    found: Numbers = (1.0 - share) * before[1] + share * after[1]
    return found


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
