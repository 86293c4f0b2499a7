"""SQL files with ``:name`` parameters, for psycopg."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent / "sql"

# Comments and quoted text come first, so that a colon inside them is no parameter; nor is a cast's.
_TOKEN = re.compile(
    r"(--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\2\$|::)|:([a-z_][a-z0-9_]*)|(%)", re.S
)


@cache
def script(folder: str, name: str) -> str:
    """The text of ``sql/<folder>/<name>.sql``."""
    return (SQL / folder / f"{name}.sql").read_text(encoding="utf-8")


def named(folder: str) -> list[str]:
    """Names of the scripts in ``sql/<folder>``, sorted."""
    return sorted(path.stem for path in (SQL / folder).glob("*.sql"))


def placeholders(text: str, params: Mapping[str, object]) -> str:
    """The text with psycopg's placeholders; KeyError names a parameter that nobody gives."""

    def swap(found: re.Match[str]) -> str:
        kept, _, name, percent = found.groups()
        if percent:
            return "%%"
        if kept is not None:
            return kept.replace("%", "%%")
        if name not in params:
            raise KeyError(f"parameter :{name} is unknown; there are {', '.join(f':{p}' for p in params)}")
        return f"%({name})s"

    return _TOKEN.sub(swap, text)
