"""Currency signs and codes in amounts."""

from __future__ import annotations

from include.intake.vocabulary import WORDS, listed

SIGNS = {sign: code for code, signs in WORDS["signs"].items() for sign in listed(signs)}
CODES = frozenset(listed(WORDS["codes"]))
NO_SUBUNIT = frozenset(listed(WORDS["no_cents"]))
# Suffixes that do not identify a currency.
CURRENCY_WORDS = frozenset({"", "dollar", "dollars", "euros", "pounds", "lira", ",-", "cr"})


def currency_of(word: str) -> str | None:
    """The ISO code of a sign or a code; None for any other word."""
    text = word.strip().casefold()
    if text.upper() in CODES:
        return text.upper()
    return SIGNS.get(text) or SIGNS.get(text.rstrip("."))
