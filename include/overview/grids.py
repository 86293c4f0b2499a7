"""The two coloured tables: the 5 x 5 grid of recency and frequency, and the cohort triangle."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from include.overview.calendar import MOST_COHORTS, SMALL_COHORT
from include.overview.facts import Cell, Summary
from include.overview.figures import Figure
from include.overview.templating import render
from include.overview.words import Words

LIGHT, DARK = (239, 246, 252), (8, 69, 148)  # one sequential scale of blues


def rfm_grid(cells: Sequence[Cell], words: Words) -> Markup:
    """Recency upwards, frequency to the right; each square has the customers and what they brought."""
    found = {(cell.recency, cell.frequency): cell for cell in cells}
    most = max(cell.customers for cell in cells)
    rows = []
    for recency in range(5, 0, -1):
        row = []
        for frequency in range(1, 6):
            cell = found.get((recency, frequency), Cell(recency, frequency, 0, Decimal(0)))
            customers, money = Figure(cell.customers, "count"), Figure(cell.net_sales, "money")
            row.append(
                {
                    "style": _style((cell.customers / most) ** 0.5 if cell.customers else 0.0),
                    "customers": words.figure(customers),
                    "money": Markup('<data value="{}" title="{}">{}</data>').format(
                        money.exact, words.writer.money(cell.net_sales), words.writer.compact(cell.net_sales)
                    ),
                    "is_empty": cell.customers == 0,
                }
            )
        rows.append((words("grid.recency", score=recency), row))
    columns = [words("grid.frequency", score=score) for score in range(1, 6)]
    return render(
        "grid",
        caption=words("grid.caption"),
        up=words("grid.up"),
        right=words("grid.right"),
        scale=words("grid.scale"),
        columns=columns,
        rows=rows,
    )


def cohort_triangle(summary: Summary, words: Words) -> Markup:
    """A row per cohort; the first period, which is always 100 %, is left out."""
    shown = [rate for cohort in summary.cohorts for rate in cohort.rates[1:] if rate is not None]
    most = max(
        (
            rate
            for cohort in summary.cohorts
            if cohort.customers >= SMALL_COHORT
            for rate in cohort.rates[1:]
            if rate is not None
        ),
        default=max(shown, default=0.0),
    )
    ages = max(
        (age for cohort in summary.cohorts for age, rate in enumerate(cohort.rates) if rate is not None),
        default=0,
    )
    rows = []
    for cohort in summary.cohorts:
        is_small = cohort.customers < SMALL_COHORT
        shares: list[dict[str, object] | None] = []
        for age in range(1, min(ages + 1, MOST_COHORTS)):
            rate = cohort.rates[age]
            if rate is None:
                shares.append(None)
                continue
            shade = "" if is_small else _style(min(rate / most, 1.0) if most else 0.0)
            shares.append(
                {
                    "style": shade,
                    "share": words.figure(Figure(round(rate, 2), "share")),
                    "is_small": is_small,
                    "is_open": cohort.is_open[age],
                }
            )
        start = words.figure(Figure(cohort.start, summary.cohort_grain))
        rows.append((start, words.figure(Figure(cohort.customers, "count")), shares))
    return render(
        "cohorts",
        start=words("column.start"),
        size=words("column.size"),
        ages=list(range(1, min(ages + 1, MOST_COHORTS))),
        rows=rows,
        open=words("grid.open"),
        scroll=words("scroll"),
    )


def _style(depth: float) -> str:
    """Background between light and dark, and a text colour of enough contrast (WCAG 2: at least 4.5 to 1)."""
    colour = tuple(round(light + (dark - light) * depth) for light, dark in zip(LIGHT, DARK, strict=True))
    ink = "#fff" if contrast(colour, (255, 255, 255)) >= 4.5 else "#000"
    return f"background:rgb{colour};color:{ink}".replace(" ", "")


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Sequence[int]) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
