"""Parse numbers, and count which style the values of a column have: a decimal point or a decimal comma.

A value is conclusive (``1.234,50``, ``12,5``, ``1,234,567``), neutral (``1234``) or ambiguous (``12,500``).
``columns.py`` decides the style: by the conclusive values of the column, else by those of the file's other
columns, else it asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.currencies import CURRENCY_WORDS, currency_of

# Digits of other scripts, blanks, minus signs and marks, each as ASCII.
_DIGITS = {chr(zero + i): str(i) for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10) for i in range(10)}
_MARKS = {
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"),
    **dict.fromkeys("\u00a0\u202f\u2009\u2007\u2008\u200a\u2002\u2003\u3000\t", " "),
    **dict.fromkeys(
        "\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\ufeff\u2066\u2067\u2069\u00ad", ""
    ),
    **dict.fromkeys("\u2019\u2018\u02bc\uff07`\u00b4", "'"),
    "\uff0c": ",",
    "\uff0e": ".",
    "\u060c": ",",
    "\u066b": "\u0001",  # the Arabic decimal mark, which is never a group mark
    "\u066c": "'",
    "\u066a": "%",
}
TO_ASCII = str.maketrans({**_DIGITS, **_MARKS})
_PATTERN = (  # for re and for RE2
    r"^'?(?P<open>\(?)\s*(?P<s1>[-+]?)\s*(?P<c1>(?:[^\d.,'()+\s\x01-]+\.?[^\d.,'()+\s\x01-]*)?)\s*(?P<s2>[-+]?)\s*"
    r"(?P<body>\d[\d.,' \x01]*|[.,]\d+)(?P<exp>(?:[eE][-+]?\d+)?)\s*"
    r"(?P<c2>[^\d,'()+\s\x01-]*)\s*(?P<s3>-?)\s*(?P<close>\)?)$"
)
_PARTS = re.compile(_PATTERN)


@dataclass(frozen=True)
class Votes:
    """The evidence in a column's values for its style."""

    point: int = 0  # conclusive for the decimal point
    comma: int = 0
    ambiguous: int = 0
    example: str = ""
    invalid: int = 0
    currencies: frozenset[str] = frozenset()
    fractional: bool = False  # a conclusive value has decimals

    def __add__(self, other: Votes) -> Votes:
        return Votes(
            self.point + other.point,
            self.comma + other.comma,
            self.ambiguous + other.ambiguous,
            self.example or other.example,
            self.invalid + other.invalid,
            self.currencies | other.currencies,
            self.fractional or other.fractional,
        )


def ascii_of(column: pa.Array) -> pa.Array:
    """Convert digits, blanks and signs of other scripts to ASCII and trim; blank text becomes null."""
    if pc.any(pc.match_substring_regex(column, r"[^\x00-\x7f]")).as_py():
        column = pa.array(
            [
                value if value is None or value.isascii() else value.translate(TO_ASCII)
                for value in column.to_pylist()
            ],
            pa.string(),
        )
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), None, column)


def style_of(body: str) -> tuple[str, bool]:
    """The style of a number (point, comma, neutral, ambiguous or invalid), and whether it has decimals."""
    if "\x01" in body:
        return ("point", True) if body.count("\x01") == 1 else ("invalid", False)
    text = body.strip()
    grouped = [mark for mark in "' " if mark in text]
    marks = [c for c in text if c in ".,"]
    if grouped:
        head, *rest = re.split("[' ]+", text)
        *middle, last = rest
        tail = re.split("[.,]", last)
        if len(tail) > 2 or len(head) > 3 or any(len(m) not in (2, 3) for m in middle) or len(tail[0]) != 3:
            return "invalid", False
        if not marks:
            return "neutral", False
        return ("point" if marks[0] == "." else "comma"), True
    if not marks:
        return "neutral", False
    kinds = set(marks)
    if len(kinds) == 2:
        last = marks[-1]
        whole, _, fraction = text.rpartition(last)
        other = "," if last == "." else "."
        if last in whole or not fraction or not _grouped(whole.split(other)):
            return "invalid", False
        return ("point" if last == "." else "comma"), True
    mark = marks[0]
    parts = text.split(mark)
    if len(marks) > 1:
        if not _grouped(parts):
            return "invalid", False
        return ("comma" if mark == "." else "point"), False
    before, after = parts
    if len(after) == 3 and 1 <= len(before) <= 3 and before.lstrip("0") and before[0] != "0":
        return "ambiguous", True
    return ("point" if mark == "." else "comma"), bool(after.strip("0"))


def _grouped(parts: list[str]) -> bool:
    """Whether digits are grouped by three, or by two before the last three (lakhs)."""
    head, *middle, last = parts
    return (
        1 <= len(head) <= 3
        and len(last) == 3
        and (all(len(m) == 3 for m in middle) or (len(head) <= 2 and all(len(m) == 2 for m in middle)))
    )


def votes_of(column: pa.Array) -> Votes:
    """The votes of all values of a column; equal shapes are parsed once."""
    values = pc.unique(ascii_of(column).drop_null())
    shapes = pc.replace_substring_regex(values, "[1-9]", "9").dictionary_encode()
    votes = Votes()
    for i, shape in enumerate(shapes.dictionary.to_pylist()):
        match = _PARTS.match(shape)
        if match is None or not _known(match["c1"], match["c2"]):
            votes += Votes(invalid=1, example="")
            continue
        found = frozenset(code for word in (match["c1"], match["c2"]) if (code := currency_of(word)))
        style, decimals = ("neutral", True) if match["exp"] else style_of(match["body"])
        example = values[pc.index(shapes.indices, i).as_py()].as_py() if style == "ambiguous" else ""
        votes += Votes(
            point=style == "point",
            comma=style == "comma",
            ambiguous=style == "ambiguous",
            invalid=style == "invalid",
            example=example,
            currencies=found,
            fractional=decimals and style in ("point", "comma"),
        )
    return votes


def signs_of(column: pa.Array) -> pa.Array:
    """The currency code of each value; null if it has none."""
    encoded = ascii_of(column).dictionary_encode()
    parts = pc.extract_regex(encoded.dictionary, _PATTERN)
    codes: list[str | None] = [None] * len(encoded.dictionary)
    for name in ("c1", "c2"):
        words = pc.struct_field(parts, name).to_pylist()
        codes = [
            code or (currency_of(word) if word else None) for code, word in zip(codes, words, strict=True)
        ]
    return pc.take(pa.array(codes, pa.string()), encoded.indices)


def _known(*words: str) -> bool:
    return all(
        not word or currency_of(word) or word.casefold().strip(".") in CURRENCY_WORDS for word in words
    )


def parse(column: pa.Array, decimal_mark: str, *, scale: int = 4) -> pa.Array:
    """Parse to decimals of ``scale`` digits, else null; ``decimal_mark`` applies to ambiguous values."""
    encoded = ascii_of(column).dictionary_encode()
    values = encoded.dictionary
    kind = pa.decimal128(18, scale)
    if not len(values):
        return pa.nulls(len(column), kind)
    parts = pc.extract_regex(values, _PATTERN)
    if parts.null_count == len(parts):
        return pa.nulls(len(column), kind)
    field = {
        name: pc.struct_field(parts, name) for name in ("open", "s1", "s2", "s3", "close", "exp", "c1", "c2")
    }
    body = pc.struct_field(parts, "body")
    shapes = pc.replace_substring_regex(body, "[1-9]", "9").dictionary_encode()
    marks = np.array(
        [_mark(shape, decimal_mark) for shape in shapes.dictionary.to_pylist()] or [""], dtype=object
    )
    mark = pa.array(marks[np.asarray(shapes.indices.fill_null(0))], pa.string())
    mark = pc.if_else(pc.is_valid(body), mark, None)
    mark = pc.if_else(pc.not_equal(field["exp"], ""), ".", mark)
    plain = pc.replace_substring_regex(body, "[' ]", "")
    pointed = pc.replace_substring(pc.replace_substring(plain, ",", ""), "\x01", ".")
    comma = pc.replace_substring(pc.replace_substring(plain, ".", ""), ",", ".")
    digits = pc.if_else(pc.equal(mark, "."), pointed, pc.if_else(pc.equal(mark, ","), comma, None))
    known = pc.and_(_all_known(field["c1"]), _all_known(field["c2"]))
    digits = pc.if_else(known, digits, None)
    one_sign = pc.or_(pc.equal(field["s1"], ""), pc.equal(field["s2"], ""))
    digits = pc.if_else(one_sign, digits, None)
    paired = pc.equal(pc.equal(field["open"], "("), pc.equal(field["close"], ")"))
    digits = pc.if_else(paired, digits, None)
    negative = pc.or_(
        pc.equal(field["open"], "("),
        pc.or_(pc.equal(field["s1"], "-"), pc.or_(pc.equal(field["s2"], "-"), pc.equal(field["s3"], "-"))),
    )
    number = _decimals(digits, field["exp"], kind)
    number = pc.if_else(negative, pc.negate(number), number)
    return pc.take(number.cast(kind), encoded.indices)


def _all_known(words: pa.Array) -> pa.Array:
    encoded = words.fill_null("").dictionary_encode()
    return pc.take(pa.array([_known(w) for w in encoded.dictionary.to_pylist()], pa.bool_()), encoded.indices)


def _mark(shape: str | None, decimal_mark: str) -> str | None:
    """The decimal mark of a number's text; None if it is not a number."""
    style, _ = style_of(shape) if shape is not None else ("invalid", False)
    return {"point": ".", "comma": ",", "neutral": ".", "ambiguous": decimal_mark}.get(style)


def _decimals(digits: pa.Array, exponents: pa.Array, kind: pa.Decimal128Type) -> pa.Array:
    """Convert text with a decimal point to decimals, rounded to the type's scale; out of range is null."""
    has_exponent = pc.fill_null(pc.not_equal(exponents, ""), False)
    text = pc.binary_join_element_wise(digits, pc.coalesce(exponents, ""), "")
    dot = pc.find_substring(text, ".")
    after = pc.if_else(pc.less(dot, 0), 0, pc.subtract(pc.subtract(pc.binary_length(text), dot), 1))
    whole = pc.if_else(pc.less(dot, 0), pc.binary_length(text), dot)
    odd = pc.fill_null(pc.or_(has_exponent, pc.greater(after, kind.scale)), False)
    large = pc.fill_null(pc.greater(whole, kind.precision - kind.scale), False)
    text = pc.if_else(large, None, text)
    simple = pc.if_else(odd, None, text).cast(kind)
    if not pc.any(odd).as_py():
        return simple
    floats = pc.if_else(odd, text, None).cast(pa.float64())
    limit = 10.0 ** (kind.precision - kind.scale)
    floats = pc.if_else(pc.less(pc.abs(floats), limit), floats, None)
    values = [None if f is None else f"{f:.{kind.scale}f}" for f in floats.to_pylist()]
    return pc.coalesce(simple, pa.array(values, pa.string()).cast(kind))
