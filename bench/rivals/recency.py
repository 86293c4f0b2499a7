"""Churn by days since the last order alone: an isotonic curve, learnt on the window before ``as_of``."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.rivals.sales import Sales, number


def churn(sales: Sales, *, as_of: date, horizon_days: int) -> NDArray[np.float64]:
    """P(no sale in the horizon) of the customers known before ``as_of``, in the order of their index."""
    from sklearn.isotonic import IsotonicRegression

    known, cutoff = sales.before(as_of), as_of - timedelta(days=horizon_days)
    left = known.between(cutoff, horizon_days).orders_of()[known.known(cutoff)] == 0
    curve = IsotonicRegression(out_of_bounds="clip").fit(_silence(known, cutoff), left.astype(float))
    found: NDArray[np.float64] = curve.predict(_silence(known, as_of))
    return found


def _silence(sales: Sales, as_of: date) -> NDArray[np.float64]:
    sold = sales.before(as_of).sale_days()
    last = np.zeros(len(sales.ids), dtype=np.int64)
    np.maximum.at(last, sold.customer, sold.day)
    return (number(as_of) - last[sales.known(as_of)]).astype(float)
