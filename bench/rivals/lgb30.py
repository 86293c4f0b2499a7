"""lgb30: LightGBM on 30 plain features at eight overlapping cutoffs, without any calibration.

The features: recency, age, x, t_x; orders and spend of 30 to 730 days and in all; orders and spend of the
same weeks one and two years ago; gaps between orders; sizes of orders. The cutoffs are a third of the horizon
apart, the last one a horizon before ``as_of``. 150 trees of 15 leaves, learning rate .03.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.rivals.sales import Sales, number

CUTOFFS = 8
SPANS = (30, 60, 90, 180, 365, 730)
TREES = 150
SETTINGS = {
    "num_leaves": 15,
    "learning_rate": 0.03,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbosity": -1,
}
Floats = NDArray[np.float64]


def churn(sales: Sales, *, as_of: date, horizon_days: int) -> Floats:
    """P(no sale in the horizon) of the customers known before ``as_of``, in the order of their index."""
    return _predict(sales, as_of, horizon_days, objective="binary")


def value(sales: Sales, *, as_of: date, horizon_days: int) -> Floats:
    """Net spend in the horizon of the customers known before ``as_of``, in the order of their index."""
    return _predict(sales, as_of, horizon_days, objective="tweedie")


def _predict(sales: Sales, as_of: date, horizon_days: int, *, objective: str) -> Floats:
    import lightgbm as lgb

    known = sales.before(as_of)
    first = int(known.sale_days().day.min())
    step = max(horizon_days // 3, 1)
    cutoffs = [as_of - timedelta(days=horizon_days + n * step) for n in range(CUTOFFS)]
    cutoffs = [cutoff for cutoff in cutoffs if number(cutoff) > first]
    x, y = [], []
    for cutoff in cutoffs:
        customers = known.known(cutoff)
        after = known.between(cutoff, horizon_days)
        x.append(features(known, customers, cutoff, horizon_days))
        of = after.orders_of() == 0 if objective == "binary" else np.maximum(after.spend_of(), 0.0)
        y.append(of[customers].astype(np.float64))
    settings = {**SETTINGS, "objective": objective}
    data = lgb.Dataset(np.concatenate(x), np.concatenate(y), params=settings)
    model = lgb.train(settings, data, TREES)
    found: Floats = model.predict(features(known, known.known(as_of), as_of, horizon_days), num_threads=1)
    return found


def features(sales: Sales, customers: NDArray[np.int64], cutoff: date, horizon_days: int) -> Floats:
    """The 30 features, shape (customers, 30); nan where a gap or an order is unknown."""
    past, at = sales.before(cutoff), number(cutoff)
    sold = past.sale_days()
    size = len(sales.ids)
    count = np.bincount(sold.customer, minlength=size).astype(np.float64)
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, sold.customer, sold.day)
    np.maximum.at(last, sold.customer, sold.day)
    columns: list[Floats] = [at - last, at - first, count - 1, last - first]
    for days in SPANS:
        recent = sales.between(cutoff - timedelta(days=days), days)
        columns += [recent.orders_of(), recent.spend_of()]
    orders, spend = past.orders_of(), past.spend_of()
    columns += [orders, spend]
    for years in (1, 2):
        same = sales.between(cutoff - timedelta(days=365 * years), horizon_days)
        columns += [same.orders_of(), same.spend_of()]
    gap = np.diff(sold.day).astype(np.float64)
    inner = np.diff(sold.customer) == 0
    of, gap = sold.customer[1:][inner], gap[inner]
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.bincount(of, minlength=size)
        mean = np.bincount(of, weights=gap, minlength=size) / n
        spread = np.sqrt(np.maximum(np.bincount(of, weights=gap**2, minlength=size) / n - mean**2, 0.0))
        longest = np.full(size, np.nan)
        np.fmax.at(longest, of, gap)
        latest = np.full(size, np.nan)
        latest[of] = gap
        columns += [mean, spread, longest, latest, (at - last) / mean, spend / orders]
    biggest = np.full(size, -np.inf)
    np.maximum.at(biggest, sold.customer, sold.spend)
    final = np.full(size, np.nan)
    final[sold.customer] = sold.spend
    found = np.column_stack([np.asarray(column, dtype=np.float64) for column in [*columns, biggest, final]])
    return found[customers]
