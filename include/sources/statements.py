"""The SQL of ``include/sql/extract``: ``:name`` parameters turned into a driver's own binds."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "sql" / "extract"

# What may hold a colon that begins no parameter comes first: comments, strings, names, casts.
TOKEN = re.compile(
    r"""
    (?P<skip> --[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | :: )
    | :(?P<name>[a-z][a-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)


@cache
def statement(path: str) -> str:
    """The text of ``sql/extract/<path>.sql``."""
    return (FOLDER / f"{path}.sql").read_text(encoding="utf-8")


def has_statement(path: str) -> bool:
    """Whether ``sql/extract/<path>.sql`` exists."""
    return (FOLDER / f"{path}.sql").is_file()


def numbered(sql: str) -> tuple[str, list[str]]:
    """The statement with Postgres's ``$1, $2, …`` for its ``:name`` parameters, and their names in order."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        if (name := match["name"]) is None:
            return match[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return TOKEN.sub(place, sql), names


def named(sql: str) -> tuple[str, set[str]]:
    """The statement with DuckDB's ``$name`` for its ``:name`` parameters, and their names."""
    names: set[str] = set()

    def place(match: re.Match[str]) -> str:
        if (name := match["name"]) is None:
            return match[0]
        names.add(name)
        return f"${name}"

    return TOKEN.sub(place, sql), names
