"""What every command shares: where it prints, how it stops, how it opens the warehouse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

if TYPE_CHECKING:
    from include.warehouse import Warehouse

console = Console()
_errors = Console(stderr=True)


def stop(message: object) -> NoReturn:
    """Say what is wrong and how to mend it, and exit 1."""
    _errors.print(str(message), style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def open_warehouse() -> Warehouse:
    """The warehouse, not connected to yet; stops when it is configured nowhere."""
    from include.settings import Settings, SettingsError
    from include.warehouse import Warehouse

    try:
        return Warehouse(Settings.read().warehouse_dsn())
    except SettingsError as error:
        stop(error)


def as_of_of(text: str, zone: str) -> date:
    """The as_of somebody typed; stops when it is no day, or lies ahead in the firm's zone."""
    from include.periods import parse_as_of

    try:
        as_of = parse_as_of(text)
    except ValueError as error:
        stop(error)
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    if as_of > today:
        stop(f"as_of {as_of} lies in the future: in {zone} it is {today}")
    return as_of
