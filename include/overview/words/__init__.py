"""The words of the page: one file of texts per language, with the same keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from include.overview.figures import Figure, Writer

LANGUAGES = ("en", "tr")
_SLOT = re.compile(r"\{(\w+)(?:\|([^|}]+)\|([^|}]+))?\}")


class Words:
    """Texts in one language with figures written into them."""

    def __init__(self, language: str, currency: str, figures: Mapping[str, Figure]) -> None:
        """``figures`` are known to every text by their names."""
        self.language = language
        self.writer = Writer(language, currency)
        self.figures = figures
        self._texts = texts(language)

    def __call__(self, key: str, **values: object) -> Markup:
        """The text of a key such as ``section.short``, as HTML; KeyError without the text or a figure.

        A figure is in a ``data`` element with its exact value. Other values are escaped.
        """
        known = {**self.figures, **values}

        def fill(slot: re.Match[str]) -> str:
            name, one, other = slot.groups()
            value = known[name]
            if not isinstance(value, Figure):
                return str(escape(value))
            shown = self.figure(value)
            if one is None:
                return str(shown)
            return f"{shown} {one if self.writer.is_one(value.number) else other}"

        return Markup(_SLOT.sub(fill, str(escape(self.text(key)))))

    def plain(self, key: str, **values: object) -> str:
        """The text of a key without HTML."""
        return Markup(self(key, **values)).striptags()

    def text(self, key: str) -> str:
        """The text of a key with its slots."""
        return self._texts[key]

    def has(self, key: str) -> bool:
        """Whether there is a text of the key."""
        return key in self._texts

    def figure(self, figure: Figure) -> Markup:
        """A figure as HTML with its exact value for programs."""
        shown = self.writer.write(figure)
        if isinstance(figure.value, str):
            return escape(shown)
        return Markup('<data value="{}">{}</data>').format(figure.exact, shown)


def slots(text: str) -> set[str]:
    """Names of the slots of a text."""
    return {match[1] for match in _SLOT.finditer(text)}


@cache
def texts(language: str) -> dict[str, str]:
    """Texts of a language by key."""
    return _flat(_load(language))


def _load(name: str) -> Any:
    return yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in node.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = str(value)
    return found
