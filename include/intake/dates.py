"""Parse dates. The order of day and month belongs to the column and is decided by all of its values.

A value is first split into its numbers; then the orders (dmy, mdy, ymd) that give a valid day for every
value are kept. If several orders are left and give different days, the column is a question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.months import FILLERS, HALVES, MONTHS, WEEKDAYS, ZONES
from include.intake.numbers import ascii_of
from include.intake.tables import compact

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_TIME = (
    r"(?:[ T,]+\s*(?P<h>\d{1,2})(?:[:.h](?P<mi>\d{2}))?(?:[:.m](?P<s>\d{2}))?(?:[.,]\d{1,9})?s?)?"
    r"\s*(?P<half>@[ap])?\s*(?P<zone>(?:Z|(?:UTC|GMT)?[-+]\d{1,2}:?(?:\d{2})?(?::\d{2})?|@z-?\d+@)?)\s*\)?$"
)
_PATTERNS = {
    "numeric": r"^(?P<a>\d{1,4})\s*[-/.,]\s*(?P<b>\d{1,2})\s*[-/.,]\s*(?P<c>\d{1,4})\.?" + _TIME,
    "blank": r"^(?P<a>\d{1,4}) (?P<b>\d{1,2}) (?P<c>\d{2,4})" + _TIME,
    "day_word": r"^(?P<a>\d{1,2})\.?[-/., ]*@m(?P<b>\d{1,2})@[-/., ]*(?P<c>\d{2,4})\.?" + _TIME,
    "word_day": r"^@m(?P<b>\d{1,2})@[-/., ]*(?P<a>\d{1,2})\.?[-/., ]+(?P<c>\d{2,4})" + _TIME,
    "word_day_time": r"^@m(?P<b>\d{1,2})@ (?P<a>\d{1,2}) (?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2}))?"
    r"(?P<half>) ?(?P<zone>(?:Z|(?:UTC|GMT)?[-+]\d{1,2}:?(?:\d{2})?|@z-?\d+@)?) ?(?P<c>\d{4})$",
    "year_word": r"^(?P<c>\d{4})[-/., ]*@m(?P<b>\d{1,2})@[-/., ]*(?P<a>\d{1,2})" + _TIME,
    "compact": r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})(?:[T "
    r"]?(?P<h>\d{2}):?(?P<mi>\d{2}):?(?P<s>\d{2})?)?(?P<half>)(?P<zone>Z?)$",
}
_NUMBER = r"^\d+(?:[.,]\d+)?(?:[eE][+]?\d{1,2})?$"
FEW_WORDS = 80
EXCEL_EPOCH = np.datetime64("1899-12-30", "s")
ORDERS = ("dmy", "mdy", "ymd")


@dataclass
class Parts:
    """The parts of every value: numbers a, b, c in written order, seconds of the day, offset in minutes."""

    a: Ints
    b: Ints
    c: Ints
    wide_a: Bools  # a has four digits
    wide_c: Bools
    named: Bools  # the month is a word: the order of the column does not apply
    fixed: Bools  # year first
    valid: Bools
    seconds: Ints
    has_time: Bools
    offset: Ints  # minutes; 0 if there is none
    has_offset: Bools
    ready: npt.NDArray[np.datetime64]  # serials and epochs: the instant itself
    is_ready: Bools

    @classmethod
    def none(cls, size: int) -> Parts:
        """Parts of ``size`` values that are not dates."""
        numbers = [np.zeros(size, "int64") for _ in range(3)]
        flags = [np.zeros(size, bool) for _ in range(5)]
        times = np.zeros(size, "int64"), np.zeros(size, bool), np.zeros(size, "int64"), np.zeros(size, bool)
        ready = np.full(size, np.datetime64("NaT"), "M8[s]"), np.zeros(size, bool)
        every: list[Any] = [*numbers, *flags, *times, *ready]
        return cls(*every)

    def day(self, order: str) -> npt.NDArray[np.datetime64]:
        """The day of each value under an order; NaT if it is not valid."""
        a, b, c = self.a, self.b, self.c
        year_first = self.fixed | (np.full(len(a), order == "ymd") & ~self.wide_c & ~self.named)
        year = np.where(year_first, a, c)
        day = np.where(year_first, c, np.where((order == "mdy") & ~self.named, b, a))
        month = np.where(year_first, b, np.where((order == "mdy") & ~self.named, a, b))
        short = year < 100
        limit = date.today().year % 100 + 1  # noqa: DTZ011 a pivot, not a day
        year = np.where(short, np.where(year <= limit, 2000 + year, 1900 + year), year)
        ok = self.valid & ~self.is_ready & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        ok &= (year >= 1900) & (year <= 2100)
        y = np.where(ok, year, 1970).astype("int64")
        m = np.where(ok, month, 1).astype("int64")
        months = (y - 1970) * 12 + (m - 1)
        first = months.astype("M8[M]").astype("M8[D]")
        found = first + np.where(ok, day - 1, 0).astype("m8[D]")
        ok &= found < (months + 1).astype("M8[M]").astype("M8[D]")
        found = np.where(ok, found, np.datetime64("NaT"))
        return np.where(self.is_ready, self.ready.astype("M8[D]"), found)


def parts_of(values: pa.Array, *, serials: bool = True) -> Parts:
    """The parts of unique values of text; ``valid`` marks the values that are dates in some order."""
    size = len(values)
    plain = pc.replace_substring_regex(
        ascii_of(values).fill_null(""), r"\[[A-Za-z_/]+\]$", ""
    )  # [Europe/Paris]
    text = _with_words(pc.utf8_trim_whitespace(plain))
    parts = Parts.none(size)
    left = np.ones(size, bool)
    for kind, pattern in _PATTERNS.items():
        if not left.any():
            break
        at = np.flatnonzero(left)
        found = pc.extract_regex(text.take(pa.array(at)), pattern)
        hit = np.asarray(found.is_valid())
        if not hit.any():
            continue
        _fill(parts, kind, at[hit], found.filter(pa.array(hit)))
        left[at[hit]] = False
    if serials and left.any():
        _serials(parts, text, np.flatnonzero(left))
    return parts


def _fill(parts: Parts, kind: str, at: Ints, found: pa.StructArray) -> None:
    text = {name: pc.struct_field(found, name) for name in ("a", "b", "c", "h", "mi", "s", "half", "zone")}
    for name in ("a", "b", "c"):
        getattr(parts, name)[at] = _ints(text[name])
    parts.wide_a[at] = np.asarray(pc.greater(pc.binary_length(text["a"]), 2))
    parts.wide_c[at] = np.asarray(pc.greater(pc.binary_length(text["c"]), 2))
    parts.named[at] = kind in ("day_word", "word_day", "word_day_time", "year_word")
    parts.fixed[at] = (kind == "compact") | (parts.wide_a[at] & ~parts.named[at])
    half = text["half"].fill_null("")
    hours, minutes = _ints(text["h"]), _ints(text["mi"])
    pm = np.asarray(pc.equal(half, "@p"))
    am = np.asarray(pc.equal(half, "@a"))
    ok = (hours < 24) & (minutes < 60) & ~((pm | am) & (hours > 12) & (hours > 23))
    hours = np.where(pm & (hours < 12), hours + 12, np.where(am & (hours == 12), 0, hours))
    parts.seconds[at] = hours * 3600 + minutes * 60 + _ints(text["s"])
    parts.has_time[at] = np.asarray(pc.fill_null(pc.not_equal(text["h"], ""), False))
    zone = text["zone"].fill_null("").dictionary_encode()
    offsets = np.array([_offset(word) for word in zone.dictionary.to_pylist()] or [0], "int64")
    parts.offset[at] = offsets[np.asarray(zone.indices)]
    parts.has_offset[at] = np.asarray(pc.not_equal(text["zone"].fill_null(""), ""))
    parts.valid[at] = ok & (parts.wide_a[at] | parts.wide_c[at] | (parts.c[at] < 100))


def _serials(parts: Parts, text: pa.Array, at: Ints) -> None:
    """Excel serials of 1982 to 2064, and epochs of 2000 to 2036 in seconds, milli- or microseconds."""
    chosen = text.take(pa.array(at))
    numeric = np.asarray(pc.match_substring_regex(chosen, _NUMBER))
    at = at[numeric]
    if not len(at):
        return
    number = np.asarray(pc.replace_substring(chosen.filter(pa.array(numeric)), ",", ".").cast(pa.float64()))
    for low, high, unit, epoch in (
        (30_000, 60_000, 86_400.0, EXCEL_EPOCH),
        (946_684_800, 2_082_758_400, 1.0, np.datetime64(0, "s")),
        (946_684_800e3, 2_082_758_400e3, 1e-3, np.datetime64(0, "s")),
        (946_684_800e6, 2_082_758_400e6, 1e-6, np.datetime64(0, "s")),
    ):
        hit = (number >= low) & (number < high)
        where = at[hit]
        parts.ready[where] = epoch + np.round(number[hit] * unit).astype("int64").astype("m8[s]")
        parts.is_ready[where] = parts.valid[where] = True
        parts.has_time[where] = (number[hit] % 1 > 0) if unit > 1 else True
        parts.has_offset[where] = unit <= 1  # an epoch is an instant, a serial a local time
    parts.seconds[at] = 0


def _with_words(text: pa.Array) -> pa.Array:
    """Replace months with @m3@, AM and PM with @a and @p, zones with @z180@; drop weekdays and fillers."""
    if pc.any(pc.match_substring_regex(text, "[年月日]")).as_py():
        for mark, sign in (("年", "-"), ("月", "-"), ("日", " ")):
            text = pc.replace_substring(text, mark, sign)
        text = pc.utf8_trim_whitespace(text)
    has_letters = pc.match_substring_regex(text, r"[^\d\s:./,+TZ-]")
    if not pc.any(has_letters).as_py():
        return text
    words = {
        m
        for value in pc.unique(pc.replace_substring_regex(text, r"\d+", " ")).to_pylist()
        for m in _words(value)
    }
    known = {word: _sign(word) for word in words}
    if len(known) <= FEW_WORDS and not _is_odd(text):
        return _replaced(text, known)
    return pa.array([_spelt(value, known) for value in text.to_pylist()], pa.string())


def _is_odd(text: pa.Array) -> bool:
    """Whether a value has two words that may be months, or AM or PM before the hour."""
    shapes = pc.unique(pc.replace_substring_regex(text, r"\d+", "0")).to_pylist()
    for shape in shapes:
        signs = [_sign(word) for word in _words(shape)]
        if sum("@m" in sign for sign in signs) > 1 or not shape[:1].isascii():
            return True
        spelt = _WORD.sub(lambda match: _sign(match[0]), shape)
        if re.search(r"@[ap]\s*0:", spelt):
            return True
    return False


def _replaced(text: pa.Array, known: dict[str, str]) -> pa.Array:
    """Replace words with signs, longest first, through one private character per word."""
    words = sorted(known, key=len, reverse=True)
    for i, word in enumerate(words):
        text = pc.replace_substring(text, word, chr(0xE000 + i))
    for i, word in enumerate(words):
        text = pc.replace_substring(text, chr(0xE000 + i), known[word])
    text = pc.replace_substring_regex(text, r"\s+", " ")
    return pc.utf8_trim(text, " ,(.")


_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\.?")


def _words(value: str) -> list[str]:
    return _WORD.findall(value)


def _sign(word: str) -> str:
    plain = compact(word)
    if plain in HALVES:
        return " @a " if HALVES[plain] == 0 else " @p "
    if plain in MONTHS:
        return f" @m{MONTHS[plain]}@ "
    if plain in ZONES and plain not in ("z",):
        return f" @z{ZONES[plain]}@"
    if plain in WEEKDAYS or plain in FILLERS:
        return " "
    return word


def _spelt(value: str, known: dict[str, str]) -> str:
    has_other = None
    signs = [known.get(word, word) for word in _words(value)]
    if sum("@m" in sign for sign in signs) > 1:  # "mar. 17 mars": a weekday that is also a month's short form
        has_other = True
    months = [word for word in _words(value) if "@m" in known.get(word, word)]
    dropped = next((word for word in months if compact(word) in WEEKDAYS), months[0]) if has_other else None

    def replaced(match: re.Match[str]) -> str:
        return " " if match[0] == dropped else known.get(match[0], match[0])

    spelt = _WORD.sub(replaced, value)
    spelt = re.sub(r"^(\s*[,.]?\s*)?(.*?)\s*$", r"\2", spelt)
    half = re.search(r"@[ap]", spelt)
    if half and re.search(r"@[ap]\s*\d{1,2}:", spelt):  # 下午 3:05: AM or PM comes before the hour
        spelt = spelt.replace(half[0], " ", 1) + " " + half[0]
    return re.sub(r"\s+", " ", spelt).strip(" ,(")


def _offset(word: str) -> int:
    """Minutes ahead of UTC."""
    if named := re.fullmatch(r"@z(-?\d+)@", word):
        return int(named[1])
    match = re.search(r"([-+])(\d{1,2}):?(\d{2})?", word)
    if not match:
        return 0
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return -minutes if match[1] == "-" else minutes


def _ints(text: pa.Array) -> Ints:
    filled = pc.if_else(pc.equal(text.fill_null(""), ""), "0", text.fill_null("0"))
    return np.asarray(filled.cast(pa.int64()))
