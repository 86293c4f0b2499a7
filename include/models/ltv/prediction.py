"""Predict customer lifetime value with the selected model.

A count model (BG/NBD, MBG/NBD or Pareto/NBD) gives the timing of purchases. The selected method gives the
amount over the backtest horizon. ``docs/value-models.md`` lists the methods.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from include.models.ltv import candidates, intervals, value
from include.models.ltv.intervals import NO_CONFORMAL
from include.models.ltv.value_model import YEAR, ValueModel
from include.models.purchases import model as purchases
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats

NONE = "none"
SPANS = {"1_year": 365.0, "3_year": 1095.0, "lifetime": np.inf}
SHORTER = (90, 180)
"""Horizons of less than a year for which spend is predicted."""


class Expected(NamedTuple):
    """Predictions, one element per customer, nan where unknown.

    ``values``, ``low`` and ``high`` are discounted margin. ``spend`` is net revenue: not discounted, before
    margin; ``shorter`` is the same by horizon of ``SHORTER``. ``deviation`` is the standard deviation of
    ``spend``. Both are by span: ``1_year`` and ``horizon``.
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
    shorter: dict[int, Floats]


def expected(
    rows: pa.Table | pa.RecordBatch, model: ValueModel, *, annual_discount_rate: float, as_of: date
) -> Expected:
    """Discounted margin over 1 year, 3 years and a lifetime, with intervals, orders and P(alive)."""
    if model.counts is None or model.spends is None:
        return _without_counts(rows, model, annual_discount_rate=annual_discount_rate)
    counts, spends = model.counts, model.spends
    x, t_x, T, m = candidates.histories(rows)
    factors = _factors(rows, model, as_of)
    order = spends.expected_spend(x, m)
    values = {
        name: model.margin_share * model.kept_share * factors[days] * order * value.discounted_purchases(
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
            factor=factors[days],
            horizon_days=days,
            parameter_se_share=model.parameter_ses.get(name, 0.0),
        )
        for name, days in spans_of(model).items()
    }
    year = spreads["1_year"]
    low, high = intervals.calibrated(year, model.conformal.get("1_year", NO_CONFORMAL))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_spend = np.where(year.expected > 0, values["1_year"] / year.expected, 0.0)
        confidence = np.where(year.expected > 0, 100.0 / (1.0 + year.deviation / year.expected), np.nan)
    alive = (model.alive or counts).alive(x, t_x, T)
    orders = candidates.expected_orders(counts, rows, horizon_days=YEAR)
    return Expected(
        values,
        per_spend * low if model.has_intervals else unknown,
        per_spend * high if model.has_intervals else unknown,
        model.season(YEAR, as_of)[1].factor * orders,
        alive,
        confidence if model.has_intervals else unknown,
        purchases.next_order_days(model.alive or counts, x, T, alive),
        {"horizon": unknown} | {name: found.expected for name, found in spreads.items()},
        {"1_year": unknown, "horizon": unknown}
        | {name: found.deviation for name, found in spreads.items() if model.has_intervals},
        {
            days: model.kept_share
            * factors[days]
            * candidates.spend_by_counts(counts, spends, rows, horizon_days=days)
            for days in SHORTER
        },
    )


def spans_of(model: ValueModel) -> dict[str, float]:
    """Days of each span over which spend is predicted and later compared with actual spend."""
    return {"1_year": float(YEAR)} | ({"horizon": float(model.horizon_days)} if model.horizon_days else {})


def _factors(rows: pa.Table | pa.RecordBatch, model: ValueModel, as_of: date) -> dict[float, Floats | float]:
    """Spend of the selected method in this season over that of the count model, by days ahead."""
    by_horizon: dict[int, Floats | float] = {}
    found: dict[float, Floats | float] = {}
    for days in {*SPANS.values(), *SHORTER, *spans_of(model).values()}:
        horizon = model.horizon_of(days)
        if horizon not in by_horizon:
            by_horizon[horizon] = _factor(rows, model, horizon)
        found[days] = model.season(days, as_of)[0].factor * by_horizon[horizon]
    return found


def _factor(rows: pa.Table | pa.RecordBatch, model: ValueModel, horizon_days: int) -> Floats | float:
    """Spend of the method of a horizon, divided by that of the count model, without season."""
    found = model.horizons.get(horizon_days)
    if found is None or model.counts is None or model.spends is None:
        return 1.0
    if found.method not in (candidates.TREES, candidates.NAIVE_RATE):
        return 1.0
    counts, spends = model.counts, model.spends
    by_counts = model.kept_share * candidates.spend_by_counts(counts, spends, rows, horizon_days=horizon_days)
    if found.trees is not None:
        spend = found.scale * found.trees.spend(rows, counts, spends, horizon_days=horizon_days)
    else:
        spend = model.kept_share * candidates.spend_by_naive_rate(rows, horizon_days=horizon_days)
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
    return Expected(
        values,
        unknown,
        unknown,
        orders,
        unknown,
        unknown,
        unknown,
        spends,
        nothing,
        dict.fromkeys(SHORTER, unknown),
    )


def basis(found: Expected, revenue: Floats, model: ValueModel) -> Floats:
    """The value that ranks customers: predicted value of a year, or past revenue without a count model."""
    return revenue if model.counts is None else found.values["1_year"]
