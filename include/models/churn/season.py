"""Season of churn: the shift of the log-odds that past windows of the same season needed.

The trees know no calendar and are trained on windows of all seasons, so their level is that of an average
season. A window's gap is the shift of all log-odds that makes the mean probability equal to the realised
rate. The gaps of the windows that start one, two and three years before give the season
(``include/models/season.py``), interpolated between the two nearest cutoffs.

A window of ten months or more has no season. It has a level: the firm's churn rate moves over the years, and
the trees give all windows the same weight. Half of the mean gap of the latest three windows is added. Their
number and the half were chosen on sixteen days of a charity that no bar uses: ECE .034 instead of .037.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from include.models import season
from include.models.season import NO_SEASON, Season, Year

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LONGEST = 300
LATEST, LEVEL_SHARE = 3, 0.5
NEAR_DAYS = 15
_CLIP = 1e-6


class Gap(NamedTuple):
    """Shift of the log-odds that a window needed, and its standard error."""

    cutoff: date
    shift: float
    error: float


def gap(cutoff: date, probability: Floats, churned: Bools) -> Gap:
    """The gap of one window, by Newton's method."""
    score = special.logit(np.clip(probability, _CLIP, 1.0 - _CLIP))
    target = (float(churned.sum()) + 0.5) / (len(churned) + 1.0)
    shift = 0.0
    for _ in range(20):
        p = special.expit(score + shift)
        slope = max(float((p * (1.0 - p)).mean()), _CLIP)
        step = float(np.clip((target - p.mean()) / slope, -2.0, 2.0))
        shift += step
        if abs(step) < 1e-9:
            break
    return Gap(cutoff, shift, float(1.0 / np.sqrt(max(slope * len(churned), _CLIP))))


def of(gaps: Sequence[Gap], start: date, *, horizon_days: int) -> Season:
    """Season of the window that starts at ``start``, from the gaps of windows a year or more before.

    Of a window of ten months or more, the level of the latest windows.
    """
    if not gaps:
        return NO_SEASON
    ordered = sorted(gaps)
    if horizon_days >= LONGEST:
        level = season.estimate([Year(*found) for found in ordered[-LATEST:]])
        return level._replace(log_factor=LEVEL_SHARE * level.log_factor)
    days = np.array([(found.cutoff - start).days for found in ordered], dtype=np.float64)
    years = []
    for back in range(1, season.YEARS + 1):
        day = -float(back * season.YEAR.days)
        if days[0] - NEAR_DAYS <= day <= days[-1] + NEAR_DAYS:
            shift, error = (
                float(np.interp(day, days, [getattr(found, name) for found in ordered]))
                for name in ("shift", "error")
            )
            years.append(Year(start - back * season.YEAR, shift, error))
    return season.estimate(years)


def shifted(probability: Floats, found: Season) -> Floats:
    """Probabilities with their log-odds moved by the season."""
    if not found.years:
        return probability
    moved: Floats = special.expit(special.logit(np.clip(probability, _CLIP, 1.0 - _CLIP)) + found.log_factor)
    return moved


def to_json(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """JSON of the gaps, as stored in the artefact."""
    return [{**found._asdict(), "cutoff": found.cutoff.isoformat()} for found in gaps]


def from_json(rows: Sequence[dict[str, Any]]) -> list[Gap]:
    """Inverse of ``to_json``."""
    return [Gap(date.fromisoformat(row["cutoff"]), row["shift"], row["error"]) for row in rows]
