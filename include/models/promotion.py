"""Promotion rule: whether the new model of an anchor scores, or an earlier model continues to score.

All candidates are compared on the anchor's latest window. None was trained on it: the new model's backtest
left it out, and an earlier model was trained on data that ends before it. So the result depends only on the
data before the anchor, not on the order of runs.

The new model scores unless its error exceeds that of the latest sound earlier model, the one in production,
by more than ``MARGIN`` and by more than one standard error, or a leakage check blocked it; then that model
continues to score. A firm with too little data for a model uses its fallback, with or without earlier models.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

MARGIN = 0.05


class Candidate(NamedTuple):
    """A model that could score. ``error`` is its error on the window; None without one.

    ``spread`` is the standard error of ``error`` over the customers of the window.
    """

    anchor: date
    version: str
    method: str
    is_sound: bool
    is_blocked: bool
    error: float | None
    spread: float = 0.0


class PromotionResult(NamedTuple):
    """Anchor of the model that scores, and the reason as a sentence."""

    anchor: date
    reason: str


def evaluate(new: Candidate, earlier: Sequence[Candidate], *, error_name: str) -> PromotionResult:
    """Select the model that scores from the new model's anchor on; ``earlier`` is sorted latest first."""
    sound = [candidate for candidate in earlier if candidate.is_sound]
    if not sound:
        return PromotionResult(
            new.anchor, f"the model of {new.anchor} scores: there is no earlier model to compare with"
        )
    measured = [candidate for candidate in sound if candidate.error is not None]
    if new.is_blocked:
        best = measured[0] if measured else sound[0]
        return PromotionResult(
            best.anchor,
            f"the model of {new.anchor} is not promoted, a leakage check failed: "
            f"the model of {best.anchor} continues to score",
        )
    if not new.is_sound:
        return PromotionResult(
            new.anchor, f"{new.method} of {new.anchor} scores: there is no model to promote"
        )
    if not measured or new.error is None:
        return PromotionResult(
            new.anchor, f"the model of {new.anchor} scores: there is no window to compare models on"
        )
    best = measured[0]
    compared = (
        f"{error_name} {new.error:.4f} against {_error(best):.4f} of the model of {best.anchor}, "
        f"margin {100 * MARGIN:.0f} % and standard error {best.spread:.4f}"
    )
    allowed = max(MARGIN * _error(best), best.spread)
    if new.error > _error(best) + allowed:
        return PromotionResult(
            best.anchor,
            f"the model of {new.anchor} is not promoted ({compared}): "
            f"the model of {best.anchor} continues to score",
        )
    return PromotionResult(new.anchor, f"the model of {new.anchor} is promoted ({compared})")


def _error(candidate: Candidate) -> float:
    return float("inf") if candidate.error is None else candidate.error
