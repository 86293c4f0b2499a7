"""What can go wrong with the warehouse, in words that hold no customer's data."""

from __future__ import annotations

import re

import psycopg


class WarehouseError(RuntimeError):
    """The warehouse did not do what was asked; the message says what, where and how to mend it."""


class MigrationError(WarehouseError):
    """The schema cannot be brought up to date."""


class UnknownFirm(WarehouseError, KeyError):  # noqa: N818
    """No such firm."""

    def __str__(self) -> str:
        """The message itself: KeyError would show it quoted."""
        return str(self.args[0])


class LoadRefused(WarehouseError):  # noqa: N818
    """The staged rows are wrong; nothing was changed."""


class Fenced(WarehouseError):  # noqa: N818
    """A newer attempt has already written: this one must stop, and nothing of it is kept."""


class UnknownOutcome(WarehouseError):  # noqa: N818
    """The connection was lost during a commit and it cannot be told whether it took effect."""


HINTS = {
    "25006": "the server is read-only: is this a standby?",
    "42501": "the role lacks a grant",
    "53100": "the server's disk is full",
    "55P03": "another session held a lock for too long: retry",
    "57014": "the statement was cancelled or took too long: retry",
}


def explain(error: psycopg.Error) -> str:
    """The error without values of rows: PostgreSQL's detail and context carry them."""
    state = error.sqlstate
    if state is None:
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    diag = error.diag
    # Messages of class 22, such as `invalid input syntax for type numeric: "..."`, hold the value itself.
    said = type(error).__name__ if state.startswith("22") else (diag.message_primary or type(error).__name__)
    column = diag.column_name or _column_of(diag.context)
    where = "".join(
        f", {what} {name}"
        for what, name in (
            ("table", diag.table_name),
            ("column", column),
            ("constraint", diag.constraint_name),
        )
        if name and name not in said
    )
    hint = f"; {HINTS[state]}" if state in HINTS else ""
    return f"{said}{where} (SQLSTATE {state}){hint}"


def is_data_fault(error: psycopg.Error) -> bool:
    """Whether the rows are at fault, so that trying again cannot help."""
    return error.sqlstate is not None and error.sqlstate[:2] in ("22", "23")


def _column_of(context: str | None) -> str | None:
    found = re.search(r"^COPY \w+, line \d+, column (\w+)", context or "")
    return found.group(1) if found else None
