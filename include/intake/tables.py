"""A table as read from a file: header and text columns, before types are decided."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from include.intake.messages import Message
from include.intake.vocabulary import WORDS, listed

BATCH = 65_536
SAMPLE = 5
BARE_FIELDS = frozenset(
    {"id", "name", "code", "number", "no", "reference", "ref", "barcode", "displayname", "externalid"}
)
TOTAL_WORDS = frozenset(listed(WORDS["totals"]))


@dataclass
class Table:
    """Text columns of equal length. ``typed``: columns with types from the format (workbook, JSON)."""

    name: str
    header: tuple[str, ...]
    columns: list[pa.Array]
    typed: frozenset[int] = frozenset()
    ragged: list[str] = field(default_factory=list)  # rows left out: more fields than the header
    notes: list[Message] = field(default_factory=list)
    has_header: bool = True
    # Rows that another file also has: the warning, and the rows that were kept.
    repeated: list[tuple[Message, npt.NDArray[np.int64]]] = field(default_factory=list)
    part: tuple[str, ...] = ()  # the name of its file in a folder or an archive
    # Of several files: pairs of a row and a file that has it, files numbered by name.
    members: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None

    @property
    def rows(self) -> int:
        """Number of rows, without those left out."""
        return len(self.columns[0]) if self.columns else 0


class Builder:
    """Collects rows of text into Arrow columns, in batches, so that memory stays close to the text's size."""

    def __init__(self, width: int) -> None:
        """``width``: the number of fields of a row."""
        self.width = width
        self.ragged: list[str] = []
        self._parts: list[list[pa.Array]] = [[] for _ in range(width)]
        self._rows: list[Sequence[str | None]] = []

    def add(self, row: Sequence[str | None]) -> None:
        """Add a row: short rows are filled, empty fields beyond the header are dropped."""
        if len(row) != self.width:
            row = list(row)
            while len(row) > self.width and not (row[-1] or "").strip():
                row.pop()
            if len(row) > self.width:
                self.ragged.append(" | ".join(value or "" for value in row))
                return
            row = [*row, *[None] * (self.width - len(row))]
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def extend(self, rows: Iterable[Sequence[str | None]]) -> None:
        """Add many rows."""
        source = iter(rows)
        while batch := list(itertools.islice(source, BATCH)):
            if set(map(len, batch)) == {self.width} and not self._rows:
                self._rows = batch
                self._flush()
            else:
                for row in batch:
                    self.add(row)

    def columns(self) -> list[pa.Array]:
        """The columns of everything added."""
        self._flush()
        return [pa.concat_arrays(p) if p else pa.array([], pa.string()) for p in self._parts]

    def _flush(self) -> None:
        if self._rows:
            for part, values in zip(self._parts, zip(*self._rows, strict=True), strict=True):
                part.append(pa.array(values, pa.string()))
            self._rows = []


# Letters without a decomposition, and ordinal signs, which are written as a degree sign too (Nº, N°).
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "æ": "ae", "đ": "d", "\u00ba": "", "\u00aa": ""})


def compact(name: str) -> str:
    """A header without case, accents, blanks and punctuation: ``Invoice No`` equals ``InvoiceNo``."""
    text = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "", text.replace("ß", "ss"))


def variants(name: str, codes: frozenset[str]) -> tuple[str, ...]:
    """A header, unchanged and without a currency code or text in brackets."""
    bare = re.sub(r"[\(\[].*?[\)\]]", " ", name)
    words = [word for word in re.split(r"[\s_]+", bare) if word.upper() not in codes]
    return tuple(dict.fromkeys((compact(name), compact(bare), compact(" ".join(words)))))


def last_of_path(name: str) -> str:
    """The field of a header that is a path, such as Date of ``Order Lines/Order Ref/Date``, or ''.

    A field such as Name says nothing without the one before it.
    """
    parts = [part.strip() for part in re.sub(r"(?i)\bw/o\b", "without", name).split("/")]
    if len(parts) < 2 or not all(parts):
        return ""
    return " ".join(parts[-2:]) if compact(parts[-1]) in BARE_FIELDS else parts[-1]


def is_total(text: str) -> bool:
    """Whether a cell marks its row as a total."""
    words = re.split(r"[\s:()]+", text.strip(" :"))
    return (
        compact(text) in TOTAL_WORDS or compact(words[0]) in TOTAL_WORDS or compact(words[-1]) in TOTAL_WORDS
    )


def looks_like_value(cell: str) -> bool:
    """Whether a cell is a number, a date, an address or an amount rather than a column's name."""
    text = cell.strip()
    if "@" in text and "." in text:
        return True
    if re.fullmatch(
        r"[^\W\d_]{3,}[ .'-]*(?:19|20)?\d{2}|(?:19|20)\d{2}[-/](?:0[1-9]|1[0-2])|[QqHh][1-4] \d{2,4}", text
    ):
        return False  # a month may be the name of a column of a pivot table
    digits = sum(c.isdigit() for c in text)
    letters = sum(c.isalpha() for c in text)
    return digits > 0 and digits >= letters


def find_header(rows: Sequence[Sequence[str]], known: frozenset[str]) -> int | None:
    """The index of the header among a file's first rows; None if there is none.

    It is the row with the most known column names, else the first row of text above rows with values.
    """
    filled = [sum(bool(cell and cell.strip()) for cell in row) for row in rows]
    widths = [width for width in filled if width > 1]
    usual = max(set(widths), key=widths.count) if widths else 1
    best, best_score = None, 0
    for i, row in enumerate(rows):
        cells = [cell.strip() for cell in row if cell and cell.strip()]
        if len(cells) < max(1, min(2, usual)) or len(cells) * 2 < usual:
            continue
        if any(looks_like_value(cell) for cell in cells) and sum(map(looks_like_value, cells)) * 4 > len(
            cells
        ):
            continue
        if any("\n" in cell and len(cell) > 200 for cell in cells):
            continue
        score = 1 + 2 * sum(compact(cell) in known for cell in cells)
        below = rows[i + 1 : i + 12]
        if below and not any(looks_like_value(cell) for later in below for cell in later if cell):
            score -= 1
        if score > best_score:
            best, best_score = i, score
    return best
