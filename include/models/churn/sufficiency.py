"""Check whether a firm has enough history to train and test churn, and name each shortfall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from include.models.firm import FirmSettings

Bools = NDArray[np.bool_]

MIN_CUTOFFS = 3  # one to train on, one to tune on, one to evaluate on


def disjoint(cutoffs: Sequence[date], *, horizon_days: int) -> list[date]:
    """Cutoffs whose windows do not overlap, latest kept first; oldest first."""
    kept: list[date] = []
    for cutoff in sorted(cutoffs, reverse=True):
        if not kept or cutoff + timedelta(days=horizon_days) <= kept[-1]:
            kept.append(cutoff)
    return kept[::-1]


def shortfalls(windows: list[tuple[Bools, Bools]], *, firm: FirmSettings) -> list[str]:
    """One phrase per shortfall; an empty list if the firm has enough history.

    ``windows`` holds one pair per cutoff, oldest first: whether each customer churned, and whether each is a
    repeat buyer.
    """
    settings, horizon = firm.churn, firm.churn_threshold_days
    missing = []
    if len(windows) < MIN_CUTOFFS:
        missing.append(
            f"history has fewer than {MIN_CUTOFFS} cutoffs ({(MIN_CUTOFFS + 1) * horizon} days are needed "
            f"with a churn threshold of {horizon})"
        )
    if not windows:
        return missing
    churned, repeat = windows[-1]
    if len(churned) < settings.min_customers:
        missing.append(f"{len(churned)} of {settings.min_customers} customers")
    if (found := int(repeat.sum())) < settings.min_repeat_buyers:
        missing.append(f"{found} of {settings.min_repeat_buyers} repeat buyers")
    fewest = min(int(past.sum()) for past, _ in windows[-MIN_CUTOFFS:])
    if fewest < settings.min_events:
        missing.append(f"{fewest} of {settings.min_events} churned customers in a window")
    fewest = min(int((~past).sum()) for past, _ in windows[-MIN_CUTOFFS:])
    if fewest < settings.min_events:
        missing.append(f"{fewest} of {settings.min_events} customers who stayed in a window")
    return missing
