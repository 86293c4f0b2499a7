"""Predict customer lifetime value with the selected model.

A count model (BG/NBD, MBG/NBD or Pareto/NBD) gives the timing of purchases. The selected method gives the
amount over the backtest horizon. ``docs/value-models.md`` lists the methods.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from include.models.ltv import candidates, intervals, value
from include.models.ltv.trees import Trees
from include.models.purchases import model as purchases
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats
from include.models.purchases.model import PurchaseModel

NONE = "none"
YEAR = 365
SPANS = {"1_year": 365.0, "3_year": 1095.0, "lifetime": np.inf}


class ValueModel(NamedTuple):
    """A value model, read back and ready to predict.

    ``scale`` multiplies the trees' spend so that their total equals the count model's. ``kept_share`` is net
    spend over sales before returns. ``parameter_ses`` are standard errors of the firm's total due to the
    estimated parameters, as a share of that total, by span. ``conformal_factor`` and ``interval_z`` calibrate
    the intervals of customers and of the firm (``intervals.py``).
    """

    method: str
    horizon_days: int
    counts: PurchaseModel | None
    spends: GammaGamma | None
    trees: Trees | None
    scale: float
    kept_share: float
    margin_share: float
    has_intervals: bool
    conformal_factor: float
    interval_z: float
    parameter_ses: dict[str, float]


class Expected(NamedTuple):
    """Predictions, one element per customer, nan where unknown.

    ``values``, ``low`` and ``high`` are discounted margin. ``spend`` is net revenue: not discounted, before
    margin. ``deviation`` is its standard deviation. Both are by span: ``1_year`` and ``horizon``.
    """

    values: dict[str, Floats]
    low: Floats
    high: Floats
    orders: Floats
    alive: Floats
    confidence: Floats
    next_order_days: Floats
    spend: dict[str, Floats]
    deviation: dict[str, Floats]


def expected(rows: pa.Table | pa.RecordBatch, model: ValueModel, *, annual_discount_rate: float) -> Expected:
    """Discounted margin over 1 year, 3 years and a lifetime, with intervals, orders and P(alive)."""
    if model.counts is None or model.spends is None:
        return _without_counts(rows, model, annual_discount_rate=annual_discount_rate)
    counts, spends = model.counts, model.spends
    x, t_x, T, m = candidates.histories(rows)
    factor = _factor(rows, model)
    order = spends.expected_spend(x, m)
    values = {
        name: model.margin_share * model.kept_share * factor * order * value.discounted_purchases(
            counts, x, t_x, T, horizon_days=days, annual_discount_rate=annual_discount_rate
        )
        for name, days in SPANS.items()
    }  # fmt: skip
    unknown = np.full(len(x), np.nan)
    spreads = {
        name: intervals.spread(
            rows,
            counts,
            spends,
            kept_share=model.kept_share,
            factor=factor,
            horizon_days=days,
            parameter_se_share=model.parameter_ses.get(name, 0.0),
        )
        for name, days in spans_of(model).items()
    }
    year = spreads["1_year"]
    low, high = intervals.calibrated(year, model.conformal_factor)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_spend = np.where(year.expected > 0, values["1_year"] / year.expected, 0.0)
        confidence = np.where(year.expected > 0, 100.0 / (1.0 + year.deviation / year.expected), np.nan)
    return Expected(
        values,
        per_spend * low if model.has_intervals else unknown,
        per_spend * high if model.has_intervals else unknown,
        candidates.expected_orders(counts, rows, horizon_days=YEAR),
        counts.alive(x, t_x, T),
        confidence if model.has_intervals else unknown,
        purchases.next_order_days(counts, x, T),
        {"horizon": unknown} | {name: found.expected for name, found in spreads.items()},
        {"1_year": unknown, "horizon": unknown}
        | {name: found.deviation for name, found in spreads.items() if model.has_intervals},
    )


def spans_of(model: ValueModel) -> dict[str, float]:
    """Days of each span over which spend is predicted and later compared with actual spend."""
    return {"1_year": float(YEAR)} | ({"horizon": float(model.horizon_days)} if model.horizon_days else {})


def _factor(rows: pa.Table | pa.RecordBatch, model: ValueModel) -> Floats | float:
    """Spend of the selected method over the backtest horizon, divided by that of the count model."""
    is_count_model = model.method not in (candidates.TREES, candidates.NAIVE_RATE)
    if is_count_model or model.counts is None or model.spends is None:
        return 1.0
    by_counts = model.kept_share * candidates.spend_by_counts(
        model.counts, model.spends, rows, horizon_days=model.horizon_days
    )
    if model.trees is not None:
        spend = model.scale * model.trees.spend(
            rows, model.counts, model.spends, horizon_days=model.horizon_days
        )
    else:
        spend = model.kept_share * candidates.spend_by_naive_rate(rows, horizon_days=model.horizon_days)
    return np.where(by_counts > 0, spend / np.maximum(by_counts, 1e-12), 0.0)


def _without_counts(
    rows: pa.Table | pa.RecordBatch, model: ValueModel, *, annual_discount_rate: float
) -> Expected:
    """Naive rate without a count model, no further ahead than the customer's age; otherwise nan."""
    age = candidates.floats(rows, "age_days")
    unknown = np.full(len(age), np.nan)
    values = dict.fromkeys(SPANS, unknown)
    spends = dict.fromkeys(("1_year", "horizon"), unknown)
    orders = unknown
    if model.method == candidates.NAIVE_RATE:
        rate, kept = float(np.log1p(annual_discount_rate)), model.margin_share * model.kept_share
        for name in ("1_year", "3_year"):
            days = SPANS[name]
            present = -np.expm1(-rate * days / YEAR) / (rate * days / YEAR)
            spend = candidates.spend_by_naive_rate(rows, horizon_days=days)
            values[name] = np.where(age >= days, kept * present * spend, np.nan)
        for name, days in spans_of(model).items():
            spend = model.kept_share * candidates.spend_by_naive_rate(rows, horizon_days=days)
            spends[name] = np.where(age >= days, spend, np.nan)
        x, _, T, _ = candidates.histories(rows)
        orders = np.where(age >= YEAR, x / np.maximum(T * DAYS_PER_WEEK, 1.0) * YEAR, np.nan)
    nothing = dict.fromkeys(("1_year", "horizon"), unknown)
    return Expected(values, unknown, unknown, orders, unknown, unknown, unknown, spends, nothing)


def basis(found: Expected, revenue: Floats, model: ValueModel) -> Floats:
    """The value that ranks customers: predicted value of a year, or past revenue without a count model."""
    return revenue if model.counts is None else found.values["1_year"]


def from_parts(parts: dict[str, Any]) -> ValueModel:
    """Build the value model from the parts of its artefact. The keys of the header are persisted names."""
    header = parts["header"]
    counts = parts.get("counts")
    spends = parts.get("gammagamma")
    return ValueModel(
        method=header["method"],
        horizon_days=header["horizon_days"],
        counts=_counts_from(counts) if counts else None,
        spends=GammaGamma.from_row(spends) if spends else None,
        trees=Trees(parts["trees"]) if "trees" in parts else None,
        scale=header["level"],
        kept_share=header["kept_share"],
        margin_share=header["margin_share"],
        has_intervals=header["has_intervals"],
        conformal_factor=header["stretch"],
        interval_z=header["reach"],
        parameter_ses=header["doubts"],
    )


def _counts_from(row: dict[str, Any]) -> PurchaseModel:
    kinds: dict[str, type[PurchaseModel]] = {
        "bgnbd": candidates.bgnbd.BgNbd,
        "mbgnbd": candidates.mbgnbd.MbgNbd,
        "paretonbd": candidates.paretonbd.ParetoNbd,
    }
    fitted: PurchaseModel = kinds[row["model"]].from_row(row)
    return fitted
