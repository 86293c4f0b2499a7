"""Words of status and type columns, and their effect: count, drop, return, refunded or other."""

from __future__ import annotations

from include.intake.tables import compact
from include.intake.vocabulary import listed, load

EFFECTS: dict[str, str] = {
    compact(word): effect for effect, words in load("words").items() for word in listed(words)
}
REASONS = {"drop": "cancelled_order", "other": "not_a_sale"}


def effect_of(word: str, own: dict[str, str], default: str) -> str | None:
    """The effect of a word on its row; None if it is unknown. ``own``: a platform's words."""
    plain = compact(word)
    return own.get(plain) or EFFECTS.get(plain) or (default or None)
