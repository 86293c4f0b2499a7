"""Candidates of a value model: five ways to predict a customer's net spend over a horizon.

The naive rate (persisted as ``own_rate``) is the mean repeat order times the customer's order rate so far.
``bgnbd``, ``mbgnbd`` and ``paretonbd`` are those count models with Gamma-Gamma. ``trees`` (``trees.py``) are
trained on earlier windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.purchases import bgnbd, gammagamma, likelihood, mbgnbd, paretonbd
from include.models.purchases import model as purchases
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats
from include.models.purchases.model import PurchaseModel

NAIVE_RATE, BGNBD, MBGNBD, PARETONBD, TREES = "own_rate", "bgnbd", "mbgnbd", "paretonbd", "trees"
FROM_SIMPLE = (NAIVE_RATE, BGNBD, MBGNBD, PARETONBD, TREES)
COUNT_MODELS = {BGNBD: bgnbd, MBGNBD: mbgnbd, PARETONBD: paretonbd}
MIN_SPENDERS = 50


class Spends(NamedTuple):
    """Fitted order value model; ``is_personal`` is false if every customer has the same mean."""

    model: GammaGamma
    is_personal: bool


def floats(rows: pa.Table | pa.RecordBatch, name: str) -> Floats:
    """One column as float64; null becomes nan."""
    column = rows.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    found: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def histories(rows: pa.Table | pa.RecordBatch) -> tuple[Floats, Floats, Floats, Floats]:
    """x, t_x and T (weeks) and m (currency), one element per row of customer_summary."""
    x, t_x, T = likelihood.histories(rows, "ltv")
    spend = pc.fill_null(rows.column("mean_repeat_spend"), 0.0).cast(pa.float64())
    _, m = gammagamma.histories(pa.table({"frequency": rows.column("frequency"), "mean_spend": spend}))
    return x, t_x, T, m


def _days(rows: pa.Table | pa.RecordBatch) -> Iterator[NDArray[np.integer]]:
    """x, t_x and T in whole days."""
    return (np.asarray(rows.column(name)) for name in ("frequency", "recency_days", "age_days"))


def expected_orders(counts: PurchaseModel, rows: pa.Table | pa.RecordBatch, *, horizon_days: float) -> Floats:
    """Expected purchases of each customer in the next ``horizon_days``."""
    return purchases.expected_from_days(counts, *_days(rows), horizon_days=horizon_days)


def fit_counts(rows: pa.Table) -> dict[str, PurchaseModel]:
    """Fitted count models by name; models that do not converge are left out."""
    groups = likelihood.group(*_days(rows))
    found: dict[str, PurchaseModel] = {}
    for name, module in COUNT_MODELS.items():
        try:
            fitted = module.fit(groups)
        except (ValueError, FloatingPointError):
            continue
        if fitted.is_converged:
            found[name] = fitted
    return found


def fit_spends(rows: pa.Table) -> Spends | None:
    """Fit Gamma-Gamma; None without repeat spend.

    Below ``MIN_SPENDERS`` customers, or at a boundary optimum, every customer gets the average order.
    """
    x, _, _, m = histories(rows)
    spenders = (x > 0) & (m > 0)
    if not spenders.any():
        return None
    if spenders.sum() >= MIN_SPENDERS:
        groups = pa.table({"frequency": x, "mean_spend": m, "customers": np.ones(len(x))})
        fitted = gammagamma.fit(groups)
        if fitted.is_converged and not fitted.is_boundary:
            return Spends(fitted, True)
    return Spends(_same_for_all(float(np.sum((x * m)[spenders]) / np.sum(x[spenders])), len(x)), False)


def _same_for_all(average: float, customers: int) -> GammaGamma:
    """Gamma-Gamma with the same mean order for every customer: the limit of a large q."""
    q = 1e9
    return GammaGamma(
        p=1.0,
        q=q,
        gamma=average * (q - 1.0),
        observed_spend=average,
        log_likelihood=0.0,
        customers=customers,
        is_boundary=True,
        is_converged=False,
        covariance=(0.0,) * 9,
    )


def kept_share(rows: pa.Table | pa.RecordBatch) -> float:
    """Net spend over sales before returns, 0 to 1. The count models predict sales before returns."""
    sales = float(np.nansum(floats(rows, "avg_order_value") * floats(rows, "order_count")))
    net = float(np.nansum(floats(rows, "total_spend")))
    return min(net / sales, 1.0) if sales > 0 and net > 0 else 1.0


def spend_by_counts(
    counts: PurchaseModel, spends: GammaGamma, rows: pa.Table | pa.RecordBatch, *, horizon_days: float
) -> Floats:
    """Expected purchases times expected order value, per customer."""
    x, _, _, m = histories(rows)
    return expected_orders(counts, rows, horizon_days=horizon_days) * spends.expected_spend(x, m)


def spend_by_naive_rate(rows: pa.Table | pa.RecordBatch, *, horizon_days: float) -> Floats:
    """Naive rate: mean repeat order times repeat orders per day times ``horizon_days``, per customer."""
    x, _, T, m = histories(rows)
    return m * x / np.maximum(T * DAYS_PER_WEEK, 1.0) * horizon_days
