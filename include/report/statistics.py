"""Statistics of feature values: spread, histogram, rates and rank correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALL_GROUP = 10  # rates of fewer customers are unreliable and may identify customers
BINS = 24
DIGITS = 12
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """A sample of features: one column each, NaN where the value is missing."""

    names: tuple[str, ...]
    values: Floats

    def column(self, name: str) -> Floats:
        """One feature's values."""
        return self.values[:, self.names.index(name)]


def spread(values: Floats) -> dict[str, Any]:
    """Mean, standard deviation, percentiles, skewness and share of zeros of the known values."""
    known = values[np.isfinite(values)]
    if not known.size:
        return {"known": 0}
    mean, sd = float(known.mean()), float(known.std())
    quantiles = np.quantile(known, [0.01, 0.25, 0.5, 0.75, 0.99])
    is_constant = bool(known.min() == known.max())
    return {
        "known": int(known.size),
        "mean": mean,
        "sd": 0.0 if is_constant else sd,
        **dict(zip(("p01", "p25", "p50", "p75", "p99"), map(float, quantiles), strict=True)),
        "skewness": None if is_constant else float((((known - mean) / sd) ** 3).mean()),
        "zero_share": float((known == 0).mean()),
        "is_constant": is_constant,
    }


def edges_of(values: Floats) -> Floats:
    """Bin edges of a histogram: one bin per value for few whole numbers, else equal widths.

    The lowest and highest hundredth of the values fall into the outer bins, so that an outlier does not
    flatten the histogram.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return np.array([0.0, 1.0])
    low, high = np.quantile(known, [0.01, 0.99])
    if low == high:
        low, high = known.min(), known.max()
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    if high - low < BINS and np.array_equal(known, np.round(known)):
        return np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.0)
    return np.linspace(low, high, BINS + 1)


def histogram(values: Floats, edges: Floats) -> list[int]:
    """Number of values per bin; values beyond the ends count in the outer bins."""
    known = values[np.isfinite(values)]
    return [int(n) for n in np.bincount(_bars(known, edges), minlength=len(edges) - 1)]


def rates(values: Floats, happened: Floats, edges: Floats) -> list[float | None]:
    """Event rate per bin (0 to 1); None for a bin with fewer than ``SMALL_GROUP`` rows."""
    is_known = np.isfinite(values)
    bars = _bars(values[is_known], edges)
    counts = np.bincount(bars, minlength=len(edges) - 1)
    sums = np.bincount(bars, weights=happened[is_known], minlength=len(edges) - 1)
    return [
        float(total / count) if count >= SMALL_GROUP else None
        for total, count in zip(sums, counts, strict=True)
    ]


def _bars(known: Floats, edges: Floats) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)


def correlations(values: Floats) -> Floats:
    """Rank correlation matrix of the columns, over the rows where both are known; NaN for a constant column.

    A column is ranked among its known values, ties at their mean rank. Without missing values this is
    Spearman's coefficient. Rounded to ``DIGITS``: the last bits depend on the number of threads.
    """
    ranks = np.zeros_like(values)
    known = np.isfinite(values)
    for j in range(values.shape[1]):
        ranks[known[:, j], j] = _ranks(values[known[:, j], j])
    mask = known.astype(np.float64)
    count = mask.T @ mask
    total = ranks.T @ mask  # of the row's column, where the other is known
    square = (ranks**2).T @ mask
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = ranks.T @ ranks - total * total.T / count
        variance = square - total**2 / count
        scale = np.sqrt(variance * variance.T)
        found = np.where(
            (count >= SMALL_GROUP) & (variance > 1e-9) & (variance.T > 1e-9), covariance / scale, np.nan
        )
    return np.asarray(np.round(np.clip(found, -1.0, 1.0), DIGITS))


def _ranks(values: Floats) -> Floats:
    """Ranks centred on zero and scaled to one, ties at their mean."""
    if not values.size:
        return values
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray((mean_rank[inverse] - (values.size - 1) / 2) / values.size)
