"""Effect of an action: difference between treated customers and a random holdout, with an interval.

Rates: Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics
in Medicine 17, method 10. Amounts: Welch's interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

MIN_CUSTOMERS = 30


class Effect(NamedTuple):
    """Mean of the treated, mean of the holdout, their difference and its interval."""

    treated: int
    held_out: int
    treated_mean: float
    held_out_mean: float
    difference: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def rate_effect(
    responded: int, treated: int, responded_held_out: int, held_out: int, *, confidence: float = 0.95
) -> Effect | None:
    """Effect on a response rate (0 to 1); None if a group has fewer than ``MIN_CUSTOMERS``."""
    if min(treated, held_out) < MIN_CUSTOMERS:
        return None
    rate, rate_out = responded / treated, responded_held_out / held_out
    low, high = _wilson(responded, treated, confidence)
    low_out, high_out = _wilson(responded_held_out, held_out, confidence)
    difference = rate - rate_out
    return Effect(
        treated,
        held_out,
        rate,
        rate_out,
        difference,
        difference - math.hypot(rate - low, high_out - rate_out),
        difference + math.hypot(high - rate, rate_out - low_out),
    )


def amount_effect(
    amounts: Sequence[float], amounts_held_out: Sequence[float], *, confidence: float = 0.95
) -> Effect | None:
    """Effect on the mean amount per customer, zeros included; None below ``MIN_CUSTOMERS`` in a group."""
    treated, held_out = len(amounts), len(amounts_held_out)
    if min(treated, held_out) < MIN_CUSTOMERS:
        return None
    mean, mean_out = fmean(amounts), fmean(amounts_held_out)
    # With at least 30 customers per group the normal quantile approximates Student's t.
    error = math.sqrt(variance(amounts) / treated + variance(amounts_held_out) / held_out)
    half_width = _quantile(confidence) * error
    difference = mean - mean_out
    return Effect(
        treated, held_out, mean, mean_out, difference, difference - half_width, difference + half_width
    )


def adjusted(
    amounts: Sequence[float], before: Sequence[float], *, slope: float, mean_before: float
) -> list[float]:
    """Amounts less what each customer's amount of the period before explains of them.

    Deng et al. (2013), "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data" (WSDM). ``slope`` is that of amounts on ``before`` over both groups.
    """
    return [amount - slope * (known - mean_before) for amount, known in zip(amounts, before, strict=True)]


def slope_of(amounts: Sequence[float], before: Sequence[float]) -> float:
    """Least-squares slope of amounts on the amounts of the period before; 0 where these do not differ."""
    mean, mean_before = fmean(amounts), fmean(before)
    spread = sum((known - mean_before) ** 2 for known in before)
    shared = sum((a - mean) * (b - mean_before) for a, b in zip(amounts, before, strict=True))
    return shared / spread if spread else 0.0


def least_detectable(
    deviation: float, treated: int, held_out: int, *, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Least true difference of means that groups of these sizes show with the given power."""
    quantiles = _quantile(confidence) + NormalDist().inv_cdf(power)
    return quantiles * deviation * math.sqrt(1 / treated + 1 / held_out)


def _wilson(hits: int, rows: int, confidence: float) -> tuple[float, float]:
    z = _quantile(confidence)
    rate = hits / rows
    centre = rate + z * z / (2 * rows)
    half_width = z * math.sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows))
    return (centre - half_width) / (1 + z * z / rows), (centre + half_width) / (1 + z * z / rows)


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
