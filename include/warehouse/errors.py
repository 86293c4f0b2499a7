"""Errors of the warehouse; their messages contain no customer data."""

from __future__ import annotations

import re

import psycopg


class WarehouseError(RuntimeError):
    """An operation of the warehouse failed; the message says what, where and how to fix it."""


class MigrationError(WarehouseError):
    """The schema cannot be brought up to date."""


class UnknownFirm(WarehouseError, KeyError):  # noqa: N818
    """No such firm."""

    def __str__(self) -> str:
        """The message itself: KeyError would show it quoted."""
        return str(self.args[0])


class LoadRefused(WarehouseError):  # noqa: N818
    """The staged rows break a check; nothing was changed."""


class Fenced(WarehouseError):  # noqa: N818
    """A newer attempt has already written; this attempt stops and is rolled back."""


class UnknownOutcome(WarehouseError):  # noqa: N818
    """The connection was lost during a commit and it is unknown whether the commit took effect."""


HINTS = {
    "25006": "the server is read-only: is this a standby?",
    "42501": "the role lacks a grant",
    "53100": "the server's disk is full",
    "55P03": "another session held a lock for too long: retry",
    "57014": "the statement was cancelled or took too long: retry",
}


def explain(error: psycopg.Error) -> str:
    """The error's text without row values, which PostgreSQL's detail and context contain."""
    state = error.sqlstate
    if state is None:
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    diag = error.diag
    message = diag.message_primary or type(error).__name__
    if state.startswith("22"):
        message = without_value(message)
    copied = _copied(diag.context)
    where = "".join(
        f", {what} {name}"
        for what, name in (
            ("table", diag.table_name or copied.get("table")),
            ("row", copied.get("row")),
            ("column", diag.column_name or copied.get("column")),
            ("constraint", diag.constraint_name),
        )
        if name and (what == "row" or name not in message)
    )
    hint = f"; {HINTS[state]}" if state in HINTS else ""
    return f"{message}{where} (SQLSTATE {state}){hint}"


def without_value(message: str) -> str:
    """A message of class 22, such as ``invalid input syntax for type numeric: "..."``, without the value.

    A value may contain quotes, so everything from the first quote to the last is removed, and
    everything after a colon, because ``make_date`` quotes nothing.
    """
    unquoted = re.sub(r'".*"', '"…"', message, flags=re.S)
    return re.sub(r': (?!"…"$).*', ": …", unquoted, flags=re.S)


def is_data_fault(error: psycopg.Error) -> bool:
    """Whether the rows are at fault, so that trying again cannot help."""
    return error.sqlstate is not None and error.sqlstate[:2] in ("22", "23")


def _copied(context: str | None) -> dict[str, str]:
    """Which table, row and column a COPY was at, from a context that goes on with the value."""
    found = re.search(r"^COPY (?P<table>\w+), line (?P<row>\d+)(?:, column (?P<column>\w+))?", context or "")
    return {name: text for name, text in found.groupdict().items() if text} if found else {}
