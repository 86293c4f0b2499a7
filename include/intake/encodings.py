"""Find the encoding of a text file: byte order mark, UTF-8, then the candidate with the best header.

A name of a column that reads right under one code page and not under another is better evidence than
letter frequencies of a few kilobytes; charset-normalizer decides when no header is known.
"""

from __future__ import annotations

import codecs
import itertools
import unicodedata
from collections.abc import Callable
from pathlib import Path

import charset_normalizer

from include.intake.answer import Refused

SAMPLE_BYTES = 1 << 18
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The last ones decode every byte, so they never fail.
CANDIDATES = (
    "cp1252", "cp1254", "gb18030", "shift_jis", "cp949", "big5", "cp1251", "cp1250", "cp1253",
    "cp1255", "cp1256", "cp1257", "iso8859_2", "iso8859_5", "iso8859_9", "iso8859_15", "mac_roman",
    "koi8_r", "cp850", "cp857", "cp866", "latin_1",
)  # fmt: skip


# Icelandic letters (wrongly decoded Turkish bytes), and signs that count as letters.
RARE = frozenset("\u00fe\u00f0\u00fd\u00de\u00d0\u00dd\u00aa\u00ba\u00b5\u0192")
ORDINALS = frozenset("\u00ba\u00aa")  # as in Nº
SIGNS_BEYOND = frozenset(
    "\u20ac\u00a3\u00a5\u2019\u2018\u201c\u201d\u2013\u2014\u2026\u00b7\u00b0\u00a0\u00ab\u00bb"
)


def find_encoding(path: Path, known_names: Callable[[str], int]) -> tuple[str, bool]:
    """The encoding, and whether it was inferred. ``known_names`` counts known column names in a text."""
    with path.open("rb") as source:
        head = source.read(SAMPLE_BYTES)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, False
    if wide := _wide(head):
        return wide, False
    if decodes(path, "utf-8"):
        return "utf-8", False
    odd = _with_odd_bytes(path, head)
    possible = [name for name in CANDIDATES if _decodes_sample(odd, name)]
    scored = [(known_names(head.decode(name, errors="ignore")[:20_000]), name) for name in possible]
    most = max((score for score, _ in scored), default=0)
    best = [name for score, name in scored if score == most]
    best.sort(
        key=lambda name: -_plausible(odd[:20_000].decode(name, errors="ignore"))
    )  # stable: western code pages first among equals
    guess = charset_normalizer.from_bytes(odd[:65_536], cp_isolation=best or None).best()
    order = list(best)
    if most == 0 and guess is not None and guess.encoding in best and not _is_western(odd):
        order.insert(0, guess.encoding)
    for name in order:
        if decodes(path, name):
            return name, True
    raise Refused(
        "unknown_encoding",
        f"{path.name}: the encoding of the text was not found",
        "Set it with --encoding, for example --encoding cp1254",
    )


def decodes(path: Path, encoding: str) -> bool:
    """Whether all of a file is valid in an encoding."""
    try:
        with path.open(encoding=encoding, newline="") as source:
            while source.read(1 << 20):
                pass
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin text is zero."""
    if len(head) < 4 or head.count(0) * 4 < len(head):
        return None
    return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"


def _with_odd_bytes(path: Path, head: bytes) -> bytes:
    """The file's lines with non-ASCII bytes, up to the size of the sample."""
    lines, size = [head.split(b"\n", 1)[0]], 0
    with path.open("rb") as source:
        for line in source:
            if not line.isascii():
                lines.append(line)
                size += len(line)
                if size > SAMPLE_BYTES:
                    break
    return b"\n".join(lines)


def _decodes_sample(sample: bytes, name: str) -> bool:
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return False
    return not any("\x80" <= c <= "\x9f" for c in text)


def _plausible(text: str) -> float:
    """The share of non-ASCII characters that are plausible in their place."""
    odd = [(i, c) for i, c in enumerate(text) if ord(c) > 127]
    good = 0
    for i, c in odd:
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if c in ORDINALS and (before in "nN" or before.isdigit()):
            good += 1
        elif c.isalpha() and c not in RARE:
            # A word has one script: Cyrillic and Chinese letters are not next to Latin letters.
            latin = any(side.isascii() and side.isalpha() for side in (before, after))
            foreign = not unicodedata.name(c, "").startswith("LATIN")
            good += not (c.isupper() and before.islower()) and not (foreign and latin)
        elif c in SIGNS_BEYOND or not (before.isalpha() or after.isalpha()):
            good += 1
    return round(good / len(odd), 2) if odd else 1.0


def _is_western(sample: bytes) -> bool:
    """Whether non-ASCII bytes are few and isolated, like accents and currency signs."""
    odd = sum(byte >= 0x80 for byte in sample)
    pairs = sum(a >= 0x80 and b >= 0x80 for a, b in itertools.pairwise(sample))
    return odd > 0 and pairs * 4 < odd
