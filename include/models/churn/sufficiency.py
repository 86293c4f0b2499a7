"""Whether a firm's past is enough to train and test churn on, and if not, what is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from include.models.firm import FirmSettings

Bools = NDArray[np.bool_]

FEWEST_CUTOFFS = 3  # one to train on, one to tune on, one to evaluate on


def shortfalls(windows: list[tuple[Bools, Bools]], *, firm: FirmSettings) -> list[str]:
    """What is missing, in words; nothing when the firm may be modelled.

    ``windows`` holds, per cutoff from old to new, whether each customer churned and whether each is a
    repeat buyer.
    """
    settings, horizon = firm.churn, firm.churn_threshold_days
    missing = []
    if len(windows) < FEWEST_CUTOFFS:
        missing.append(
            f"history is short of {FEWEST_CUTOFFS} cutoffs ({(FEWEST_CUTOFFS + 1) * horizon} days are needed "
            f"with a churn threshold of {horizon})"
        )
    if not windows:
        return missing
    churned, repeat = windows[-1]
    if len(churned) < settings.min_customers:
        missing.append(f"{len(churned)} of {settings.min_customers} customers")
    if (found := int(repeat.sum())) < settings.min_repeat_buyers:
        missing.append(f"{found} of {settings.min_repeat_buyers} repeat buyers")
    fewest = min(int(past.sum()) for past, _ in windows[-FEWEST_CUTOFFS:])
    if fewest < settings.min_events:
        missing.append(f"{fewest} of {settings.min_events} churned customers in a window")
    fewest = min(int((~past).sum()) for past, _ in windows[-FEWEST_CUTOFFS:])
    if fewest < settings.min_events:
        missing.append(f"{fewest} of {settings.min_events} customers who stayed in a window")
    return missing
