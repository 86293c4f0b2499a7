"""Currency signs and codes as amounts bear them."""

from __future__ import annotations

from include.intake.vocabulary import WORDS, listed

SIGNS = {sign: code for code, signs in WORDS["signs"].items() for sign in listed(signs)}
CODES = frozenset(listed(WORDS["codes"]))
NO_SUBUNIT = frozenset(listed(WORDS["no_cents"]))
# Suffixes that name no currency of their own.
CURRENCY_WORDS = frozenset({"", "dollar", "dollars", "euros", "pounds", "lira", ",-", "cr"})


def currency_of(word: str) -> str | None:
    """The ISO code of a sign or a code; None when it is none."""
    text = word.strip().casefold()
    if text.upper() in CODES:
        return text.upper()
    return SIGNS.get(text) or SIGNS.get(text.rstrip("."))
