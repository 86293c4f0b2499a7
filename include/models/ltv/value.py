"""What customers will spend: purchases times spend, discounted, with intervals.

Conventions, the same everywhere. ``annual_discount_rate`` is effective per year: money that arrives u days
from the snapshot is worth (1 + rate)^(-u / 365) of itself, counted at the instant it arrives, not at the end
of its month. A value is of future orders only. It is revenue times ``margin_share``, the part that is kept.
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
    & Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4). Without a rate above 0 that may be
    infinite, so one is required.
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
    """Spend over a horizon, per customer: its mean, its variance, and the chance that there is any."""

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

    The two models are independent by assumption; the orders of one customer are not, as they share its rates.
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
    """Low, high and true coverage of each customer's spend.

    Spend is nothing with its exact probability, and otherwise taken as a gamma with the exact mean and
    variance. While nothing is rarer than one tail the interval has equal tails; otherwise it starts at 0 and
    ends where the level is reached. A customer likelier than ``level`` to spend nothing gets [0, 0], which
    covers more than was asked; the third array says how much each interval covers.
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
    """The firm's total over a horizon: its expectation, an interval, and where the doubt comes from.

    ``chance_variance`` is that of customers' luck with the parameters known, ``parameter_variance`` that
    of the fitted parameters.
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

    A normal interval: customers are independent given the parameters, so chance variances add, and the
    doubt about the parameters is carried to the total by its derivatives (delta method). A ``customers``
    column, where there is one, says how many share a row. A season or a shock that all customers share is
    not in it.
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
                worth = spends.moved(symbol, sign * LOG_STEP).expected_spend(x, m)
                slopes[1][i] += sign * float(np.sum(n * number * worth)) / (2 * LOG_STEP)
    doubt = sum(float(s @ fit.log_covariance @ s) for s, fit in zip(slopes, fits, strict=True))
    reach = float(special.ndtri(0.5 + level / 2)) * float(np.sqrt(chance + doubt))
    return Total(expected, max(0.0, expected - reach), expected + reach, level, chance, doubt)
