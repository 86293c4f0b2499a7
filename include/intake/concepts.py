"""What a header means by its words, for headers that are not in ``names.yaml``.

A header is split into words, and each word into known parts: ``Rechnungsdatum`` is order and date,
``Código do cliente`` is id and customer. The combination gives our column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from include.intake.vocabulary import listed, load

SHORTEST_PART = 4  # letters; shorter words match only as a whole word or at the end of a compound
CONCEPTS: dict[str, frozenset[str]] = {}
for _concept, _list in load("concepts").items():
    for _word in listed(_list):
        CONCEPTS[_word] = CONCEPTS.get(_word, frozenset()) | {_concept}
_PARTS = sorted((word for word in CONCEPTS if len(word) >= SHORTEST_PART), key=len, reverse=True)

# Our column: the concepts that a header must have, and those that it must not have. The first match counts.
ROLES: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = tuple(
    (role, frozenset(needs.split()), frozenset(without.split()))
    for role, needs, without in (
        ("customer_email", "email", "product"),
        ("customer_phone", "phone customer", "product"),
        ("refund_amount", "refund amount", "date quantity id status kind"),
        ("refund_amount", "refund", "date quantity id status kind name product customer order"),
        ("kind", "kind", "amount price date product customer id name"),
        ("occurred_at", "date", "amount price quantity customer product name refund"),
        ("currency", "currency", "amount price date"),
        ("status", "status", "amount price date product customer"),
        ("unit_price", "price unit", "order refund"),
        ("quantity", "quantity", "amount price order customer date id refund"),
        ("order_amount", "amount order", "product date quantity unit id refund"),
        ("net_amount", "amount", "date quantity unit id customer product refund"),
        ("unit_price", "price", "amount order customer refund"),
        ("customer_name", "customer name", "product order"),
        ("customer_id", "customer id", "product order amount"),
        ("customer_id", "customer", "product order amount date kind status"),
        ("transaction_id", "order id", "product customer amount line"),
        ("product_id", "product id", "order customer"),
        ("product_name", "product name", "order customer"),
        ("transaction_id", "order", "product customer amount date name email phone status currency net line"),
    )
)


_TAX = r"(?:sales )?(?:tax(?:es)?|vat|gst|tva|iva|kdv|mwst|ust|btw|moms|steuer)"
_WITH = r"(?:incl(?:uding|usive|uded)?|inkl|inc|with|mit|avec|con|com|inclusive of)\.?"
_WITHOUT = r"(?:excl(?:uding|usive|uded)?|exkl|ex|w/o|without|before|ohne|sans|sin|sem|hors|zzgl)\.?"
# Phrases of headers that say whether an amount contains tax or discount, before the words are looked up.
_PHRASES = tuple(
    (re.compile(rf"(?i)\b{pattern}"), word)
    for pattern, word in (
        (rf"{_WITHOUT}\s*(?:of )?{_TAX}\b|{_TAX} (?:hariç|haric|esclusa|excluida|excluded)\b", " net "),
        (rf"{_WITH}\s*{_TAX}\b|{_TAX} (?:dahil|inclusa|incluida|incluido|included)\b", " gross "),
        (r"(?:after|less|net of) (?:\w+ )?(?:discounts?|rebate)\b|vergisiz\b", " net "),
        (r"before (?:\w+ )?discounts?\b", " gross "),
    )
)


def role_of(header: str) -> str | None:
    """Our column of a header, by its words; None if they do not say it."""
    found = concepts_of(header)
    if "never" in found:
        return None
    return next((role for role, needs, without in ROLES if needs <= found and not without & found), None)


def is_net(header: str) -> bool:
    """Whether a header says that its amount is net."""
    return "net" in concepts_of(header)


def is_in_cents(header: str) -> bool:
    """Whether a header says that its amounts are in hundredths."""
    return "cents" in concepts_of(header)


def says_gross(header: str) -> bool:
    """Whether a header says, also in brackets, that its amount contains tax or is before discount."""
    return "gross" in _concepts(header)


def says_without_tax(header: str) -> bool:
    """Whether a header says in a phrase that its amount is without tax: excl. VAT, w/o Tax, KDV hariç."""
    return any(word == " net " and pattern.search(header) for pattern, word in _PHRASES)


def says_net(header: str) -> bool:
    """Whether a header says, also in brackets, that its amount is without tax or after discount."""
    return "net" in _concepts(header) and "gross" not in _concepts(header)


def concepts_of(header: str) -> frozenset[str]:
    """The concepts of all words of a header, without what is in brackets."""
    return _concepts(re.sub(r"[(\[].*?[)\]]", " ", header))


def _concepts(text: str) -> frozenset[str]:
    plain = re.sub(r"[()\[\]]", " ", text)
    return frozenset(concept for word in _words(plain) for concept in _of_word(word))


def _words(header: str) -> Iterator[str]:
    """Words in lower case without accents; camelCase is split."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header.replace("İ", "I").replace("ı", "i"))
    text = re.sub(r"(?i)\b(?:number|no\.?|count) of\b|# of\b", " quantity ", text)
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    text = re.sub(r"\b(\w)\.(?=\w\b)", r"\1", text)  # P.U. is one word
    text = unicodedata.normalize(
        "NFKD", text.casefold().replace("ł", "l").replace("ø", "o").replace("æ", "ae")
    )
    text = "".join(c for c in text if not unicodedata.combining(c))
    yield from (word for word in re.split(r"[\s_\-./:,;#&+']+", text) if word)


@lru_cache(maxsize=4096)
def _of_word(word: str) -> frozenset[str]:
    if word in CONCEPTS:
        return CONCEPTS[word]
    for part in _PARTS:
        if word.startswith(part):
            rest = word[len(part) :]
            return CONCEPTS[part] | (_of_word(rest) if len(rest) > 1 else frozenset())
    return next((CONCEPTS[part] for part in _PARTS if word.endswith(part)), frozenset())
