"""What a value model is chosen from: each customer's net spend over a horizon, in five ways.

``own_rate`` is a customer's mean repeat order times its own rate so far; ``bgnbd``, ``mbgnbd`` and
``paretonbd`` are those models with Gamma-Gamma; ``trees`` are those of ``trees.py``, of earlier windows.
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

OWN_RATE, BGNBD, MBGNBD, PARETONBD, TREES = "own_rate", "bgnbd", "mbgnbd", "paretonbd", "trees"
FROM_SIMPLE = (OWN_RATE, BGNBD, MBGNBD, PARETONBD, TREES)
COUNT_MODELS = {BGNBD: bgnbd, MBGNBD: mbgnbd, PARETONBD: paretonbd}
FEWEST_SPENDERS = 50


class Spends(NamedTuple):
    """What an order is worth, and whether that differs between customers."""

    model: GammaGamma
    is_personal: bool


def floats(rows: pa.Table | pa.RecordBatch, name: str) -> Floats:
    """One column as float64, null as nan."""
    column = rows.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    found: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def histories(rows: pa.Table | pa.RecordBatch) -> tuple[Floats, Floats, Floats, Floats]:
    """x, t_x and T in weeks, and m, from rows of customer_summary."""
    x, t_x, T = likelihood.histories(rows, "ltv")
    spend = pc.fill_null(rows.column("mean_repeat_spend"), 0.0).cast(pa.float64())
    _, m = gammagamma.histories(pa.table({"frequency": rows.column("frequency"), "mean_spend": spend}))
    return x, t_x, T, m


def _days(rows: pa.Table | pa.RecordBatch) -> Iterator[NDArray[np.integer]]:
    """x, t_x and T in whole days, as they are stored."""
    return (np.asarray(rows.column(name)) for name in ("frequency", "recency_days", "age_days"))


def expected_orders(counts: PurchaseModel, rows: pa.Table | pa.RecordBatch, *, horizon_days: float) -> Floats:
    """Purchases expected of each customer in the next ``horizon_days``."""
    return purchases.expected_from_days(counts, *_days(rows), horizon_days=horizon_days)


def fit_counts(rows: pa.Table) -> dict[str, PurchaseModel]:
    """The purchase-count models that converge on these histories, by name."""
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
    """Gamma-Gamma; where it has too few to learn from or lies on its bound, one average order for all."""
    x, _, _, m = histories(rows)
    spenders = (x > 0) & (m > 0)
    if not spenders.any():
        return None
    if spenders.sum() >= FEWEST_SPENDERS:
        groups = pa.table({"frequency": x, "mean_spend": m, "customers": np.ones(len(x))})
        fitted = gammagamma.fit(groups)
        if fitted.is_converged and not fitted.is_boundary:
            return Spends(fitted, True)
    return Spends(_same_for_all(float(np.sum((x * m)[spenders]) / np.sum(x[spenders])), len(x)), False)


def _same_for_all(average: float, customers: int) -> GammaGamma:
    """Orders that spread about one average alike for everybody: the limit of a large q."""
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
    """Net spend over sales before returns: the models count sales, a firm keeps what is not given back."""
    sales = float(np.nansum(floats(rows, "avg_order_value") * floats(rows, "order_count")))
    net = float(np.nansum(floats(rows, "total_spend")))
    return min(net / sales, 1.0) if sales > 0 and net > 0 else 1.0


def spend_by_counts(
    counts: PurchaseModel, spends: GammaGamma, rows: pa.Table | pa.RecordBatch, *, horizon_days: float
) -> Floats:
    """Expected purchases times expected order value."""
    x, _, _, m = histories(rows)
    return expected_orders(counts, rows, horizon_days=horizon_days) * spends.expected_spend(x, m)


def spend_by_own_rate(rows: pa.Table | pa.RecordBatch, *, horizon_days: float) -> Floats:
    """The customer's mean repeat order times its repeat orders a day."""
    x, _, T, m = histories(rows)
    return m * x / np.maximum(T * DAYS_PER_WEEK, 1.0) * horizon_days
