"""Find the dialect of a text file and read its rows; unusual quotes lose no row."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Refused
from include.intake.messages import Message
from include.intake.tables import Builder, Table, compact, find_header

DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x01")
COLUMNS = "  "  # text columns, separated by two blanks or more
NAMED = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}
SAMPLE_LINES = 400
HEAD_ROWS = 60
LONGEST_FIELD = 1 << 20
MOST_LINES_IN_FIELD = 40  # a longer quoted field means an unclosed quote
csv.field_size_limit(LONGEST_FIELD)


@dataclass(frozen=True)
class Dialect:
    """How fields are separated. A blank as delimiter matches any run of blanks."""

    delimiter: str
    escape: str | None = None
    quotes: bool = True
    quote: str = '"'
    skip: int = 0  # lines before the first row, such as sep=;

    def split(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Split lines into rows."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            escapechar=self.escape,
            skipinitialspace=self.delimiter != "\t",
        )


def find_dialect(sample: list[str], known: frozenset[str], wanted: str | None = None) -> Dialect:
    """The dialect that gives the best table for the first lines, with most known column names."""
    skip = 0
    for line in sample[:3]:
        if match := re.fullmatch(r"\ufeff?\"?sep=(.)\"?\s*", line):
            skip = sample.index(line) + 1
            wanted = wanted or match[1]
    lines = [line for line in sample[skip:] if line.strip()]
    if wanted is not None:
        delimiter = NAMED.get(wanted, wanted)
        if len(delimiter) != 1:
            raise Refused(
                "bad_option", f"delimiter {wanted!r} is not one character", "Use --delimiter ';' or tab"
            )
        return _escaped(Dialect(delimiter, skip=skip), lines)
    scored = []
    for rank, delimiter in enumerate(DELIMITERS):
        dialect = _escaped(Dialect(delimiter, skip=skip), lines)
        rows = _rows_of(dialect, lines)
        widths = Counter(len(row) for row in rows)
        if not widths:
            continue
        usual, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        if usual < 2:
            wide = [(width, n) for width, n in widths.items() if width > 1 and n * 3 > len(rows)]
            if not wide:
                continue
            usual, count = max(wide)
        named = max((sum(compact(cell) in known for cell in row) for row in rows[:HEAD_ROWS]), default=0)
        even = count / len(rows)
        scored.append((min(named, 4) + 3 * even + min(usual, 12) / 12, -rank, delimiter))
    if scored:
        return _escaped(Dialect(max(scored)[2], skip=skip), lines)
    apart = Counter(len(re.split(r"\s{2,}", line.strip())) for line in lines)
    if lines and apart.most_common(1)[0][0] > 2 and apart.most_common(1)[0][1] * 10 > 9 * len(lines):
        return Dialect(COLUMNS, quotes=False, skip=skip)
    blanks = Counter(len(line.split()) for line in lines[1:] or lines)
    if lines and blanks.most_common(1)[0][0] > 1 and blanks.most_common(1)[0][1] * 10 > 8 * len(lines):
        return Dialect(" ", quotes=False, skip=skip)
    return Dialect(",", skip=skip)


def _escaped(dialect: Dialect, lines: list[str]) -> Dialect:
    """Use a single quote as quote, or backslash as escape, if the lines are written so."""
    mark = f"'{dialect.delimiter}'"
    if lines and all(line.lstrip().startswith("'") and mark in line for line in lines):
        return dataclasses.replace(dialect, quote="'")
    if not any('\\"' in line for line in lines):
        return dialect
    other = dataclasses.replace(dialect, escape="\\")
    even = [
        max(Counter(len(row) for row in _rows_of(d, lines)).values(), default=0) / max(len(lines), 1)
        for d in (dialect, other)
    ]
    return other if even[1] > even[0] else dialect


def _rows_of(dialect: Dialect, lines: list[str]) -> list[list[str]]:
    try:
        return list(dialect.split(iter(lines)))
    except csv.Error:
        return []


def read_text(
    path: Path,
    *,
    name: str,
    encoding: str,
    known: frozenset[str],
    delimiter: str | None = None,
    has_header: bool | None = None,
) -> Table:
    """The table of a text file; Refused if it has none."""
    with path.open(encoding=encoding, newline="") as source:
        sample = list(itertools.islice(source, SAMPLE_LINES))
    sample = [line.lstrip("\ufeff") if i == 0 else line for i, line in enumerate(sample)]
    if not any(line.strip() for line in sample):
        raise Refused("empty_file", f"{name} is empty", "Export it again; a header and one row are needed")
    dialect = find_dialect(sample, known, delimiter)
    if wrapped := _wrapped(sample, known, delimiter):
        dialect = wrapped
    with path.open(encoding=encoding, newline="") as source:
        lines = itertools.islice(source, dialect.skip, None)
        rows = _rows(_unwrapped(lines) if wrapped else lines, dialect)
        first = list(itertools.islice(rows, HEAD_ROWS))
        first = [[cell.lstrip("\ufeff") for cell in row] if i == 0 else row for i, row in enumerate(first)]
        at = None if has_header is False else find_header(first, known)
        table = _table(name, first, rows, at)
    variant = {"\t": "tab", " ": "blanks", COLUMNS: "blanks", "\x01": "control"}.get(dialect.delimiter, "")
    table.notes.append(Message("dialect", variant, {"encoding": encoding, "delimiter": dialect.delimiter}))
    if at:
        table.notes.append(Message("preamble", values={"rows": at}))
    return table


def _wrapped(sample: list[str], known: frozenset[str], delimiter: str | None) -> Dialect | None:
    """The dialect inside lines that are each one quoted field, as a spreadsheet saves a pasted csv."""
    lines = [line for line in sample if line.strip()]
    if not all(re.fullmatch(r'\s*"(?:[^"]|"")*"[,;]*\s*', line) for line in lines):
        return None
    inner = find_dialect(list(_unwrapped(iter(lines))), known, delimiter)
    rows = _rows_of(inner, list(_unwrapped(iter(lines))))
    return inner if rows and len(rows[0]) > 1 else None


def _unwrapped(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        text = line.strip().rstrip(",;")
        yield text[1:-1].replace('""', '"') + "\n" if text[:1] == '"' == text[-1:] else line


def _table(name: str, first: list[list[str]], rows: Iterator[list[str]], header_at: int | None) -> Table:
    body = first if header_at is None else first[header_at + 1 :]
    widths = Counter(len(row) for row in body)
    if header_at is None:
        header: tuple[str, ...] = tuple(f"#{i + 1}" for i in range(max(widths, key=lambda w: widths[w])))
    else:
        header = _named(first[header_at])
    builder = Builder(len(header))
    builder.extend(body)
    builder.extend(rows)
    columns = [_without_formula(column) for column in builder.columns()]
    return Table(name, header, columns, ragged=builder.ragged, has_header=header_at is not None)


def _without_formula(column: pa.Array) -> pa.Array:
    """Replace ="00123", which keeps a spreadsheet from converting a text, by its text."""
    head = column.slice(0, SAMPLE_LINES)
    if not pc.any(pc.match_substring_regex(head, r'^="[^"]*"$')).as_py():
        return column
    return pc.replace_substring_regex(column, r'^="([^"]*)"$', r"\1")


def _named(cells: Sequence[str]) -> tuple[str, ...]:
    """Trimmed header cells; trailing unnamed cells are dropped, other unnamed cells are numbered."""
    names = [" ".join(cell.replace("\u200b", "").split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(name or f"#{i + 1}" for i, name in enumerate(names))


def _rows(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    """Rows that are not blank. An unclosed quote counts as an ordinary character."""
    if dialect.delimiter in (" ", COLUMNS):
        apart = r"\s+" if dialect.delimiter == " " else r"\s{2,}"
        yield from (re.split(apart, line.strip()) for line in lines if line.strip())
        return
    seen: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            seen.append(line)
            yield line

    plain = Dialect(dialect.delimiter, dialect.escape, quotes=False)
    source = remembered()
    width = 0
    while True:
        reader = dialect.split(source)
        try:
            for row in reader:
                if len(seen) > 1:
                    alone = list(plain.split(iter(seen)))
                    whole = sum(len(line) == width for line in alone)
                    if len(seen) > MOST_LINES_IN_FIELD or (width and whole >= len(seen) - 1 and whole > 1):
                        row = []
                        yield from (line for line in alone if any(cell.strip() for cell in line))
                seen.clear()
                if row and (row[0].strip() or any(cell.strip() for cell in row)):
                    width = width or len(row)
                    yield row
            return
        except csv.Error:
            yield from (line for line in plain.split(iter(seen)) if any(cell.strip() for cell in line))
            seen.clear()
