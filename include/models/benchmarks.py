"""Benchmarks: quartiles of a metric over the firms that share it, which reveal no other firm's value.

A month's quartiles are published for one fixed group of firms, and only if two rules hold:

- every reader sees at least :data:`FEWEST` other firms, so the group has one firm more;
- compared with every group that was published before, no firm or at least :data:`FEWEST` other firms are new,
  and none or as many have left. Two published rows of a metric therefore never differ by a few firms:
  subtracting one from the other ("differencing") shows nothing about any of them.

Quartiles are rounded, and the number of firms is not published. Sweeney (2002), "k-anonymity: a model for
protecting privacy", International Journal of Uncertainty, Fuzziness and Knowledge-Based Systems 10(5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

FEWEST = 10
"""Other firms that a reader's quartiles are taken over, and by which two groups differ at least."""
STEPS = {"percent": 2.0, "days": 5.0}
"""Quartiles are rounded to multiples of this, by unit: only ratios and days have one."""


class Quartiles(NamedTuple):
    """Rounded quartiles of a group."""

    lower: float
    median: float
    upper: float


def why_not(group: Collection[str], published: Iterable[Collection[str]]) -> str:
    """Why a group's quartiles may not be published beside those of earlier groups; empty if they may."""
    firms = frozenset(group)
    if len(firms) <= FEWEST:
        return f"fewer than {FEWEST} other firms share the metric"
    for earlier in map(frozenset, published):
        for changed, how in ((firms - earlier, "joined"), (earlier - firms, "left")):
            if 0 < len(changed) <= FEWEST:
                return f"fewer than {FEWEST} other firms {how} since a published month"
    return ""


def quartiles(values: Mapping[str, float], unit: str) -> Quartiles:
    """Quartiles by linear interpolation over the firms' values, rounded; KeyError of a unit without steps."""
    step = STEPS[unit]
    found = np.percentile(np.sort(np.array(list(values.values()), dtype=np.float64)), [25, 50, 75])
    return Quartiles(*(float(step * np.floor(value / step + 0.5)) for value in found))
