"""What a customer is expected to be worth, by a value model of whichever rung of the ladder."""

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


class Worth(NamedTuple):
    """A value model ready to use. ``counts`` gives the course of time, the method the amount.

    ``doubts`` are standard deviations of the firm's total as a share of it, for the year and the horizon;
    ``stretch`` and ``reach`` are those of ``intervals.py``.
    """

    method: str
    horizon_days: int
    counts: PurchaseModel | None
    spends: GammaGamma | None
    trees: Trees | None
    level: float
    kept_share: float
    margin_share: float
    has_intervals: bool
    stretch: float
    reach: float
    doubts: dict[str, float]


class Expected(NamedTuple):
    """Per customer; nan where nothing can be said. ``spend`` is net revenue, not discounted, no margin."""

    values: dict[str, Floats]
    low: Floats
    high: Floats
    orders: Floats
    alive: Floats
    confidence: Floats
    next_order_days: Floats
    spend: dict[str, Floats]
    deviation: dict[str, Floats]


def expected(rows: pa.Table | pa.RecordBatch, worth: Worth, *, annual_discount_rate: float) -> Expected:
    """Discounted margin over 1 year, 3 years and a lifetime, and what else the count model knows."""
    if worth.counts is None or worth.spends is None:
        return _without_counts(rows, worth, annual_discount_rate=annual_discount_rate)
    counts, spends = worth.counts, worth.spends
    x, t_x, T, m = candidates.histories(rows)
    factor = _factor(rows, worth)
    order = spends.expected_spend(x, m)
    values = {
        name: worth.margin_share * worth.kept_share * factor * order * value.discounted_purchases(
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
            kept_share=worth.kept_share,
            factor=factor,
            horizon_days=days,
            doubt_share=worth.doubts.get(name, 0.0),
        )
        for name, days in spans_of(worth).items()
    }
    year = spreads["1_year"]
    low, high = intervals.stretched(year, worth.stretch)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_spend = np.where(year.expected > 0, values["1_year"] / year.expected, 0.0)
        confidence = np.where(year.expected > 0, 100.0 / (1.0 + year.deviation / year.expected), np.nan)
    return Expected(
        values,
        per_spend * low if worth.has_intervals else unknown,
        per_spend * high if worth.has_intervals else unknown,
        candidates.expected_orders(counts, rows, horizon_days=YEAR),
        counts.alive(x, t_x, T),
        confidence if worth.has_intervals else unknown,
        purchases.next_order_days(counts, x, T),
        {"horizon": unknown} | {name: found.expected for name, found in spreads.items()},
        {"1_year": unknown, "horizon": unknown}
        | {name: found.deviation for name, found in spreads.items() if worth.has_intervals},
    )


def spans_of(worth: Worth) -> dict[str, float]:
    """The windows that spend is expected over and compared in when they have passed."""
    return {"1_year": float(YEAR)} | ({"horizon": float(worth.horizon_days)} if worth.horizon_days else {})


def _factor(rows: pa.Table | pa.RecordBatch, worth: Worth) -> Floats | float:
    """The method's spend over the backtested horizon, as a multiple of the count model's."""
    is_count_model = worth.method not in (candidates.TREES, candidates.OWN_RATE)
    if is_count_model or worth.counts is None or worth.spends is None:
        return 1.0
    course = worth.kept_share * candidates.spend_by_counts(
        worth.counts, worth.spends, rows, horizon_days=worth.horizon_days
    )
    if worth.trees is not None:
        spend = worth.level * worth.trees.spend(
            rows, worth.counts, worth.spends, horizon_days=worth.horizon_days
        )
    else:
        spend = worth.kept_share * candidates.spend_by_own_rate(rows, horizon_days=worth.horizon_days)
    return np.where(course > 0, spend / np.maximum(course, 1e-12), 0.0)


def _without_counts(
    rows: pa.Table | pa.RecordBatch, worth: Worth, *, annual_discount_rate: float
) -> Expected:
    """A customer's own rate, only as far ahead as it has been seen; or nothing."""
    age = candidates.floats(rows, "age_days")
    unknown = np.full(len(age), np.nan)
    values = dict.fromkeys(SPANS, unknown)
    spends = dict.fromkeys(("1_year", "horizon"), unknown)
    orders = unknown
    if worth.method == candidates.OWN_RATE:
        rate, kept = float(np.log1p(annual_discount_rate)), worth.margin_share * worth.kept_share
        for name in ("1_year", "3_year"):
            days = SPANS[name]
            present = -np.expm1(-rate * days / YEAR) / (rate * days / YEAR)
            spend = candidates.spend_by_own_rate(rows, horizon_days=days)
            values[name] = np.where(age >= days, kept * present * spend, np.nan)
        for name, days in spans_of(worth).items():
            spend = worth.kept_share * candidates.spend_by_own_rate(rows, horizon_days=days)
            spends[name] = np.where(age >= days, spend, np.nan)
        x, _, T, _ = candidates.histories(rows)
        orders = np.where(age >= YEAR, x / np.maximum(T * DAYS_PER_WEEK, 1.0) * YEAR, np.nan)
    nothing = dict.fromkeys(("1_year", "horizon"), unknown)
    return Expected(values, unknown, unknown, orders, unknown, unknown, unknown, spends, nothing)


def basis(found: Expected, revenue: Floats, worth: Worth) -> Floats:
    """What customers are ranked by: expected worth of a year, or revenue so far where none is expected."""
    return revenue if worth.counts is None else found.values["1_year"]


def from_parts(parts: dict[str, Any]) -> Worth:
    """Read a value model's parts."""
    header = parts["header"]
    counts = parts.get("counts")
    spends = parts.get("gammagamma")
    return Worth(
        method=header["method"],
        horizon_days=header["horizon_days"],
        counts=_counts_from(counts) if counts else None,
        spends=GammaGamma.from_row(spends) if spends else None,
        trees=Trees(parts["trees"]) if "trees" in parts else None,
        level=header["level"],
        kept_share=header["kept_share"],
        margin_share=header["margin_share"],
        has_intervals=header["has_intervals"],
        stretch=header["stretch"],
        reach=header["reach"],
        doubts=header["doubts"],
    )


def _counts_from(row: dict[str, Any]) -> PurchaseModel:
    kinds: dict[str, type[PurchaseModel]] = {
        "bgnbd": candidates.bgnbd.BgNbd,
        "mbgnbd": candidates.mbgnbd.MbgNbd,
        "paretonbd": candidates.paretonbd.ParetoNbd,
    }
    fitted: PurchaseModel = kinds[row["model"]].from_row(row)
    return fitted
