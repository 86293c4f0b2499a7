"""Tables and numbers of a report as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup

from include import metrics
from include.report.templating import render

DASH = "\u2013"
MINUS = "\u2212"
SAME_AS_TABLE = "The same as a table"
Column = tuple[str, str | Callable[[dict[str, Any]], Any]]  # its heading, and the field or what is made of it


def label(name: str, of: str = "") -> str:
    """The glossary's label of a customer's metric as a heading; ``of`` says how customers are summed up."""
    text = metrics.find(name).en
    return f"{text}, {of}" if of else text


def drawn(name: str, message: str, below: Markup, *, called: str = SAME_AS_TABLE) -> Markup:
    """A chart's element, the sentence that describes it, and its table."""
    return render("chart", name=name, message=message) + details(called, below)


def details(summary: str, inner: Markup) -> Markup:
    """A collapsed element that the reader can open."""
    return render("details", summary=summary, inner=inner)


def table(columns: Sequence[Column], rows: Iterable[dict[str, Any]], *, is_linked: bool = False) -> Markup:
    """Rows that sort by their headings; ``is_linked`` makes the first cell choose a feature."""
    found = [[row[value] if isinstance(value, str) else value(row) for _, value in columns] for row in rows]
    numeric = [any(isinstance(row[i], int | float) for row in found) for i in range(len(columns))]
    return render(
        "table",
        headings=[(name, is_number) for (name, _), is_number in zip(columns, numeric, strict=True)],
        rows=[
            [_cell(value, is_number=is_number) for value, is_number in zip(row, numeric, strict=True)]
            for row in found
        ],
        is_linked=is_linked,
    )


def _cell(value: Any, *, is_number: bool) -> tuple[Any, str, bool]:
    """What a cell sorts by, what it shows, and whether it is one of a column of numbers."""
    if value is None:
        return "", DASH, is_number
    return value, number(value) if is_number else str(value), is_number


def number(value: float) -> str:
    """Four significant figures, thousands apart, a true minus."""
    if isinstance(value, int) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    elif value == 0:
        text = "0"
    else:
        text = f"{value:.4g}" if abs(value) >= 0.001 else f"{value:.1e}"
    return text.replace("-", MINUS) if value < 0 else text
