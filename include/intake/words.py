"""Words of status and type columns, and their effect: count, drop, return, refunded or other."""

from __future__ import annotations

import re
import unicodedata

from include.intake.tables import compact
from include.intake.vocabulary import listed, load

EFFECTS: dict[str, str] = {
    compact(word): effect for effect, words in load("words").items() for word in listed(words)
}
STEMS: dict[str, tuple[str, ...]] = {effect: listed(words) for effect, words in load("word_stems").items()}
REASONS = {"drop": "cancelled_order", "other": "not_a_sale"}
INVOICES = ("invoice", "rechnung", "factur", "faktur", "fattur", "fatur", "fakt", "счет")
PAYMENTS = (
    "payment", "zahlung", "paiement", "pago", "pagamento", "betaling", "platnosc", "tahsilat", "odeme",
    "oplat", "delivery", "lieferschein", "irsaliye", "albaran", "pakbon", "livraison",
)  # fmt: skip
COMPOUND = 6  # letters of a stem at the end of a compound
MOST_WORDS = 6  # a longer value is a text, not a status
_NEGATIONS = frozenset({"no", "non", "not", "nicht", "kein", "nao", "niet", "nie", "ikke", "inte", "degil"})


def effect_of(word: str, own: dict[str, str], default: str = "", *, role: str = "status") -> str | None:
    """The effect of a word on its row; None if it is unknown. ``own``: a platform's words."""
    plain = compact(word)
    return own.get(plain) or EFFECTS.get(plain) or _by_stem(word, role) or (default or None)


def without_payments(words: list[str], effects: list[str | None]) -> list[str | None]:
    """The effects of types, of which payments and delivery notes are no sales if invoices are types too."""
    stems = [_folded(word) for word in words]
    if not any(_has(stem, INVOICES) for stem in stems):
        return effects
    pays = [_has(stem, PAYMENTS) and not _has(stem, INVOICES) for stem in stems]
    return ["other" if is_payment else effect for is_payment, effect in zip(pays, effects, strict=True)]


def only_won(words: list[str], effects: list[str | None]) -> list[str | None]:
    """The effects of the stages of deals: if a stage is won, the others are no orders."""
    if not any("won" in _folded(word) for word in words):
        return effects
    pairs = zip(words, effects, strict=True)
    return ["count" if "won" in _folded(word) else _not_won(effect) for word, effect in pairs]


def _not_won(effect: str | None) -> str:
    """The effect of a stage that is not won: a returned order stays one, all others are no order."""
    return effect if effect in ("return", "refunded", "other") else "drop"


def _has(words: list[str], stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stem) for word in words for stem in stems)


def _folded(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i").replace("ł", "l"))
    return re.findall(
        r"[^\W\d_]+", "".join(c for c in folded if not unicodedata.combining(c)).replace("ß", "ss")
    )


def _by_stem(text: str, role: str) -> str | None:
    """The effect of the first letters of a value's words. A refund is a return if the row is a movement."""
    words = _folded(text)
    if not 0 < len(words) <= MOST_WORDS or _NEGATIONS & set(words):
        return None
    for effect, stems in STEMS.items():
        if any(_matches(word, stem) for word in words for stem in stems):
            if effect == "part":
                return None
            same = {"refunded", "return"}
            return ("return" if role == "kind" else "refunded") if effect in same else effect
    return None


def _matches(word: str, stem: str) -> bool:
    """Whether a word begins with a stem, or is a compound that ends with it (Handyzahlung)."""
    return word.startswith(stem) or (len(stem) >= COMPOUND and word.endswith(stem))
