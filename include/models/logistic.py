"""Fit a logistic regression by Newton's method: the one fit of Platt curves and of next products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
_ROUNDS = 100
_FLATTEST = 1e-9


def fit_weights(x: Floats, target: Floats, *, start: Floats, ridge: Floats | None = None) -> Floats:
    """Weights of P = logistic(x @ weights) by maximum likelihood, shape (columns,).

    ``target`` are the outcomes, 0 to 1, one per row of ``x``. ``ridge`` is the penalty of each weight's
    square; None: no penalty.
    """
    weights = start.astype(np.float64)
    penalty = np.zeros(len(weights)) if ridge is None else ridge
    for _ in range(_ROUNDS):
        p = special.expit(x @ weights)
        slope = x.T @ (target - p) - penalty * weights
        curvature = (x * (p * (1.0 - p))[:, None]).T @ x + np.diag(penalty) + _FLATTEST * np.eye(len(weights))
        step = np.linalg.solve(curvature, slope)
        # A full Newton step can overshoot where the curve is flat.
        weights = weights + step * min(1.0, 4.0 / max(float(np.abs(step).max()), _FLATTEST))
        if np.abs(step).max() < 1e-10:
            break
    return weights
