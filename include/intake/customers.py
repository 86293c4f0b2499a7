"""Ids of customers and orders: normalise them, replace placeholders with null, and find similar ids.

Normalisation removes blanks, zero-width marks and a leading apostrophe, composes Unicode (NFC), and converts
``17850.0`` and an exact ``1.785E+04`` to ``17850`` and e-mail addresses to lower case. It keeps leading
zeros.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from include.intake.vocabulary import WORDS, listed


def _folded(text: str) -> str:
    """Text without case; the Turkish dotless i equals i."""
    return unicodedata.normalize("NFC", text).casefold().replace("i\u0307", "i").replace("ı", "i")


PLACEHOLDERS = frozenset(map(_folded, listed(WORDS["placeholders"])))
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\u061c]")
_ADDRESS = re.compile(r"(?i)(?:<|^mailto:)\s*([^<>\s]+@[^<>\s]+?)>?$")
_WHOLE = re.compile(r"(-?\d+)\.0+")
_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
BLANKS = frozenset(  # not an order id; 0 may be one
    {"", "nan", "null", "none", "n/a", "#n/a", "<na>", "-", "--", "/"}
)
SHORTENED = "\u0000shortened:"


def normalised(text: str, placeholders: frozenset[str] = PLACEHOLDERS) -> str:
    """The normalised id; the empty text for a placeholder."""
    value = text
    if not value.isascii():
        value = unicodedata.normalize("NFC", _INVISIBLE.sub("", value))
        value = value.translate(_DIGITS)
    value = " ".join(value.split())
    if value[:1] in ("'", "\u2019") and len(value) > 1:
        value = value[1:].strip()
    if match := _WHOLE.fullmatch(value):
        value = match[1]
    elif match := _SCIENTIFIC.fullmatch(value):
        value = _whole_of(match, value)
    if "@" in value:
        bare = _ADDRESS.search(value)
        value = (bare[1] if bare else value).replace(" ", "").lower()
    folded = _folded(value)
    if placeholders is PLACEHOLDERS and not value.strip("0"):
        return ""
    return "" if folded in placeholders else value


def _whole_of(match: re.Match[str], value: str) -> str:
    """Convert an id in scientific notation to a whole number, unless digits are lost."""
    digits, exponent = match[1] + (match[2] or ""), int(match[3])
    if len(digits) - 1 < exponent:  # 6.5E+12: the other digits may be lost
        return SHORTENED + (value if exponent >= 9 else digits + "0" * (exponent - len(digits) + 1))
    if len(digits) - 1 > exponent:
        return value
    return digits + "0" * (exponent - len(digits) + 1)


_DIGITS = str.maketrans({chr(zero + i): str(i) for zero in (0x0660, 0x06F0, 0xFF10) for i in range(10)})


def ids_of(column: pa.Array, placeholders: frozenset[str] = PLACEHOLDERS) -> tuple[pa.Array, int]:
    """A column's normalised ids, null for placeholders, and the number of values that lost digits."""
    encoded = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    values = encoded.dictionary.to_pylist()
    usual = _usual(encoded.dictionary).to_pylist()
    values = [
        value if plain else normalised(value, placeholders)
        for value, plain in zip(values, usual, strict=True)
    ]
    lost = pa.array([value.startswith(SHORTENED) for value in values], pa.bool_())
    count = pc.sum(pc.take(lost, encoded.indices)).as_py() or 0
    texts = [value.removeprefix(SHORTENED) or None for value in values]
    return pc.take(pa.array(texts, pa.string()), encoded.indices), int(count)


def phones_of(ids: pa.Array) -> pa.Array:
    """Telephone numbers as their last ten digits: +90 532 111 22 33 equals 0532 1112233."""
    digits = pc.replace_substring_regex(ids, r"\D", "")
    return pc.if_else(pc.less(pc.utf8_length(digits), 10), ids, pc.utf8_slice_codeunits(digits, -10))


def names_of(ids: pa.Array) -> pa.Array:
    """Names of people, in the first spelling of each: ADA KAYA equals Ada Kaya."""
    encoded = ids.dictionary_encode()
    first: dict[str, str] = {}
    names = [first.setdefault(_folded(name), name) for name in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(names, pa.string()), encoded.indices)


def _usual(values: pa.Array) -> pa.Array:
    """Which values are already normalised: most are, and this check is much faster than normalising."""
    plain = pc.match_substring_regex(values, r"^(?:[A-Za-z0-9_#-]+|[a-z0-9_+.-]+@[a-z0-9.-]+)$")
    odd = pc.match_substring_regex(values, r"^0+$|^\d+[eE]\d+$")
    placeholder = pc.is_in(pc.utf8_lower(values), value_set=pa.array(sorted(PLACEHOLDERS)))
    return pc.and_(plain, pc.invert(pc.or_(odd, placeholder)))


def near_twins(ids: list[str], most: int = 5) -> list[tuple[str, ...]]:
    """Groups of ids that differ only in case, accents, blanks, punctuation or leading zeros."""
    groups: dict[str, list[str]] = defaultdict(list)
    for value in ids:
        groups[_skeleton(value)].append(value)
    twins = sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)
    return twins[:most] if most else twins


def _skeleton(value: str) -> str:
    if value.isascii() and value.isdigit():
        return value.lstrip("0")
    text = value.casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if "@" in text:
        return text
    return re.sub(r"[\s._\-/#']+", "", text).lstrip("0")


def unified(primary: pa.Array, others: list[pa.Array]) -> pa.Array:
    """One id per row from several columns: the first that is filled.

    A row with only another column takes the id that its value has on other rows, if there is exactly one.
    """
    result = primary
    for other in others:
        if result.null_count == 0:
            break
        known: dict[str, str | None] = {}
        both = pc.and_(pc.is_valid(result), pc.is_valid(other))
        if pc.any(both).as_py():
            pairs = (
                pa.table({"other": other.filter(both), "id": result.filter(both)})
                .group_by(["other", "id"])
                .aggregate([])
            )
            for value, found in zip(pairs["other"].to_pylist(), pairs["id"].to_pylist(), strict=True):
                known[value] = found if value not in known else None
        values = pc.unique(other.drop_null())
        targets = pa.array([known.get(value) or value for value in values.to_pylist()], pa.string())
        result = pc.coalesce(result, pc.take(targets, pc.index_in(other, values)))
    return result
