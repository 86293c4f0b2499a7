"""Calibrate scores to probabilities: a logistic curve (Platt) or an isotonic curve.

Both are fitted on a window used neither for training the trees nor for evaluation. Platt, J. (1999),
"Probabilistic Outputs for Support Vector Machines": his smoothed targets keep the curve finite if the classes
are separable.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from include.models.logistic import fit_weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_FLATTEST = 1e-9


class Platt(NamedTuple):
    """P = logistic(slope * score + intercept)."""

    slope: float
    intercept: float

    def __call__(self, score: Floats) -> Floats:
        """Probability of each score (log-odds), elementwise."""
        return special.expit(self.slope * score + self.intercept)


AS_TRAINED = Platt(1.0, 0.0)
"""The curve of trees that were trained without class weights: their scores are log-odds."""


class IsotonicCurve(NamedTuple):
    """An isotonic (non-decreasing) piecewise-linear curve through the points (at, probability)."""

    at: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, value: Floats) -> Floats:
        """Probability of each value, elementwise; constant beyond both ends."""
        return np.interp(value, self.at, self.probability)


def fit_platt(score: Floats, happened: Bools) -> Platt:
    """Fit slope and intercept by maximum likelihood (Newton), with Platt's smoothed targets."""
    events = int(happened.sum())
    others = len(happened) - events
    target = np.where(happened, (events + 1.0) / (events + 2.0), 1.0 / (others + 2.0))
    spread = float(score.std())
    if spread < _FLATTEST:
        return Platt(0.0, float(special.logit(target.mean())))
    centre = float(score.mean())
    x = np.stack([(score - centre) / spread, np.ones_like(score)], axis=1)
    beta = fit_weights(x, target, start=np.array([0.0, special.logit(target.mean())]))
    return Platt(float(beta[0] / spread), float(beta[1] - beta[0] * centre / spread))


def fit_isotonic(value: Floats, happened: Bools) -> IsotonicCurve:
    """Isotonic regression of the event on the value."""
    from sklearn.isotonic import IsotonicRegression  # takes a second to import; scoring does not need it

    fitted = IsotonicRegression(out_of_bounds="clip").fit(value, happened.astype(np.float64))
    return IsotonicCurve(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))
