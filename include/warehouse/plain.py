"""Values as PostgreSQL accepts them in text and jsonb: without NUL, and of JSON's own types."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.types.json import Jsonb


def text_of(value: object) -> str | None:
    """The value as text; None stays None."""
    # PostgreSQL takes no NUL in text, and a source may well have one.
    return None if value is None else str(value).replace("\x00", "\\0")


def json_of(value: object) -> Jsonb | None:
    """The value as jsonb; None stays None."""
    return None if value is None else Jsonb(_plain(value))


def _plain(value: object) -> object:
    """JSON's own types: what a sample holds besides is written out."""
    if isinstance(value, Mapping):
        return {str(name).replace("\x00", "\\0"): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    return str(value).replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
