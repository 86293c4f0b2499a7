"""Expected spend and discounted purchases per customer, with intervals per customer and for the firm.

``annual_discount_rate`` is effective per year. Money received u days after the snapshot is multiplied by
(1 + rate)^(-u / 365), from the day it is received, not from the end of its month. Only future orders count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import special

from include.models.purchases import gammagamma
from include.models.purchases import model as purchases
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats, histories, numbers
from include.models.purchases.model import PurchaseModel

DAYS_PER_YEAR = 365.0
LOG_STEP = 1e-3


def discounted_purchases(
    model: PurchaseModel,
    x: Floats,
    t_x: Floats,
    T: Floats,
    *,
    horizon_days: float,
    annual_discount_rate: float,
) -> Floats:
    """Expected purchases in the next ``horizon_days``, each discounted to the snapshot.

    Over an infinite horizon this is DERT, the discounted expected residual transactions of Fader, Hardie
    & Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4). At a rate of 0 that sum may be infinite,
    so ValueError is raised. One element per customer; ``x``, ``t_x`` and ``T`` are in weeks.
    """
    if annual_discount_rate < 0 or (np.isinf(horizon_days) and annual_discount_rate == 0):
        raise ValueError(
            f"value: annual_discount_rate is {annual_discount_rate}; give a rate above 0, or a finite horizon"
        )
    rate = float(np.log1p(annual_discount_rate)) * DAYS_PER_WEEK / DAYS_PER_YEAR
    t = horizon_days / DAYS_PER_WEEK
    alive = model.alive(x, t_x, T)
    return purchases.shared(lambda x, T: model.discounted_if_alive(x, T, t, rate), x, T, times=alive)


@dataclass(frozen=True)
class Spend:
    """Spend over a horizon, one element per customer: mean, variance, and P(spend > 0) in ``any``."""

    mean: Floats
    variance: Floats
    any: Floats


def spend(
    counts: PurchaseModel,
    spends: GammaGamma,
    x: Floats,
    t_x: Floats,
    T: Floats,
    m: Floats,
    *,
    horizon_days: float,
) -> Spend:
    """Moments of the sum of Y orders of value z: E[S^2] = E[Y] E[z^2] + E[Y (Y-1)] E[z z'].

    Purchase counts and order values are assumed independent. Orders of one customer are not: they share its
    rates. ``x``, ``t_x`` and ``T`` are in weeks, ``m`` in the firm's currency.
    """
    t = horizon_days / DAYS_PER_WEEK
    alive = counts.alive(x, t_x, T)
    number = alive * purchases.shared(lambda x, T: counts.purchases_if_alive(x, T, t), x, T)
    pairs = alive * purchases.shared(lambda x, T: counts.pairs_if_alive(x, T, t), x, T)
    some = alive * purchases.shared(lambda x, T: 1.0 - counts.none_if_alive(x, T, t), x, T)
    one, two = spends.second_moments(x, m)
    mean = number * spends.expected_spend(x, m)
    return Spend(mean, np.maximum(number * one + pairs * two - mean**2, 0.0), some)


def interval(expected: Spend, *, level: float) -> tuple[Floats, Floats, Floats]:
    """Lower bound, upper bound and nominal coverage of each customer's spend.

    Spend is 0 with its exact probability; positive spend follows a gamma distribution with the exact mean
    and variance. If P(spend = 0) is below one tail, the interval has equal tails. Otherwise it starts at 0
    and ends at the quantile ``level``. If P(spend = 0) exceeds ``level``, the interval is [0, 0] and covers
    more than ``level``; the third array gives the coverage of each interval.
    """
    none, some = 1.0 - expected.any, np.maximum(expected.any, 1e-300)
    mean = expected.mean / some
    variance = np.maximum((expected.variance + expected.mean**2) / some - mean**2, 1e-12 * mean**2)
    shape = mean**2 / np.maximum(variance, 1e-300)
    shape, scale = np.clip(shape, 1e-6, 1e9), variance / np.maximum(mean, 1e-300)

    def quantile(share: Floats | float) -> Floats:
        above = np.clip((share - none) / some, 0.0, 1.0 - 1e-12)
        return np.where(above > 0, scale * special.gammaincinv(shape, above), 0.0)

    tail = (1.0 - level) / 2
    from_zero = none >= tail
    low = np.where(from_zero, 0.0, quantile(tail))
    high = quantile(np.where(from_zero, level, 1.0 - tail))
    return low, high, np.maximum(level, none)


@dataclass(frozen=True)
class Total:
    """The firm's total over a horizon: expectation, interval, and the two parts of its variance.

    ``chance_variance`` is the variance with the parameters known; ``parameter_variance`` is the variance due
    to the estimated parameters.
    """

    expected: float
    low: float
    high: float
    level: float
    chance_variance: float
    parameter_variance: float


def total(
    batches: Iterable[pa.RecordBatch],
    counts: PurchaseModel,
    spends: GammaGamma | None,
    *,
    horizon_days: float,
    level: float,
) -> Total:
    """The firm's spend over the horizon, or its purchases when ``spends`` is None.

    A normal interval. Customers are independent given the parameters, so their variances add up. The
    parameters' covariance is carried to the total by numerical derivatives (delta method). A ``customers``
    column, if present, is the number of customers that share a row. Shocks that all customers share, such as
    a season, are not included.
    """
    fits = [counts] if spends is None else [counts, spends]
    slopes = [np.zeros(len(fit.symbols)) for fit in fits]
    expected, chance = 0.0, 0.0
    for batch in batches:
        x, t_x, T = histories(batch, counts.model)
        m = gammagamma.histories(batch)[1] if spends is not None else np.zeros_like(x)
        has_weights = "customers" in batch.schema.names
        n = numbers(batch, "customers", counts.model) if has_weights else np.ones_like(x)
        order = spends.expected_spend(x, m) if spends is not None else np.ones_like(x)
        number = purchases.expected(counts, x, t_x, T, horizon_days=horizon_days)
        expected += float(np.sum(n * number * order))
        if spends is None:
            variance = purchases.variance(counts, x, t_x, T, horizon_days=horizon_days)
        else:
            variance = spend(counts, spends, x, t_x, T, m, horizon_days=horizon_days).variance
        chance += float(np.sum(n * variance))
        for i, symbol in enumerate(counts.symbols):
            for sign in (1.0, -1.0):
                moved = counts.moved(symbol, sign * LOG_STEP)
                there = purchases.expected(moved, x, t_x, T, horizon_days=horizon_days)
                slopes[0][i] += sign * float(np.sum(n * there * order)) / (2 * LOG_STEP)
        if spends is None:
            continue
        for i, symbol in enumerate(spends.symbols):
            for sign in (1.0, -1.0):
                moved_order = spends.moved(symbol, sign * LOG_STEP).expected_spend(x, m)
                slopes[1][i] += sign * float(np.sum(n * number * moved_order)) / (2 * LOG_STEP)
    parameters = sum(float(s @ fit.log_covariance @ s) for s, fit in zip(slopes, fits, strict=True))
    half_width = float(special.ndtri(0.5 + level / 2)) * float(np.sqrt(chance + parameters))
    return Total(expected, max(0.0, expected - half_width), expected + half_width, level, chance, parameters)
