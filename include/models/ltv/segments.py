"""Who is worth what: percentile, tier, value segment and stage of life.

Percentiles are taken among the firm's customers at the anchor, so that a customer's place changes because
the customer does, not because the model was fitted anew the same day.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.ltv.candidates import floats
from include.models.purchases.likelihood import Floats

TIERS = (
    (90.0, 5, "platinum"),
    (70.0, 4, "gold"),
    (40.0, 3, "silver"),
    (20.0, 2, "bronze"),
    (0.0, 1, "basic"),
)
"""From this percentile on: level and code. The names and meaning are rows of dim_customer_tier."""
TOP = 80.0
MIDDLE = 50.0
PROBABLY_GONE = 0.5
GRID = 1001

VIP, LOYAL, POTENTIAL, ONE_TIMER, RISKY = "VIP", "Loyal", "Potential growth", "One-timer", "Risky"


class Cuts(NamedTuple):
    """Quantiles of expected worth and of revenue so far, on an even grid of shares."""

    worth: list[float]
    revenue: list[float]


def cuts_of(worth: Floats, revenue: Floats) -> Cuts:
    """What parts the customers of the anchor."""
    shares = np.linspace(0.0, 1.0, GRID)
    both = (np.quantile(values, shares, method="higher").tolist() for values in (worth, revenue))
    return Cuts(*both)


def percentiles(values: Floats, cuts: list[float]) -> Floats:
    """0 to 100: the share of the grid that lies below, plus half of what is equal."""
    grid = np.array(cuts)
    below, up_to = np.searchsorted(grid, values, side="left"), np.searchsorted(grid, values, side="right")
    found: Floats = 100.0 * (below + up_to).astype(np.float64) / (2.0 * len(grid))
    return found


def tiers(worth_percentile: Floats) -> tuple[NDArray[np.int8], NDArray[np.str_]]:
    """Level 1 to 5 and code."""
    at = np.select([worth_percentile >= low for low, _, _ in TIERS], range(len(TIERS)), len(TIERS) - 1)
    levels = np.array([level for _, level, _ in TIERS], dtype=np.int8)
    return levels[at], np.array([code for _, _, code in TIERS])[at]


def segments(
    rows: pa.RecordBatch | pa.Table,
    worth_percentile: Floats,
    revenue_percentile: Floats,
    alive: Floats | None,
    *,
    churn_threshold_days: int,
) -> NDArray[np.str_]:
    """The first that fits: one-timer, VIP (top fifth in both), risky, loyal, potential growth.

    Risky are repeat buyers who have probably left; where no model says so, those silent for longer than the
    churn threshold. Loyal are those with two repeat days and at least middling worth.
    """
    repeats = floats(rows, "frequency")
    silent = floats(rows, "days_since_last_order") > churn_threshold_days
    gone = silent if alive is None else alive < PROBABLY_GONE
    found: NDArray[np.str_] = np.select(
        [
            repeats == 0,
            (worth_percentile >= TOP) & (revenue_percentile >= TOP),
            gone,
            (repeats >= 2) & (worth_percentile >= MIDDLE),
        ],
        [ONE_TIMER, VIP, RISKY, LOYAL],
        POTENTIAL,
    )
    return found


def stages(rows: pa.RecordBatch | pa.Table, *, churn_threshold_days: int) -> NDArray[np.str_]:
    """New: first bought within the churn threshold; then active, cooling (to twice it) and lapsed."""
    age, silence = floats(rows, "age_days"), floats(rows, "days_since_last_order")
    found: NDArray[np.str_] = np.select(
        [age <= churn_threshold_days, silence <= churn_threshold_days, silence <= 2 * churn_threshold_days],
        ["New", "Active", "Cooling"],
        "Lapsed",
    )
    return found
