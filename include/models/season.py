"""Season of a firm: what the same window of past years realised, over what the model expected of it.

A count model knows no calendar, so its totals are too high before the low season and too low before the high
one. For a window of some days that starts on some date, the log ratio of realised to expected is measured in
the windows that start one, two and three years before; both are known at the training date. The ratios also
hold a lasting error of the model's level, which the correction removes as well.

The estimate is the posterior mean of a normal model: ratios vary between years with variance b^2, each has
its own sampling variance, and the season itself has a normal prior around none with standard deviation
``PRIOR``. So a small firm, whose ratios are noisy, keeps a smaller correction. Under a year of history there
is none. The constants were chosen on 600 windows of simulated firms (``docs/models.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from include.models.purchases.likelihood import Floats

YEAR = timedelta(days=365)
YEARS = 3
PRIOR = 0.25
BETWEEN = 0.07
QUARTER_DAYS = 95
BETWEEN_WEIGHT = 2.0
"""Prior of b: ``BETWEEN``, worth as many years."""


class Year(NamedTuple):
    """One past window: its first day, log of realised over expected, and the standard error of that log."""

    cutoff: date
    log_ratio: float
    error: float


class Season(NamedTuple):
    """Season of a window: log of its factor, standard error, and b, the deviation of a single year."""

    log_factor: float
    error: float
    between: float
    years: tuple[Year, ...]

    @property
    def factor(self) -> float:
        """Factor of the model's expectation; 1 without a year of history."""
        return float(np.exp(self.log_factor))

    @property
    def prediction_error(self) -> float:
        """Standard deviation of the log ratio of a window to come; 0 without a year of history."""
        return float(np.hypot(self.error, self.between))


NO_SEASON = Season(0.0, 0.0, 0.0, ())


def year(cutoff: date, expected: Floats, realised: Floats) -> Year | None:
    """Compare a past window, one element per customer; None if a total is not positive.

    The error is that of a ratio of sums over independent customers (Cochran, "Sampling Techniques", 6.3).
    """
    total, happened = float(expected.sum()), float(realised.sum())
    if total <= 0 or happened <= 0:
        return None
    ratio = happened / total
    error = float(np.sqrt(np.sum((realised - ratio * expected) ** 2))) / happened
    return Year(cutoff, float(np.log(ratio)), error)


def estimate(years: Sequence[Year]) -> Season:
    """Season from the same window of past years; none without a year."""
    if not years:
        return NO_SEASON
    ratios = np.array([past.log_ratio for past in years])
    sampling = np.array([past.error for past in years]) ** 2
    free = len(years) - 1
    excess = max(float(np.sum((ratios - ratios.mean()) ** 2) - free * sampling.mean()), 0.0)
    between = (BETWEEN_WEIGHT * BETWEEN**2 + excess) / (BETWEEN_WEIGHT + free)
    precision = 1.0 / (sampling + between)
    mean, variance = float((precision * ratios).sum() / precision.sum()), 1.0 / float(precision.sum())
    kept = PRIOR**2 / (PRIOR**2 + variance)
    return Season(kept * mean, float(np.sqrt(kept * variance)), float(np.sqrt(between)), tuple(years))


def between_days(seasons: Sequence[tuple[int, Season]], *, day: int) -> Season:
    """Season of a window that starts ``day`` days after the training date, interpolated.

    ``seasons`` holds the first day of each window, in days after the training date, rising. Before the first
    and a quarter after the last there is none: that is another part of the year.
    """
    days = [at for at, _ in seasons]
    if not days or day < days[0] or day > days[-1] + QUARTER_DAYS:
        return NO_SEASON
    right = min(int(np.searchsorted(days, day)), len(days) - 1)
    left = max(right - 1, 0) if days[right] > day else right
    near, far = seasons[left], seasons[right]
    share = (day - near[0]) / (far[0] - near[0]) if far[0] > near[0] else 0.0
    one, other = near[1], far[1]
    return Season(
        (1 - share) * one.log_factor + share * other.log_factor,
        (1 - share) * one.error + share * other.error,
        (1 - share) * one.between + share * other.between,
        one.years,
    )
