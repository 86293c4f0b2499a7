"""Tables and numbers of a report as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

DASH = "\u2013"
MINUS = "\u2212"
SAME_AS_TABLE = "The same as a table"
Column = tuple[str, str | Callable[[dict[str, Any]], Any]]  # its heading, and the field or what is made of it


def drawn(name: str, said: str, below: str, *, called: str = SAME_AS_TABLE) -> str:
    """A chart's place on the page, the sentence that says it, and its table."""
    return (
        f'<p>{escape(said)}</p><div class="chart" id="{name}" role="img" aria-label="{escape(said)}"></div>'
        + details(escape(called), below)
    )


def details(summary: str, inner: str) -> str:
    """Something to unfold."""
    return f"<details><summary>{summary}</summary>{inner}</details>"


def table(columns: Sequence[Column], rows: Iterable[dict[str, Any]], *, is_linked: bool = False) -> str:
    """Rows that sort by their headings; ``is_linked`` makes the first cell choose a feature."""
    found = [[row[value] if isinstance(value, str) else value(row) for _, value in columns] for row in rows]
    numeric = [any(isinstance(row[i], int | float) for row in found) for i in range(len(columns))]
    heads = "".join(
        f'<th scope="col"{_n(is_number)}><button type="button">{escape(name)}</button></th>'
        for (name, _), is_number in zip(columns, numeric, strict=True)
    )
    lines = []
    for row in found:
        cells = [_td(value, is_number=is_number) for value, is_number in zip(row, numeric, strict=True)]
        if is_linked:
            name = escape(str(row[0]))
            button = f'<button type="button" data-feature="{name}">{name}</button>'
            cells[0] = f'<td data-value="{name}">{button}</td>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="sortable">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _td(value: Any, *, is_number: bool) -> str:
    if not is_number:
        return f"<td>{escape(DASH if value is None else str(value))}</td>"
    if value is None:
        return '<td class="n" data-value="">' + f"{DASH}</td>"
    return f'<td class="n" data-value="{value}">{number(value)}</td>'


def _n(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def number(value: float) -> str:
    """Four significant figures, thousands apart, a true minus."""
    if isinstance(value, int) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    elif value == 0:
        text = "0"
    else:
        text = f"{value:.4g}" if abs(value) >= 0.001 else f"{value:.1e}"
    return text.replace("-", MINUS) if value < 0 else text
