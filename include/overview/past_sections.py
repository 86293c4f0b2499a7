"""Sections about what happened: figures, changes, sales over time, segments, grid, cohorts."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from include.overview import charts
from include.overview.building import Page, Section, grain_words, picture, section
from include.overview.figures import Figure
from include.overview.grids import cohort_triangle, rfm_grid
from include.overview.sentences import sentences_of
from include.overview.tables import Column, figure_of, table
from include.overview.templating import render

CARDS = ("customers", "net_sales", "orders", "avg_order", "active_customers", "expected_value", "at_risk")


def short(page: Page) -> Section:
    """The main figures, and the first sentences."""
    words, figures = page.words, page.words.figures
    cards = []
    for name in CARDS:
        if name not in figures:
            continue
        key = f"{name}_source" if name == "expected_value" and "source_margin" in figures else name
        cards.append((words.figure(figures[name]), words(f"card.{key}")))
    return section(page, "short", render("cards", cards=cards) if cards else Markup())


def changes(page: Page) -> Section:
    """The latest window compared with earlier ones."""
    words, periods = page.words, page.summary.periods
    columns: list[Column] = [
        ("period", lambda row: words(f"period.{row.name}")),
        ("net_sales", lambda row: Figure(row.net_sales, "money")),
        ("orders", lambda row: Figure(row.orders, "count")),
        ("customers", lambda row: Figure(row.customers, "count")),
        ("new_customers", lambda row: Figure(row.new_customers, "count")),
    ]
    return section(page, "changes", table(words, columns, periods) if periods else Markup())


def months(page: Page) -> Section:
    """Sales by month, quarter or year."""
    summary, words = page.summary, page.words
    grain = grain_words(words, summary.month_grain)
    sentences = list(sentences_of("months", words, **grain))
    if len(summary.months) < 2:
        return Section("months", words("section.months"), [], [])
    columns: list[Column] = [
        ("period", lambda row: Figure(row.start, summary.month_grain)),
        ("net_sales", lambda row: Figure(row.net_sales, "money")),
        ("orders", lambda row: Figure(row.orders, "count")),
        ("new_customers", lambda row: Figure(row.new_customers, "count")),
    ]
    drawing = charts.months(summary, words)
    block = picture(words, drawing, Markup(" ").join(sentences), table(words, columns, summary.months))
    return Section("months", words("section.months"), [], [block])


def segments(page: Page) -> Section:
    """Segments with size, money, meaning and action."""
    summary, words = page.summary, page.words
    sizes = summary.segments
    if not sizes:
        return section(page, "segments")
    customers = sum(size.customers for size in sizes)
    sales = sum((size.net_sales for size in sizes), Decimal(0))
    largest = max(sizes, key=lambda size: size.customers)
    values = {"segment": largest.name, "share": Figure(largest.customers / customers, "share")}
    has_shares = charts.has_shares(sizes)
    if has_shares:
        caption = words("caption.segments", **values, sales=Figure(float(largest.net_sales / sales), "share"))
    else:
        caption = words("caption.segments_no_sales", **values)
    has_value = any(size.value is not None for size in sizes)
    has_risk = any(size.at_risk is not None for size in sizes)
    columns: list[Column] = [
        ("segment", lambda row: row.name),
        ("customers", lambda row: Figure(row.customers, "count")),
        ("net_sales", lambda row: Figure(row.net_sales, "money")),
        *([("sales_share", lambda row: Figure(float(row.net_sales / sales), "share"))] if has_shares else []),
        ("median_silent", lambda row: Figure(round(row.median_silent_days), "days")),
        ("median_orders", lambda row: Figure(Decimal(str(row.median_orders)), "count")),
        *([("value", lambda row: figure_of(row.value, "money"))] if has_value else []),
        *([("at_risk", lambda row: figure_of(row.at_risk, "money"))] if has_risk else []),
    ]
    meanings: list[Column] = [
        ("segment", lambda row: row.name),
        ("meaning", lambda row: row.meaning),
        ("action", lambda row: row.action),
    ]
    drawing = charts.segments(sizes, words)
    drawn = picture(words, drawing, caption)
    return section(page, "segments", drawn, table(words, columns, sizes), table(words, meanings, sizes))


def grid(page: Page) -> Section:
    """The 5 x 5 grid of recency and frequency."""
    cells = page.summary.cells
    return section(page, "grid", rfm_grid(cells, page.words) if cells else Markup())


def cohorts(page: Page) -> Section:
    """Shares of customers who came back, by period of the first purchase."""
    summary, words = page.summary, page.words
    block = cohort_triangle(summary, words) if summary.cohorts else Markup()
    return section(page, "cohorts", block, **grain_words(words, summary.cohort_grain))
