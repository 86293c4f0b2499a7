"""``firms change``, ``firms pause`` and ``firms remove``: for one firm, several, or all of them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.console import console, open_warehouse
from include.cli.each_firm import EachFirm, Every, Keys, chosen_keys
from include.cli.firm_reading import changes
from include.cli.firms_add import NoCheck
from include.cli.registry_sync import sync_registry
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from include.warehouse import Warehouse

CHECKED = ("source", "publish", "alerts")  # fields that name a folder or a connection


def firms_change(
    settings: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE, such as alerts.tier=low; null: the default."),
    ],
    firms: Keys = None,
    every: Every = False,
    no_check: NoCheck = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what changes; save nothing.")] = False,
) -> None:
    """Change fields of one firm, several, or all; a refused firm is named, and the others are changed.

    A value is read as YAML. Fields: docs/configuration.md.

    Example: python -m include firms change --all --set dag_shape=compact
    """
    values = [_parsed(text) for text in settings]
    each = EachFirm()
    with open_warehouse() as warehouse:
        for key in chosen_keys(warehouse, firms, every=every):
            with each.firm(key):
                _change(warehouse, key, values, no_check=no_check, dry_run=dry_run)
        if not dry_run:
            sync_registry(warehouse)
    each.finish("would be changed" if dry_run else "changed")


def firms_pause(
    firms: Keys = None,
    every: Every = False,
    resume: Annotated[bool, typer.Option("--resume", help="Start the schedule again.")] = False,
) -> None:
    """Stop the schedule of one firm, several, or all; --resume starts it again.

    Example: python -m include firms pause acme zeta
    """
    each = EachFirm()
    with open_warehouse() as warehouse:
        for key in chosen_keys(warehouse, firms, every=every):
            with each.firm(key):
                warehouse.firms.pause_firm(key, not resume, actor=getpass.getuser())
        sync_registry(warehouse)
    each.finish("resumed" if resume else "paused")


def firms_remove(
    firms: Keys = None,
    every: Every = False,
    yes: Annotated[bool, typer.Option("--yes", help="Needed with --all.")] = False,
) -> None:
    """Remove firms: their DAGs disappear, their facts stay in the warehouse.

    Example: python -m include firms remove acme zeta
    """
    if every and not yes:
        raise BadInputError("--all removes every firm; if this is intended, add --yes")
    each = EachFirm()
    with open_warehouse() as warehouse:
        for key in chosen_keys(warehouse, firms, every=every):
            with each.firm(key):
                warehouse.firms.remove_firm(key, actor=getpass.getuser())
        sync_registry(warehouse, removed=each.done)
    each.finish("removed")


def _parsed(text: str) -> tuple[list[str], Any]:
    """A field's path and its new value."""
    import yaml

    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise BadInputError(f"--set {text!r} must be FIELD=VALUE, such as --set dag_shape=compact")
    path = name.strip().split(".")
    if path == ["firm_key"]:
        raise BadInputError("a firm's key cannot be changed; add the firm under its new key")
    try:
        return path, yaml.safe_load(value)
    except yaml.YAMLError:
        raise BadInputError(f"--set {text!r}: the value cannot be read as YAML; put it into quotes") from None


def _change(
    warehouse: Warehouse, key: str, values: list[tuple[list[str], Any]], *, no_check: bool, dry_run: bool
) -> None:
    """Save the firm with the new values, if they differ, and print what changes."""
    from include.connections import connection_uri
    from include.firm_checks import check_firm
    from include.firms import FirmError, parse_firm

    row = warehouse.firms.firm_row(key)
    try:
        saved = parse_firm(row)
    except FirmError:
        saved = None  # the change may correct the row
    for path, value in values:
        _set(row, path, value)
    firm = parse_firm(row)
    found = changes(saved, firm) if saved is not None else ["the row can be used now"]
    for line in found or ["nothing"]:
        console.print(f"{key}  {line}", markup=False, highlight=False, soft_wrap=True)
    if not found or dry_run:
        return
    if any(path[0] in CHECKED for path, _ in values):
        check_firm(firm, connection_uri, connects=not no_check)
    warehouse.firms.save_firm(firm, actor=getpass.getuser())


def _set(row: dict[str, Any], path: list[str], value: Any) -> None:
    """Put a value into a row; None takes the field out, so that it has its default."""
    *groups, name = path
    for group in groups:
        inner = row.get(group)
        row[group] = row = dict(inner) if isinstance(inner, dict) else {}
    if value is None:
        row.pop(name, None)
    else:
        row[name] = value
