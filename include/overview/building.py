"""Parts that the sections of the page share."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from include.overview import charts
from include.overview.facts import Summary
from include.overview.lists import Lists
from include.overview.sentences import sentences_of
from include.overview.templating import render
from include.overview.words import Words


class Section(NamedTuple):
    """A section of the page: id, title, sentences, and what is shown after them, or before (``is_below``)."""

    name: str
    title: Markup
    sentences: list[Markup]
    blocks: list[Markup]
    is_list: bool = False
    is_folded: bool = False
    is_below: bool = False


class Page(NamedTuple):
    """What a section is made from."""

    summary: Summary
    words: Words
    lists: Lists
    data_page: str | None


def section(page: Page, name: str, *blocks: Markup, **values: object) -> Section:
    """A section with the sentences that hold, and its blocks."""
    words = page.words
    return Section(
        name,
        words(f"section.{name}"),
        list(sentences_of(name, words, **values)),
        [block for block in blocks if block],
        is_list=name in ("short", "value", "leaving", "actions", "sure", "cannot"),
        is_below=name == "short",
    )


def picture(words: Words, drawing: charts.Drawing, caption: Markup, below: Markup | str = "") -> Markup:
    """A chart, the sentence that says what it shows, and its numbers as a folded table if not shown below."""
    return render(
        "figure",
        wide=drawing.wide,
        narrow=drawing.narrow,
        caption=caption,
        summary=words("chart.as_table"),
        below=below,
    )


def grain_words(words: Words, grain: str) -> dict[str, Markup]:
    """The words for a period of the calendar and for several."""
    return {"grain": words(f"month.{grain}"), "grains": words(f"months.{grain}")}


def link(name: str) -> Markup:
    """A link to a file beside the page."""
    return Markup('<a href="{}">{}</a>').format(f"./{quote(name)}", name)
