"""What an action changed: those who were treated against a random holdout that was not.

The difference of two means with an interval: Newcombe (1998), "Interval estimation for the difference
between independent proportions", Statistics in Medicine 17, method 10, for rates; Welch's for amounts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

LEAST_CUSTOMERS = 30


class Effect(NamedTuple):
    """Treated against held out: both means, their difference and its interval."""

    treated: int
    held_out: int
    treated_mean: float
    held_out_mean: float
    difference: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def rate_effect(
    responded: int, treated: int, responded_held_out: int, held_out: int, *, confidence: float = 0.95
) -> Effect | None:
    """Effect on a rate of response; None when a group is too small to say."""
    if min(treated, held_out) < LEAST_CUSTOMERS:
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
    """Effect on an amount per customer, those who spent nothing included; None for small groups."""
    treated, held_out = len(amounts), len(amounts_held_out)
    if min(treated, held_out) < LEAST_CUSTOMERS:
        return None
    mean, mean_out = fmean(amounts), fmean(amounts_held_out)
    # From thirty customers a group on, the normal quantile stands in for Student's.
    error = math.sqrt(variance(amounts) / treated + variance(amounts_held_out) / held_out)
    reach = _quantile(confidence) * error
    difference = mean - mean_out
    return Effect(treated, held_out, mean, mean_out, difference, difference - reach, difference + reach)


def _wilson(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    z = _quantile(confidence)
    rate = hits / trials
    centre = rate + z * z / (2 * trials)
    reach = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return (centre - reach) / (1 + z * z / trials), (centre + reach) / (1 + z * z / trials)


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
