"""Conformally calibrated 80 % intervals of customers' spend and of the firm's total.

Customers: the count model's interval [low, high] becomes [low / factor, high x factor]. The factors are split
conformal by group (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", 4.6). The groups are
fifths of the expectation. Over their customers of earlier windows with ``high`` > 0, a factor is the
``LEVEL`` quantile of the ratio by which spend lay outside. Intervals that covered 75 to 85 % are kept.
The firm: the total follows Student's t around its expectation, because customers share shocks that no model
of single customers includes, such as a season. Its scale is estimated from the errors of earlier totals.
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
MIN_SCORES = 50
MIN_FACTOR, MAX_FACTOR = 0.8, 5.0
GOOD_COVERAGE = 0.75, 0.85
GROUPS = 5
PRIOR_WINDOWS = 2.0
"""Weight of the prior, in windows: the model's own standard deviation of the total is assumed correct."""


class Spread(NamedTuple):
    """Net spend over a window: one element per customer, in the firm's currency.

    ``nominal`` is the coverage each interval should have. ``parameter_se_share`` is the standard error of the
    firm's total due to the parameters, as a share of that total.
    """

    expected: Floats
    deviation: Floats
    low: Floats
    high: Floats
    nominal: Floats
    parameter_se_share: float


class Coverage(NamedTuple):
    """Result of one window: conformal scores of customers with ``high`` > 0, and the total's z-score.

    ``expected`` is the expected spend of these customers.
    """

    scores: Floats
    total_z: float
    expected: Floats


class Conformal(NamedTuple):
    """Conformal factors by group of expected spend; ``bounds`` part the groups, rising."""

    bounds: tuple[float, ...]
    factors: tuple[float, ...]

    def of(self, expected: Floats) -> Floats:
        """The factor of each customer."""
        return np.asarray(self.factors)[np.searchsorted(np.asarray(self.bounds), expected, side="right")]

    def scaled(self, share: float) -> Conformal:
        """The same factors for another horizon, whose expectations are ``share`` times as large."""
        return Conformal(tuple(share * bound for bound in self.bounds), self.factors)


NO_CONFORMAL = Conformal((), (1.0,))


def spread(
    rows: pa.Table | pa.RecordBatch,
    counts: PurchaseModel,
    spends: GammaGamma,
    *,
    kept_share: float,
    factor: Floats | float,
    horizon_days: float,
    parameter_se_share: float,
) -> Spread:
    """Each customer's net spend and interval: ``factor`` times the count model's mean, after returns.

    ``deviation`` is the standard deviation with the parameters known.
    """
    x, t_x, T, m = histories(rows)
    chance = value.spend(counts, spends, x, t_x, T, m, horizon_days=horizon_days)
    chance = rescaled(chance, factor)
    low, high, nominal = value.interval(chance, level=LEVEL)
    deviation = kept_share * np.sqrt(chance.variance)
    return Spread(
        kept_share * chance.mean, deviation, kept_share * low, kept_share * high, nominal, parameter_se_share
    )


def rescaled(chance: Spend, factor: Floats | float) -> Spend:
    """Spend with the mean multiplied by ``factor``, as if the customer bought that much more often.

    P(spend = 0) is raised to the power ``factor``, as in a Poisson process; positive spend keeps its
    coefficient of variation. Scaling the amounts alone would give a customer who has almost certainly left
    one implausibly large order.
    """
    some = np.clip(chance.any, 1e-300, 1.0 - 1e-12)
    now_some = np.maximum(-np.expm1(factor * np.log1p(-some)), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_of_some = some * (chance.variance / chance.mean**2 + 1.0)
    mean = factor * chance.mean
    variance = np.where(mean > 0, mean**2 * np.maximum(spread_of_some / now_some - 1.0, 0.0), 0.0)
    return Spend(mean, variance, np.where(mean > 0, now_some, 0.0))


def parameter_se_share(
    rows: pa.Table, counts: PurchaseModel, spends: GammaGamma, *, horizon_days: float
) -> float:
    """Standard error of the firm's total due to the estimated parameters, as a share of that total."""
    _, _, _, m = histories(rows)
    columns = {name: rows[name] for name in ("frequency", "recency_days", "age_days")}
    batches = pa.table({**columns, "mean_spend": m}).combine_chunks().to_batches()
    total = value.total(batches, counts, spends, horizon_days=horizon_days, level=LEVEL)
    return float(np.sqrt(total.parameter_variance)) / total.expected if total.expected > 0 else 0.0


def calibrated(found: Spread, conformal: Conformal) -> tuple[Floats, Floats]:
    """Lower and upper bounds after calibration by the conformal factors."""
    factor = conformal.of(found.expected)
    high = found.high * factor
    return np.minimum(found.low / factor, high), high


def coverage(found: Spread, happened: Floats) -> Coverage:
    """Compare the predicted spread of a window with the actual spend (one element per customer)."""
    is_open = found.high > 0
    low, high, spent = found.low[is_open], found.high[is_open], np.maximum(happened[is_open], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(low > 0, np.where(spent > 0, low / spent, np.inf), 0.0)
    total_z = float(happened.sum() - found.expected.sum()) / max(total_deviation(found), 1e-9)
    return Coverage(np.maximum(spent / high, below), total_z, found.expected[is_open])


def total_deviation(found: Spread) -> float:
    """Standard deviation of the firm's total: independent customers plus parameter uncertainty."""
    chance = float(np.sum(found.deviation**2))
    return float(np.sqrt(chance + (found.parameter_se_share * float(found.expected.sum())) ** 2))


def conformal_of(earlier: Sequence[Coverage]) -> Conformal:
    """Factors that give earlier open intervals a coverage of ``LEVEL``; 1 below ``MIN_SCORES`` scores."""
    scores = np.concatenate([found.scores for found in earlier]) if earlier else np.zeros(0)
    if len(scores) < MIN_SCORES or GOOD_COVERAGE[0] <= float((scores <= 1.0).mean()) <= GOOD_COVERAGE[1]:
        return NO_CONFORMAL
    expected = np.concatenate([found.expected for found in earlier])
    bounds = np.unique(np.quantile(expected, np.arange(1, GROUPS) / GROUPS))
    group = np.searchsorted(bounds, expected, side="right")
    every = _factor_of(scores)
    parts = [scores[group == at] for at in range(len(bounds) + 1)]
    factors = tuple(_factor_of(part) if len(part) >= MIN_SCORES else every for part in parts)
    return Conformal(tuple(bounds.tolist()), factors)


def _factor_of(scores: Floats) -> float:
    at = min(int(np.ceil((len(scores) + 1) * LEVEL)), len(scores)) - 1
    return float(np.clip(np.sort(scores)[at], MIN_FACTOR, MAX_FACTOR))


def interval_z_of(earlier: Sequence[Coverage]) -> float:
    """Half-width of the firm's interval in standard deviations of the total.

    The variance factor of the totals has a scaled inverse chi-squared prior around 1, worth ``PRIOR_WINDOWS``
    windows; its posterior predictive is Student's t (Gelman and others, "Bayesian Data Analysis", 3.3).
    """
    windows = PRIOR_WINDOWS + len(earlier)
    factor = (PRIOR_WINDOWS + sum(found.total_z**2 for found in earlier)) / windows
    return float(special.stdtrit(windows, 0.5 + LEVEL / 2) * np.sqrt(factor))


def measured(found: Spread, happened: Floats, earlier: Sequence[Coverage]) -> dict[str, float | None]:
    """Coverage of a window's intervals, calibrated on ``earlier`` windows only. The keys are persisted names.

    ``coverage`` counts all customers; ``coverage_nominal`` is its expected value: a customer with
    P(spend = 0) above ``LEVEL`` has the interval [0, 0], which covers more than ``LEVEL``.
    ``coverage_of_open`` counts only customers with ``high`` > 0. ``coverage_at_level`` counts all by
    randomised intervals: an interval of nominal coverage c > ``LEVEL`` counts with probability LEVEL / c,
    the usual correction for discrete outcomes.
    """
    conformal, interval_z = conformal_of(earlier), interval_z_of(earlier)
    low, high = calibrated(found, conformal)
    inside = (low <= happened + 1e-6) & (np.maximum(happened, 0.0) <= high + 1e-6)
    raw = (found.low <= happened + 1e-6) & (np.maximum(happened, 0.0) <= found.high + 1e-6)
    is_open = found.high > 0
    expected, realised = float(found.expected.sum()), float(happened.sum())
    half_width = interval_z * total_deviation(found)
    return {
        "coverage": float(inside.mean()),
        "coverage_nominal": float(found.nominal.mean()),
        "coverage_of_open": float(inside[is_open].mean()) if is_open.any() else None,
        "coverage_of_open_raw": float(raw[is_open].mean()) if is_open.any() else None,
        "coverage_at_level": float((inside * LEVEL / found.nominal).mean()),
        "stretch": float(np.mean(conformal.factors)),
        "reach": interval_z,
        "total_expected": expected,
        "total_low": max(0.0, expected - half_width),
        "total_high": expected + half_width,
        "total_realised": realised,
        "total_inside": float(abs(realised - expected) <= half_width),
    }


def coverage_message(coverage: dict[str, Any] | None) -> list[str]:
    """Describe the coverage of the latest window in one sentence; an empty list without coverage."""
    if not coverage or coverage["coverage_of_open"] is None:
        return []
    share, level, plain = (100 * coverage[f"coverage{of}"] for of in ("_of_open", "_at_level", ""))
    low, high, realised = (coverage[f"total_{name}"] for name in ("low", "high", "realised"))
    customers = f"{plain:.0f} % of the customers"
    if round(plain) != round(level):
        customers = (
            f"{share:.0f} % of the customers with an open interval and {level:.0f} % of all at level "
            f"({plain:.0f} % of all without correction, as intervals [0, 0] cover more than 80 %)"
        )
    where = "inside" if coverage["total_inside"] else "outside"
    return [
        f"on the latest window 80 % intervals covered {customers}; the firm's total of {realised:,.0f} was "
        f"{where} its interval of {low:,.0f} to {high:,.0f}"
    ]
