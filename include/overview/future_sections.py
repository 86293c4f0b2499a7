"""Sections about what may come: value, who is likely to leave, actions, lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from markupsafe import Markup

from include.models.insight.text import ACTION_NAMES, LANGUAGES
from include.overview import charts
from include.overview.building import Page, Section, link, picture, section
from include.overview.facts import ChanceBand
from include.overview.figures import Figure
from include.overview.lists import MOST_XLSX_ROWS
from include.overview.tables import Column, figure_of, table
from include.overview.templating import render
from include.overview.words import Words


def value(page: Page) -> Section:
    """What the next year may bring, and how the value is spread over the customers."""
    words, parts = page.words, page.summary.value_parts
    if "top_value_1_year" not in words.figures:
        return section(page, "value")
    total = sum((part.amount for part in parts), Decimal(0))
    seen, rows = 0, []
    held = Decimal(0)
    for part in parts:
        seen, held = seen + part.customers, held + part.amount
        rows.append((seen, float(held / total)))
    columns: list[Column] = [
        ("top", lambda row: Figure(row[0], "count")),
        ("held", lambda row: Figure(row[1], "share")),
    ]
    drawing = charts.concentration(parts, words)
    return section(
        page, "value", picture(words, drawing, words("caption.concentration"), table(words, columns, rows))
    )


def leaving(page: Page) -> Section:
    """Customers by chance of leaving; by rank where no chance is known."""
    summary, words = page.summary, page.words
    if not summary.chances:
        bands = summary.categories
        return section(page, "leaving", _bands(words, "category", bands) if bands else Markup())
    drawing = charts.chances(summary.chances, words)
    drawn = picture(words, drawing, words("caption.chances"))
    return section(page, "leaving", drawn, _bands(words, "chance", summary.chances))


def _bands(words: Words, kind: str, bands: Sequence[ChanceBand]) -> Markup:
    has_value = any(band.value is not None for band in bands)
    has_risk = any(band.at_risk is not None for band in bands)
    columns: list[Column] = [
        (kind, lambda row: words(f"{kind}.{row.band}")),
        ("customers", lambda row: Figure(row.customers, "count")),
        ("net_sales", lambda row: Figure(row.net_sales, "money")),
        *([("value", lambda row: figure_of(row.value, "money"))] if has_value else []),
        *([("at_risk", lambda row: figure_of(row.at_risk, "money"))] if has_risk else []),
    ]
    return table(words, columns, bands)


def action_name(words: Words, code: str) -> str:
    """The name of an action; a firm's own action has its code in words."""
    names = ACTION_NAMES.get(code)
    return names[LANGUAGES.index(words.language)] if names else code.replace("_", " ").capitalize()


def actions(page: Page) -> Section:
    """Planned actions with cost, benefit and list."""
    words, planned = page.words, page.summary.actions
    columns: list[Column] = [
        ("action", lambda row: action_name(words, row.code)),
        ("reason", lambda row: row.reason),
        ("customers", lambda row: Figure(row.customers, "count")),
        ("cost", lambda row: Figure(row.cost, "money")),
        ("benefit", lambda row: Figure(row.benefit, "money")),
        ("list", lambda row: link(page.lists.actions[row.code].name)),
    ]
    return section(page, "actions", table(words, columns, planned) if planned else Markup())


def lists(page: Page) -> Section:
    """Links to the lists."""
    words, lists, summary = page.words, page.lists, page.summary
    if "orders" not in words.figures:
        return Section("lists", words("section.lists"), [], [])
    files = [lists.csv.name, *([lists.xlsx.name] if lists.xlsx else [])]
    items = [(words("list.customers"), [link(name) for name in files])]
    for action in summary.actions:
        customers = Figure(action.customers, "count")
        text = words("list.action", action=action_name(words, action.code), customers=customers)
        items.append((text, [link(lists.actions[action.code].name)]))
    if page.data_page:
        items.append((words("list.data"), [link(page.data_page)]))
    return Section(
        "lists",
        words("section.lists"),
        [words("list.about"), words("list.private"), *_no_xlsx(page)],
        [render("lists", items=items)],
    )


def _no_xlsx(page: Page) -> Iterator[Markup]:
    if page.lists.xlsx is None:
        yield page.words("list.xlsx_too_long", limit=Figure(MOST_XLSX_ROWS, "count"))
