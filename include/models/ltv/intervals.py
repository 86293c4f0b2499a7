"""Intervals that hold as often as they say: the count model's own, set right by windows that have passed.

Customers: an interval [low, high] becomes [low / stretch, high x stretch]. The stretch is split conformal: of
earlier windows' customers whose interval is open (high above 0) it is the quantile at ``level`` of how far
each outcome lay beyond its interval (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World").
The firm: its total is Student's t about the expectation, because the customers share what no model of single
customers knows, a season or a shock; how much is learned from how surprising earlier totals were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from scipy import special

from include.models.ltv import value
from include.models.ltv.candidates import histories
from include.models.ltv.value import Spend
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel

LEVEL = 0.8
FEWEST_SCORES = 50
LEAST_STRETCH, MOST_STRETCH = 0.8, 5.0
PRIOR_WINDOWS = 2.0
"""What the models' own standard deviation counts for, in windows, before any total has been compared."""


class Spread(NamedTuple):
    """Net spend of a window per customer, as the count model spreads it about a method's amount."""

    expected: Floats
    deviation: Floats
    low: Floats
    high: Floats
    nominal: Floats
    doubt_share: float


class Coverage(NamedTuple):
    """What is learned from one window: conformal scores of open intervals, surprise of the total."""

    scores: Floats
    surprise: float


def spread(
    rows: pa.Table | pa.RecordBatch,
    counts: PurchaseModel,
    spends: GammaGamma,
    *,
    kept_share: float,
    factor: Floats | float,
    horizon_days: float,
    doubt_share: float,
) -> Spread:
    """Each customer's interval, its mean ``factor`` times the count model's, less the share given back.

    The deviation is that of chance alone.
    """
    x, t_x, T, m = histories(rows)
    chance = value.spend(counts, spends, x, t_x, T, m, horizon_days=horizon_days)
    chance = moved(chance, factor)
    low, high, nominal = value.interval(chance, level=LEVEL)
    deviation = kept_share * np.sqrt(chance.variance)
    return Spread(
        kept_share * chance.mean, deviation, kept_share * low, kept_share * high, nominal, doubt_share
    )


def moved(chance: Spend, factor: Floats | float) -> Spend:
    """Spend whose mean is ``factor`` times as high, as if the customer came that much more often.

    P(nothing) is raised to that power, as a Poisson process' would be; what is spent when anything is keeps
    its relative spread. Amounts alone cannot carry it: who is all but gone would spend a fortune at once.
    """
    some = np.clip(chance.any, 1e-300, 1.0 - 1e-12)
    now_some = np.maximum(-np.expm1(factor * np.log1p(-some)), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_of_some = some * (chance.variance / chance.mean**2 + 1.0)
    mean = factor * chance.mean
    variance = np.where(mean > 0, mean**2 * np.maximum(spread_of_some / now_some - 1.0, 0.0), 0.0)
    return Spend(mean, variance, np.where(mean > 0, now_some, 0.0))


def doubt_share(rows: pa.Table, counts: PurchaseModel, spends: GammaGamma, *, horizon_days: float) -> float:
    """Standard deviation of the firm's total that comes of the fitted parameters, as a share of it."""
    _, _, _, m = histories(rows)
    columns = {name: rows[name] for name in ("frequency", "recency_days", "age_days")}
    batches = pa.table({**columns, "mean_spend": m}).combine_chunks().to_batches()
    total = value.total(batches, counts, spends, horizon_days=horizon_days, level=LEVEL)
    return float(np.sqrt(total.parameter_variance)) / total.expected if total.expected > 0 else 0.0


def stretched(found: Spread, stretch: float) -> tuple[Floats, Floats]:
    """Low and high after calibration."""
    high = found.high * stretch
    return np.minimum(found.low / stretch, high), high


def coverage(found: Spread, happened: Floats) -> Coverage:
    """Compare a window's spread with what happened in it."""
    is_open = found.high > 0
    low, high, spent = found.low[is_open], found.high[is_open], np.maximum(happened[is_open], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(low > 0, np.where(spent > 0, low / spent, np.inf), 0.0)
    surprise = float(happened.sum() - found.expected.sum()) / max(total_deviation(found), 1e-9)
    return Coverage(np.maximum(spent / high, below), surprise)


def total_deviation(found: Spread) -> float:
    """Of the firm's total: chance of independent customers, and the doubt about parameters."""
    chance = float(np.sum(found.deviation**2))
    return float(np.sqrt(chance + (found.doubt_share * float(found.expected.sum())) ** 2))


def stretch_of(earlier: Sequence[Coverage]) -> float:
    """The factor that would have made ``LEVEL`` of earlier open intervals hold; 1 with too few of them."""
    scores = np.sort(np.concatenate([found.scores for found in earlier])) if earlier else np.zeros(0)
    if len(scores) < FEWEST_SCORES:
        return 1.0
    at = min(int(np.ceil((len(scores) + 1) * LEVEL)), len(scores)) - 1
    return float(np.clip(scores[at], LEAST_STRETCH, MOST_STRETCH))


def reach_of(earlier: Sequence[Coverage]) -> float:
    """How many standard deviations the firm's interval reaches to either side.

    The deviations' common factor has a scaled inverse chi-squared prior about 1, worth ``PRIOR_WINDOWS``
    windows; its posterior predictive is Student's t (Gelman and others, "Bayesian Data Analysis", 3.3).
    """
    windows = PRIOR_WINDOWS + len(earlier)
    factor = (PRIOR_WINDOWS + sum(found.surprise**2 for found in earlier)) / windows
    return float(special.stdtrit(windows, 0.5 + LEVEL / 2) * np.sqrt(factor))


def measured(found: Spread, happened: Floats, earlier: Sequence[Coverage]) -> dict[str, float | None]:
    """How often intervals held that were calibrated on ``earlier`` windows alone.

    ``coverage`` is of all customers, ``coverage_nominal`` what it should be: one likelier than ``LEVEL`` to
    spend nothing has the interval [0, 0], which covers more. ``coverage_of_open`` is of the others.
    ``coverage_at_level`` is of all, by randomised intervals: one that covers more than ``LEVEL`` is used with
    the chance that brings it down to ``LEVEL``, as one does with discrete outcomes, else it holds nothing.
    """
    stretch, reach = stretch_of(earlier), reach_of(earlier)
    low, high = stretched(found, stretch)
    inside = (low <= happened + 1e-6) & (np.maximum(happened, 0.0) <= high + 1e-6)
    raw = (found.low <= happened + 1e-6) & (np.maximum(happened, 0.0) <= found.high + 1e-6)
    is_open = found.high > 0
    expected, realised = float(found.expected.sum()), float(happened.sum())
    room = reach * total_deviation(found)
    return {
        "coverage": float(inside.mean()),
        "coverage_nominal": float(found.nominal.mean()),
        "coverage_of_open": float(inside[is_open].mean()) if is_open.any() else None,
        "coverage_of_open_raw": float(raw[is_open].mean()) if is_open.any() else None,
        "coverage_at_level": float((inside * LEVEL / found.nominal).mean()),
        "stretch": stretch,
        "reach": reach,
        "total_expected": expected,
        "total_low": max(0.0, expected - room),
        "total_high": expected + room,
        "total_realised": realised,
        "total_inside": float(abs(realised - expected) <= room),
    }


def told(coverage: dict[str, Any] | None) -> list[str]:
    """In words, how often intervals held on the latest window, calibrated on those before it."""
    if not coverage or coverage["coverage_of_open"] is None:
        return []
    share, level, plain = (100 * coverage[f"coverage{of}"] for of in ("_of_open", "_at_level", ""))
    low, high, realised = (coverage[f"total_{name}"] for name in ("low", "high", "realised"))
    customers = f"{plain:.0f} % of the customers"
    if round(plain) != round(level):
        customers = (
            f"{share:.0f} % of the customers likely to buy and {level:.0f} % of all at level ({plain:.0f} % "
            "counted plainly, as some are all but sure to spend nothing)"
        )
    where = "inside" if coverage["total_inside"] else "outside"
    return [
        f"on the latest window 80 % intervals held {customers}; the firm's {realised:,.0f} fell {where} its "
        f"{low:,.0f} to {high:,.0f}"
    ]
