"""The sections of the page, in their order."""

from __future__ import annotations

from collections.abc import Callable

from include.overview import future_sections as future
from include.overview import past_sections as past
from include.overview import reading_table
from include.overview.building import Page, Section, section
from include.overview.templating import render


def sections_of(page: Page) -> list[Section]:
    """The sections that have something to say."""
    return [section for make in SECTIONS if (section := make(page)).sentences or section.blocks]


def _sure(page: Page) -> Section:
    """What the file says for certain."""
    return section(page, "sure")


def _cannot(page: Page) -> Section:
    """What the file cannot tell."""
    return section(page, "cannot")


def _understood(page: Page) -> Section:
    words, summary = page.words, page.summary
    if summary.answer is None:
        return Section("understood", words("section.understood"), [], [])
    last = summary.answer.last_day
    notes = [words("understood.as_of_note")] if last is not None and summary.as_of <= last else []
    return Section(
        "understood", words("section.understood"), notes, reading_table.blocks(summary.answer, words)
    )


TERMS = ("typical", "recency", "frequency", "monetary", "margin", "value", "range", "chance")


def _words(page: Page) -> Section:
    words = page.words
    terms = [(words(f"term.{term}"), words(f"term.{term}_is")) for term in TERMS]
    return Section("words", words("section.words"), [], [render("terms", terms=terms)], is_folded=True)


SECTIONS: tuple[Callable[[Page], Section], ...] = (
    past.short,
    past.changes,
    past.months,
    past.segments,
    past.grid,
    past.cohorts,
    future.value,
    future.leaving,
    future.actions,
    future.lists,
    _sure,
    _cannot,
    _understood,
    _words,
)
