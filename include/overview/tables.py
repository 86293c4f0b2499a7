"""Tables of the page. On a narrow screen each row becomes a card, so that no column is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from include.overview.figures import Figure, Unit
from include.overview.templating import render
from include.overview.words import Words

DASH = "\u2013"
Column = tuple[str, Callable[[Any], Figure | Markup | str | None]]  # a key of ``column``, and the cell


def table(words: Words, columns: Sequence[Column], rows: Iterable[Any], *, kind: str = "") -> Markup:
    """Rows as a table; the first column names the row, figures are aligned to the right.

    ``kind`` is a class of the style sheet: ``facts`` is a table of names and values.
    """
    cells = [[_cell(words, value(row)) for _, value in columns] for row in rows]
    return render("table", headings=[_heading(words, key) for key, _ in columns], rows=cells, kind=kind)


def _heading(words: Words, key: str) -> str:
    """A heading; one of margin names the margin that is assumed, if it is not the file's own."""
    is_of_file = key in ("value", "benefit") and "assumed_margin" not in words.figures
    return words.plain(f"column.{key}_source" if is_of_file else f"column.{key}")


def figure_of(value: Decimal | float | None, unit: Unit) -> Figure | None:
    """A figure; None where the value is unknown."""
    return None if value is None else Figure(value, unit)


def _cell(words: Words, value: Figure | Markup | str | None) -> tuple[Markup | str, bool]:
    """What a cell shows, and whether it is a number."""
    if value is None:
        return DASH, True
    if isinstance(value, Figure):
        return words.figure(value), value.unit not in ("day", "month", "quarter", "year", "text")
    return value, False
