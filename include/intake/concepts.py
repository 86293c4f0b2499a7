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


def concepts_of(header: str) -> frozenset[str]:
    """The concepts of all words of a header."""
    bare = re.sub(r"[(\[].*?[)\]]", " ", header)
    return frozenset(concept for word in _words(bare) for concept in _of_word(word))


def _words(header: str) -> Iterator[str]:
    """Words in lower case without accents; camelCase is split."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header.replace("İ", "I").replace("ı", "i"))
    text = re.sub(r"(?i)\b(?:number|no\.?|count) of\b|# of\b", " quantity ", text)
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
