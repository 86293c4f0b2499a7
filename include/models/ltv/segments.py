"""Value percentile, tier, value segment and lifecycle stage of each customer.

Percentiles refer to the firm's customers at the training date. A refit on the same data does not move a
customer; only a change of the customer's own value does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.ltv.candidates import floats
from include.models.purchases.likelihood import Floats

TIERS = ("basic", "bronze", "silver", "gold", "platinum")
"""Codes of the tiers by level, 1 to 5. Names and meaning are rows of dim_customer_tier."""
TOP = 80.0
MIDDLE = 50.0
PROBABLY_GONE = 0.5
GRID = 1001

VIP, LOYAL, POTENTIAL, ONE_TIMER, RISKY = "VIP", "Loyal", "Potential growth", "One-timer", "Risky"


class Cuts(NamedTuple):
    """Quantiles of predicted value and of past revenue on an even grid of ``GRID`` shares from 0 to 1."""

    value: list[float]
    revenue: list[float]


def cuts_of(value: Floats, revenue: Floats) -> Cuts:
    """Quantiles of the customers at the training date."""
    shares = np.linspace(0.0, 1.0, GRID)
    both = (np.quantile(values, shares, method="higher").tolist() for values in (value, revenue))
    return Cuts(*both)


def percentiles(values: Floats, cuts: list[float]) -> Floats:
    """Percentile of each value, 0 to 100: share of the grid below it plus half of the equal part."""
    grid = np.array(cuts)
    below, up_to = np.searchsorted(grid, values, side="left"), np.searchsorted(grid, values, side="right")
    found: Floats = 100.0 * (below + up_to).astype(np.float64) / (2.0 * len(grid))
    return found


def tiers(
    value_percentile: Floats, bounds: tuple[float, float, float, float]
) -> tuple[NDArray[np.int8], NDArray[np.str_]]:
    """Tier level (1 to 5) and tier code of each customer; ``bounds``: lowest percentiles of levels 2 to 5."""
    at = np.searchsorted(np.array(bounds), value_percentile, side="right")
    return (at + 1).astype(np.int8), np.array(TIERS)[at]


def segments(
    rows: pa.RecordBatch | pa.Table,
    value_percentile: Floats,
    revenue_percentile: Floats,
    alive: Floats | None,
    *,
    churn_threshold_days: int,
) -> NDArray[np.str_]:
    """Value segment of each customer: the first condition that holds.

    One-timer: no repeat purchase. VIP: top fifth by value and by revenue. Risky: P(alive) below 0.5, or
    without a count model no order for longer than the churn threshold. Loyal: at least two repeat days and
    the median value. Otherwise: potential growth.
    """
    repeats = floats(rows, "frequency")
    silent = floats(rows, "days_since_last_order") > churn_threshold_days
    gone = silent if alive is None else alive < PROBABLY_GONE
    found: NDArray[np.str_] = np.select(
        [
            repeats == 0,
            (value_percentile >= TOP) & (revenue_percentile >= TOP),
            gone,
            (repeats >= 2) & (value_percentile >= MIDDLE),
        ],
        [ONE_TIMER, VIP, RISKY, LOYAL],
        POTENTIAL,
    )
    return found


def stages(rows: pa.RecordBatch | pa.Table, *, churn_threshold_days: int) -> NDArray[np.str_]:
    """New: first purchase within the churn threshold. Else by days since the last order, in thresholds."""
    age, silence = floats(rows, "age_days"), floats(rows, "days_since_last_order")
    found: NDArray[np.str_] = np.select(
        [age <= churn_threshold_days, silence <= churn_threshold_days, silence <= 2 * churn_threshold_days],
        ["New", "Active", "Cooling"],
        "Lapsed",
    )
    return found
