"""Shared by all commands: the console, errors, checks of options, the warehouse."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from include.command_errors import BAD_INPUT, FAILED, BadInputError, show

if TYPE_CHECKING:
    from include.warehouse import Warehouse

console = Console()


def stop(message: object) -> NoReturn:
    """Print what failed and how to fix it, and exit 1."""
    show(str(message))
    raise typer.Exit(FAILED)


def refuse(message: object) -> NoReturn:
    """Print which argument, file or row cannot be used, and exit 2."""
    show(str(message))
    raise typer.Exit(BAD_INPUT)


def open_warehouse() -> Warehouse:
    """The warehouse, not yet connected; SettingsError when it is not configured."""
    from include.settings import Settings
    from include.warehouse import Warehouse

    return Warehouse(Settings.read().warehouse_dsn())


def check_out_folder(folder: Path, *, option: str = "--out") -> None:
    """BadInputError when files cannot be written to the folder. It does not create the folder."""
    try:
        nearest = folder.absolute()
        while not os.path.lexists(nearest):
            nearest = nearest.parent
        problem = "is not a folder" if not nearest.is_dir() else ""
        if not problem and not os.access(nearest, os.W_OK | os.X_OK):
            problem = "may not be written to"
    except OSError as error:
        nearest, problem = folder, f"cannot be used: {error.strerror}"
    if problem:
        raise BadInputError(f"{option} {folder}: {nearest} {problem}; name a folder that may be written to")


def check_out_file(file: Path, *, option: str) -> None:
    """BadInputError when the file cannot be written."""
    check_out_folder(file.parent, option=option)
    try:
        if not file.parent.is_dir():
            raise BadInputError(f"{option} {file}: there is no folder {file.parent}; make it first")
        # A device would be replaced by a file.
        if file.exists() and not (file.is_file() and os.access(file, os.W_OK)):
            problem = "may not be written to" if file.is_file() else "is a folder or a device"
            raise BadInputError(f"{option} {file} {problem}; name a file")
    except OSError as error:
        raise BadInputError(f"{option} {file}: {error.strerror}; name a file") from None


def check_in_file(file: Path) -> None:
    """BadInputError when the file cannot be read."""
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror}; name a file that may be read") from None


def as_of_of(text: str, zone: str) -> date:
    """The as_of of an option; BadInputError when it is not a date or is in the future in the firm's zone."""
    from include.periods import parse_as_of

    try:
        as_of = parse_as_of(text)
    except ValueError as error:
        raise BadInputError(str(error)) from None
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    if as_of > today:
        raise BadInputError(f"as_of {as_of} is in the future: today is {today} in {zone}")
    return as_of
