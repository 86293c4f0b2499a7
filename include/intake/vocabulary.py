"""Word lists in YAML files, so that words can be added without changing code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def load(name: str) -> Any:
    """The content of ``<name>.yaml``."""
    text = (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def listed(words: str) -> tuple[str, ...]:
    """The unique words of a list separated by semicolons."""
    return tuple(dict.fromkeys(" ".join(word.split()) for word in words.split(";") if word.strip()))


WORDS: dict[str, Any] = load("vocabulary")
