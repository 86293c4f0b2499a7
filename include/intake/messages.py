"""Warnings and notes as a code with typed values, and their templates in each language.

The templates are in ``texts/<language>.yaml``, by code or by ``code.variant``. A slot is ``{name}``, or
``{name|one|other}`` for a count with its noun. English is the language of the console and of the JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from include.intake.money import shown

# A count, a share (0 to 1), money, a day, a text, a list of names, or words with their counts.
Value = int | float | Decimal | date | str | tuple[str, ...] | Mapping[str, int]
Write = Callable[[int | float | Decimal | date], str]
LANGUAGES = ("en", "tr")
SLOT = re.compile(r"\{(\w+)(?:\|([^|}]+)\|([^|}]+))?\}")


@dataclass(frozen=True)
class Message:
    """A warning or a note: a code of ``codes.py``, the variant of its text, and the values of the text."""

    code: str
    variant: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    where: str = ""  # the file, if there are several

    @property
    def key(self) -> str:
        """The name of the template."""
        return f"{self.code}.{self.variant}" if self.variant else self.code

    @property
    def text(self) -> str:
        """The message in English, with numbers such as 12,345.60."""
        return written(self, "en", plain)

    def having(self, **values: Value) -> Message:
        """The message with more values."""
        return replace(self, values={**self.values, **values})

    def record(self) -> dict[str, str]:
        """The message as JSON."""
        return {"code": self.code, "text": self.text}


def written(message: Message, language: str, write: Write) -> str:
    """The message in a language; ``write`` formats counts, shares, money and days."""
    texts = templates(language)

    def fill(slot: re.Match[str]) -> str:
        name, one, other = slot.groups()
        value = message.values[name]
        shown_value = _shown(value, texts, write)
        return shown_value if one is None else f"{shown_value} {one if value == 1 else other}"

    text = SLOT.sub(fill, texts[message.key])
    return f"{message.where}: {text}" if message.where else text


def _shown(value: Value, texts: Mapping[str, str], write: Write) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{texts.get(f'reason.{name}', name)} ({write(n)})" for name, n in value.items())
    return write(value)


def plain(value: int | float | Decimal | date) -> str:
    """A value as the console and the JSON show it: 1,234; 12.5%; 1,234.50; 2024-05-01."""
    if isinstance(value, Decimal):
        return shown(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{100 * value:.1f}".removesuffix(".0") + "%"
    return f"{value:,}"


def slots(template: str) -> set[str]:
    """Names of the slots of a template."""
    return {match[1] for match in SLOT.finditer(template)}


@cache
def templates(language: str) -> dict[str, str]:
    """The templates of a language by code or ``code.variant``; short names by ``reason.code``."""
    path = Path(__file__).parent / "texts" / f"{language}.yaml"
    return _flat(yaml.safe_load(path.read_text(encoding="utf-8")))


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in node.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}".removesuffix(".plain")] = str(value)
    return found
