"""The page: one HTML file without scripts that loads nothing, so that it shows the same offline and later."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from include.overview.facts import Summary
from include.overview.lists import Lists
from include.overview.sections import Page, sections_of
from include.overview.templating import render
from include.overview.words import Words
from include.version import __version__

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


def words_of(summary: Summary) -> Words:
    """The words of the summary's language, with its figures."""
    return Words(summary.language, summary.currency, summary.figures)


def html_of(summary: Summary, lists: Lists, *, data_page: str | None = None) -> str:
    """The page; ``data_page`` is the name of the page for analysts beside it."""
    words = words_of(summary)
    sections = sections_of(Page(summary, words, lists, data_page))
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    page = render(
        "page",
        language=summary.language,
        policy=Markup(POLICY),
        title=words("title", file=summary.name),
        heading=words("heading"),
        made_from=words("made_from", file=summary.name),
        money_in=words("money_in" if "currency" in summary.figures else "money_unknown"),
        no_names=words("no_names"),
        contents=words("contents"),
        dash=words("dash_reason"),
        made_by=words("made_by", version=__version__),
        sections=sections,
        style=Markup(style),
    )
    return f"{page}\n"
