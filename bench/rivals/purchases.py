"""BG/NBD and Pareto/NBD, with Gamma-Gamma for amounts, as the literature uses them: one fit, no correction.

The fits are those of ``include/models/purchases``, which equal the package lifetimes (``bench/btyd.py``) and
are faster; what the product adds on top of them is left out.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.rivals.sales import Sales, number
from include.models.purchases import bgnbd, gammagamma, likelihood, paretonbd
from include.models.purchases import model as purchases

Floats = NDArray[np.float64]
MODELS = {"bgnbd": bgnbd, "paretonbd": paretonbd}
WEEK = likelihood.DAYS_PER_WEEK


def churn(name: str, sales: Sales, *, as_of: date, horizon_days: int) -> Floats | None:
    """P(no purchase in the horizon) of the customers known before ``as_of``; None without convergence."""
    x, t_x, T, _ = histories(sales, as_of)
    model = MODELS[name].fit(likelihood.group(x, t_x, T))
    if not model.is_converged:
        return None
    return purchases.none(model, x.astype(float), t_x / WEEK, T / WEEK, horizon_days=horizon_days)


def value(name: str, sales: Sales, *, as_of: date, horizon_days: int) -> Floats | None:
    """Expected purchases times expected order value, of the customers known before ``as_of``."""
    x, t_x, T, m = histories(sales, as_of)
    model = MODELS[name].fit(likelihood.group(x, t_x, T))
    spends = gammagamma.fit(
        pa.table({"frequency": x.astype(float), "mean_spend": m, "customers": np.ones(len(x))})
    )
    if not (model.is_converged and spends.is_converged):
        return None
    number_of = purchases.expected(model, x.astype(float), t_x / WEEK, T / WEEK, horizon_days=horizon_days)
    return number_of * spends.expected_spend(x.astype(float), m)


def histories(sales: Sales, as_of: date) -> tuple[NDArray[np.int64], ...]:
    """x, t_x, T in days and m of the customers known before ``as_of``, in the order of their index."""
    sold, known = sales.before(as_of).sale_days(), sales.known(as_of)
    size = len(sales.ids)
    first, last = np.full(size, np.iinfo(np.int64).max), np.zeros(size, dtype=np.int64)
    np.minimum.at(first, sold.customer, sold.day)
    np.maximum.at(last, sold.customer, sold.day)
    x = np.bincount(sold.customer, minlength=size)[known] - 1
    repeat = sold.day > first[sold.customer]
    spent = np.bincount(sold.customer[repeat], weights=sold.spend[repeat], minlength=size)[known]
    m = np.where(x > 0, np.maximum(spent, 0.0) / np.maximum(x, 1), 0.0)
    return x, (last - first)[known], number(as_of) - first[known], m
