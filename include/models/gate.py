"""The promotion gate: whether an anchor's new model scores, or one of an earlier anchor goes on doing so.

All contenders are held against the same window, the anchor's latest, which none of them has seen: the new
model's trial left it out, and an earlier model ended before it began. So the verdict follows from the data
before the anchor alone, whatever was run in which order.

The rule. A new model scores unless its error exceeds that of an earlier, sound one by more than ``MARGIN``
of it, or unless the leak sentinel blocks it; then the best of the earlier ones goes on scoring. A firm that
has too little data for a model keeps its fallback, whatever came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

MARGIN = 0.05


class Contender(NamedTuple):
    """A model that could score. ``error`` is that on the window: None where it has none there."""

    anchor: date
    version: str
    method: str
    is_sound: bool
    is_blocked: bool
    error: float | None


class Verdict(NamedTuple):
    """The anchor of the model that scores, and why, in words."""

    anchor: date
    reason: str


def judge(new: Contender, earlier: Sequence[Contender], *, error_name: str) -> Verdict:
    """Who scores from the new model's anchor on; ``earlier`` latest first."""
    sound = [contender for contender in earlier if contender.is_sound]
    if not sound:
        return Verdict(new.anchor, f"the model of {new.anchor} scores: no earlier one to compare with")
    measured = [contender for contender in sound if contender.error is not None]
    if new.is_blocked:
        best = min(measured, key=_error) if measured else sound[0]
        return Verdict(
            best.anchor,
            f"the model of {new.anchor} is not promoted, the leak sentinel blocks it: "
            f"that of {best.anchor} keeps scoring",
        )
    if not new.is_sound:
        return Verdict(new.anchor, f"{new.method} of {new.anchor} scores: there is no model to promote")
    if not measured or new.error is None:
        return Verdict(new.anchor, f"the model of {new.anchor} scores: no window to compare it on")
    best = min(measured, key=_error)
    compared = (
        f"{error_name} {new.error:.4f} against {_error(best):.4f} of the model of {best.anchor}, "
        f"margin {100 * MARGIN:.0f} %"
    )
    if new.error > (1.0 + MARGIN) * _error(best):
        return Verdict(
            best.anchor,
            f"the model of {new.anchor} is not promoted ({compared}): that of {best.anchor} keeps scoring",
        )
    return Verdict(new.anchor, f"the model of {new.anchor} is promoted ({compared})")


def _error(contender: Contender) -> float:
    return float("inf") if contender.error is None else contender.error
