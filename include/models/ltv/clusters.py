"""Behavioural clusters: k-means on order count, recency and order value, with a description in words.

Centres belong to the model of the training date, so a customer who does not change keeps its cluster until
the next training. A cluster's code consists of words that describe its centre relative to the firm's own
customers, so it keeps its meaning across trainings.
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
"""Words for the low and the high end of each measure, for clusters with the same description."""
MIN_CLUSTERS, MAX_CLUSTERS = 3, 8
SAMPLE, SILHOUETTE_SAMPLE = 10_000, 2_000
MIN_SHARE = 0.02
SILHOUETTE_TOLERANCE = 0.01
MAX_SCALED = 3.0  # interquartile ranges from the median; an outlier beyond could be its own cluster
SEED = 7
ONE_ORDER, FEW_ORDERS = 1.5, 3.0
OFTEN, SELDOM = 1.5, 0.67
LARGE, SMALL = 1.33, 0.75


def fit(rows: pa.Table, *, churn_threshold_days: int) -> dict[str, Any]:
    """Scaling, centres, codes and descriptions, sorted by order count descending; JSON values only.

    The number of clusters is the smallest of 3 to 8 whose mean silhouette is within 0.01 of the best. Each
    cluster must contain at least 2 % of the customers.
    """
    from sklearn.cluster import KMeans  # takes seconds to import; only fitting needs it
    from sklearn.metrics import pairwise_distances, silhouette_score
    from threadpoolctl import threadpool_limits

    logs = _logs(rows)
    logs = logs[:: max(1, len(logs) // SAMPLE)]
    middle, quarter, upper = np.median(logs, axis=0), *np.quantile(logs, (0.25, 0.75), axis=0)
    width = np.where(upper - quarter > 1e-9, upper - quarter, 1.0)
    points = _scaled(logs, middle, width)
    sampled = slice(None, None, max(1, len(points) // SILHOUETTE_SAMPLE))
    distinct = len(np.unique(points, axis=0))
    found: dict[int, tuple[float, Floats]] = {}
    distances = pairwise_distances(points[sampled])
    with threadpool_limits(limits=1):  # more threads would change the last bits of the sums
        for k in range(MIN_CLUSTERS, min(MAX_CLUSTERS, distinct) + 1):
            means = KMeans(k, n_init=3, random_state=SEED).fit(points)
            shares = np.bincount(means.labels_, minlength=k) / len(points)
            if shares.min() >= MIN_SHARE and len(np.unique(means.labels_[sampled])) > 1:
                silhouette = silhouette_score(distances, means.labels_[sampled], metric="precomputed")
                found[k] = float(silhouette), means.cluster_centers_
    if not found:
        return none("no clusters: no split into 3 to 8 clusters leaves at least 2 % of customers in each")
    best = max(silhouette for silhouette, _ in found.values())
    k = min(k for k, (silhouette, _) in found.items() if silhouette >= best - SILHOUETTE_TOLERANCE)
    silhouette, centres = found[k]
    median = dict(zip(MEASURES, np.expm1(middle).tolist(), strict=True))
    natural = np.expm1(centres * width + middle)
    order = np.lexsort((natural[:, 1], -natural[:, 0]))
    words = _disambiguate(
        [
            _words(orders, silence, basket, median, threshold=churn_threshold_days)
            for orders, silence, basket in natural[order].tolist()
        ],
        centres[order],
    )
    return {
        "middle": middle.tolist(),
        "width": width.tolist(),
        "centres": np.round(centres[order], 9).tolist(),
        "codes": ["_".join(description).replace(" ", "_") for description in words],
        "descriptions": [", ".join(description) for description in words],
        "silhouettes": {str(k): silhouette for k, (silhouette, _) in found.items()},
        "reason": f"{k} clusters by behaviour, silhouette {silhouette:.2f}",
    }


def assign(rows: pa.RecordBatch | pa.Table, fitted: dict[str, Any]) -> tuple[pa.Array, pa.Array]:
    """Code and description of the nearest centre, per customer; null without clusters."""
    if not fitted["centres"]:
        nothing = pa.nulls(rows.num_rows, pa.string())
        return nothing, nothing
    points = _scaled(_logs(rows), np.array(fitted["middle"]), np.array(fitted["width"]))
    distance = np.stack([((points - np.array(centre)) ** 2).sum(axis=1) for centre in fitted["centres"]])
    at: NDArray[np.int64] = np.argmin(distance, axis=0)
    code, description = (pa.array(fitted[name]).take(pa.array(at)) for name in ("codes", "descriptions"))
    return code, description


def none(reason: str) -> dict[str, Any]:
    """A fit without clusters, with the reason."""
    return {"centres": [], "reason": reason}


def _logs(rows: pa.RecordBatch | pa.Table) -> Floats:
    columns = [np.nan_to_num(np.maximum(floats(rows, name), 0.0)) for name in MEASURES]
    return np.log1p(np.column_stack(columns))


def _scaled(logs: Floats, middle: Floats, width: Floats) -> Floats:
    found: Floats = np.clip((logs - middle) / width, -MAX_SCALED, MAX_SCALED)
    return found


def _words(
    orders: float, silence: float, basket: float, median: dict[str, float], *, threshold: int
) -> tuple[str, ...]:
    """Describe a centre: order count, order value and recency, relative to the median and the threshold."""
    often = orders / max(median["order_count"], 1e-9)
    size = basket / max(median["avg_order_value"], 1e-9)
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


def _disambiguate(words: list[tuple[str, ...]], centres: Floats) -> list[tuple[str, ...]]:
    """Add a word to clusters with the same description: the measure in which their centres differ most."""
    unique = list(words)
    for description in {description for description in words if words.count(description) > 1}:
        same = [at for at, other in enumerate(words) if other == description]
        measure = int(np.argmax(np.ptp(centres[same], axis=0)))
        ranked = sorted(same, key=lambda at: centres[at, measure])
        less, more = LESS_AND_MORE[measure]
        for rank, at in enumerate(ranked):
            between = "between" if len(ranked) == 3 else f"between {rank}"
            unique[at] = (*description, less if rank == 0 else more if at == ranked[-1] else between)
    return unique
