"""Behavioural clusters: customers who buy alike, found by k-means and said in words.

The centres belong to the anchor's model, so every day that it scores gives a customer who has not changed the
same cluster. A cluster's code is made of the words that describe its centre, in terms of the firm's own
customers, so that it means the same from anchor to anchor whatever number k-means gave it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.ltv.candidates import floats
from include.models.purchases.likelihood import Floats

MEASURES = ("order_count", "days_since_last_order", "avg_order_value")
LESS_AND_MORE = (("fewer orders", "more orders"), ("seen later", "seen earlier"), ("smaller", "larger"))
"""How clusters of equal words are told apart: the low and the high end of each measure."""
FEWEST, MOST = 3, 8
SAMPLE, SILHOUETTE_SAMPLE = 10_000, 2_000
LEAST_SHARE = 0.02
AS_GOOD = 0.01
FURTHEST = 3.0  # interquartile ranges from the median; beyond it one customer could be a cluster
SEED = 7
ONE_ORDER, FEW_ORDERS = 1.5, 3.0
OFTEN, SELDOM = 1.5, 0.67
LARGE, SMALL = 1.33, 0.75


def fit(rows: pa.Table, *, churn_threshold_days: int) -> dict[str, Any]:
    """Scaling, centres, codes and descriptions, most orders first; JSON values alone.

    The number of clusters is the smallest of 3 to 8 whose mean silhouette is within 0.01 of the best, among
    those in which each cluster holds at least 2 % of customers.
    """
    from sklearn.cluster import KMeans  # seconds to import, and only this function needs it
    from sklearn.metrics import pairwise_distances, silhouette_score
    from threadpoolctl import threadpool_limits

    logs = _logs(rows)
    logs = logs[:: max(1, len(logs) // SAMPLE)]
    middle, quarter, upper = np.median(logs, axis=0), *np.quantile(logs, (0.25, 0.75), axis=0)
    width = np.where(upper - quarter > 1e-9, upper - quarter, 1.0)
    points = _scaled(logs, middle, width)
    judged = slice(None, None, max(1, len(points) // SILHOUETTE_SAMPLE))
    distinct = len(np.unique(points, axis=0))
    found: dict[int, tuple[float, Floats]] = {}
    apart = pairwise_distances(points[judged])
    with threadpool_limits(limits=1):  # more threads would change the sums' last bits
        for k in range(FEWEST, min(MOST, distinct) + 1):
            means = KMeans(k, n_init=3, random_state=SEED).fit(points)
            shares = np.bincount(means.labels_, minlength=k) / len(points)
            if shares.min() >= LEAST_SHARE and len(np.unique(means.labels_[judged])) > 1:
                silhouette = silhouette_score(apart, means.labels_[judged], metric="precomputed")
                found[k] = float(silhouette), means.cluster_centers_
    if not found:
        return {"centres": [], "reason": "no parting into 3 to 8 clusters leaves 2 % of customers in each"}
    best = max(silhouette for silhouette, _ in found.values())
    k = min(k for k, (silhouette, _) in found.items() if silhouette >= best - AS_GOOD)
    silhouette, centres = found[k]
    usual = dict(zip(MEASURES, np.expm1(middle).tolist(), strict=True))
    natural = np.expm1(centres * width + middle)
    order = np.lexsort((natural[:, 1], -natural[:, 0]))
    words = _told_apart(
        [
            _words(orders, silence, basket, usual, threshold=churn_threshold_days)
            for orders, silence, basket in natural[order].tolist()
        ],
        centres[order],
    )
    return {
        "middle": middle.tolist(),
        "width": width.tolist(),
        "centres": np.round(centres[order], 9).tolist(),
        "codes": ["_".join(said).replace(" ", "_") for said in words],
        "descriptions": [", ".join(said) for said in words],
        "silhouettes": {str(k): silhouette for k, (silhouette, _) in found.items()},
        "reason": f"{k} clusters by behaviour, silhouette {silhouette:.2f}",
    }


def assign(rows: pa.RecordBatch | pa.Table, fitted: dict[str, Any]) -> tuple[pa.Array, pa.Array]:
    """Each customer's code and description, by the nearest centre; null where there are no clusters."""
    if not fitted["centres"]:
        nothing = pa.nulls(rows.num_rows, pa.string())
        return nothing, nothing
    points = _scaled(_logs(rows), np.array(fitted["middle"]), np.array(fitted["width"]))
    distance = np.stack([((points - np.array(centre)) ** 2).sum(axis=1) for centre in fitted["centres"]])
    at: NDArray[np.int64] = np.argmin(distance, axis=0)
    code, description = (pa.array(fitted[name]).take(pa.array(at)) for name in ("codes", "descriptions"))
    return code, description


def none(reason: str) -> dict[str, Any]:
    """No clusters, and why."""
    return {"centres": [], "reason": reason}


def _logs(rows: pa.RecordBatch | pa.Table) -> Floats:
    columns = [np.nan_to_num(np.maximum(floats(rows, name), 0.0)) for name in MEASURES]
    return np.log1p(np.column_stack(columns))


def _scaled(logs: Floats, middle: Floats, width: Floats) -> Floats:
    found: Floats = np.clip((logs - middle) / width, -FURTHEST, FURTHEST)
    return found


def _words(
    orders: float, silence: float, basket: float, usual: dict[str, float], *, threshold: int
) -> tuple[str, ...]:
    """How often, how much and how lately, against the firm's median customer and its churn threshold."""
    often = orders / max(usual["order_count"], 1e-9)
    size = basket / max(usual["avg_order_value"], 1e-9)
    if orders < FEW_ORDERS:
        pace = "one order" if orders < ONE_ORDER else "few orders"
    else:
        pace = "frequent" if often >= OFTEN else "infrequent" if often < SELDOM else "regular"
    return (
        pace,
        "large baskets" if size >= LARGE else "small baskets" if size < SMALL else "usual baskets",
        "recently active"
        if silence <= threshold
        else "cooling off"
        if silence <= 2 * threshold
        else "long silent",
    )


def _told_apart(words: list[tuple[str, ...]], centres: Floats) -> list[tuple[str, ...]]:
    """Clusters that share their words gain one, of the measure in which they lie furthest apart."""
    told = list(words)
    for said in {said for said in words if words.count(said) > 1}:
        same = [at for at, other in enumerate(words) if other == said]
        measure = int(np.argmax(np.ptp(centres[same], axis=0)))
        ranked = sorted(same, key=lambda at: centres[at, measure])
        less, more = LESS_AND_MORE[measure]
        for place, at in enumerate(ranked):
            between = "between" if len(ranked) == 3 else f"between {place}"
            told[at] = (*said, less if place == 0 else more if at == ranked[-1] else between)
    return told
