"""SQL files and their parameters: where the files lie, which ``:name`` they ask for, and each driver's form.

Every statement of ``include/sql`` names its parameters ``:name``. A renderer turns a statement and the values
it may use into what one driver executes: the text in the driver's own notation, and the values it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent / "sql"

# What may hold a colon that begins no parameter comes first: comments, quoted text and names, casts.
_TOKEN = re.compile(
    r"""
    (?P<skip> --[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | :: )
    | :(?P<name>[a-z_][a-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)


class MissingParameterError(KeyError):
    """A statement asks for a parameter that has no value; the message names it and those that have one."""

    def __str__(self) -> str:
        """The message without the quotes that a KeyError adds."""
        return str(self.args[0])


class Token(NamedTuple):
    """A piece of a statement: a parameter's name, or text that is none."""

    text: str
    name: str | None = None


@cache
def read(*path: str) -> str:
    """The text of ``sql/<path>.sql``: ``read("load", "fact_sales")``."""
    return _file(path).read_text(encoding="utf-8")


def exists(*path: str) -> bool:
    """Whether ``sql/<path>.sql`` exists."""
    return _file(path).is_file()


def names(*folder: str) -> list[str]:
    """Names of the statements in ``sql/<folder>``, sorted."""
    return sorted(file.stem for file in FOLDER.joinpath(*folder).glob("*.sql"))


def parameters(sql: str) -> tuple[str, ...]:
    """Names of the parameters that a statement asks for, in the order in which they first appear."""
    return tuple(dict.fromkeys(token.name for token in _tokens(sql) if token.name is not None))


def for_psycopg(sql: str, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The statement with psycopg's ``%(name)s``, and its values."""
    return _rendered(sql, "%({})s".format, text=lambda text: text.replace("%", "%%")), _bound(sql, params)


def for_adbc(sql: str, params: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
    """The statement with Postgres's ``$1, $2, ...``, and its values in that order."""
    order = parameters(sql)
    return _rendered(sql, lambda name: f"${order.index(name) + 1}"), tuple(_bound(sql, params).values())


def for_duckdb(sql: str, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The statement with DuckDB's ``$name``, and its values."""
    return _rendered(sql, "${}".format), _bound(sql, params)


def for_oracle(sql: str, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The statement as it is, since Oracle's notation is ``:name``, and its values."""
    return sql, _bound(sql, params)


def _file(path: tuple[str, ...]) -> Path:
    return FOLDER.joinpath(*path[:-1], f"{path[-1]}.sql")


def _tokens(sql: str) -> Iterator[Token]:
    at = 0
    for match in _TOKEN.finditer(sql):
        if match["name"] is not None:
            yield Token(sql[at : match.start()])
            yield Token(match[0], match["name"])
            at = match.end()
    yield Token(sql[at:])


def _rendered(sql: str, place: Callable[[str], str], text: Callable[[str], str] = str) -> str:
    return "".join(text(part.text) if part.name is None else place(part.name) for part in _tokens(sql))


def _bound(sql: str, params: Mapping[str, object]) -> dict[str, object]:
    order = parameters(sql)
    if missing := [name for name in order if name not in params]:
        raise MissingParameterError(
            f"the statement asks for parameters that have no value: {missing}; there are {sorted(params)}"
        )
    return {name: params[name] for name in order}
