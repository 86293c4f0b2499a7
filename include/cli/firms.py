"""``firms``: the registry."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from include.cli.console import console, open_warehouse, stop

if TYPE_CHECKING:
    from include.warehouse import Warehouse

firms = typer.Typer(help="The registry of firms.", no_args_is_help=True)


@firms.command("add")
def firms_add(
    file: Annotated[Path, typer.Option("--file", help="A YAML file with one firm or a list.")],
) -> None:
    """Add firms, or change them: every field the file leaves out takes its default."""
    import yaml

    from include.firms import FirmError, parse_firm

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        rows: list[Any] = content if isinstance(content, list) else [content]
        if not all(isinstance(row, dict) for row in rows):
            stop(f"{file}: expected a mapping of a firm's fields, or a list of them")
        parsed = [parse_firm(row) for row in rows]
    except (OSError, yaml.YAMLError, FirmError) as error:
        stop(f"{file}: {error}")
    with open_warehouse() as warehouse:
        for firm in parsed:
            warehouse.save_firm(firm, actor=getpass.getuser())
            console.print(f"saved {firm.firm_key} ({firm.name})", markup=False)
        _sync(warehouse)


@firms.command("list")
def firms_list() -> None:
    """Show every firm, and what is wrong with a row that cannot be used."""
    from include.firms import FirmError, parse_firm

    table = Table()
    for heading in ("firm", "name", "source", "runs", "modules", "state"):
        table.add_column(heading)
    with open_warehouse() as warehouse:
        rows = warehouse.firm_rows()
    for row in rows:
        try:
            firm = parse_firm(row)
        except FirmError as error:
            table.add_row(str(row.get("firm_key")), "", "", "", "", f"[red]{escape(str(error))}")
            continue
        runs = {0: "inactive", 1: "daily", 7: "weekly"}.get(
            firm.working_day_period, f"every {firm.working_day_period} days"
        )
        state = "paused" if firm.is_paused else "active"
        table.add_row(
            firm.firm_key,
            escape(firm.name),
            firm.source.kind,
            f"{runs} {firm.schedule_hour:02d}:00 {firm.timezone}",
            ", ".join(firm.modules),
            state,
        )
    console.print(table)


@firms.command("pause")
def firms_pause(firm: str, resume: Annotated[bool, typer.Option("--resume")] = False) -> None:
    """Stop a firm's schedule; --resume starts it again."""
    with open_warehouse() as warehouse:
        _known(warehouse, firm)
        warehouse.pause_firm(firm, not resume, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("remove")
def firms_remove(firm: str) -> None:
    """Remove a firm: its DAG disappears, its facts stay until they are erased."""
    with open_warehouse() as warehouse:
        _known(warehouse, firm)
        warehouse.remove_firm(firm, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("sync")
def firms_sync(
    force: Annotated[bool, typer.Option("--force", help="Even if many firms go.")] = False,
) -> None:
    """Write the registry that DAG files read."""
    with open_warehouse() as warehouse:
        _sync(warehouse, force=force)


def _known(warehouse: Warehouse, firm: str) -> None:
    from include.warehouse import WarehouseError

    try:
        warehouse.firm_row(firm)
    except WarehouseError as error:
        stop(error.args[0])


def _sync(warehouse: Warehouse, *, force: bool = False) -> None:
    from include.firms import FirmError
    from include.registry import sync_firms
    from include.settings import Settings

    path = Settings.read().registry
    try:
        report = sync_firms(warehouse, path, force=force)
        console.print(f"registry: {len(report.kept)} firms in {path}", highlight=False)
        report.check()
    except FirmError as error:
        stop(error)


@firms.command("import")
def firms_import(
    conn: Annotated[str, typer.Option(help="Airflow connection of the database with the table FIRMS.")],
    timezone: Annotated[str, typer.Option(help="Time zone of firms whose row names none.")],
    currency: Annotated[str, typer.Option(help="Currency of firms whose row names none: TRY.")],
    schema: Annotated[str | None, typer.Option(help="The schema that FIRMS lies in.")] = None,
) -> None:
    """Add and change firms from a FIRMS table kept elsewhere; a row that is refused hinders no other."""
    from include.connections import connection_uri
    from include.firms_table import FirmsTableError, import_firms
    from include.settings import SettingsError

    with open_warehouse() as warehouse:
        try:
            done = import_firms(
                warehouse,
                connection_uri,
                conn,
                timezone=timezone,
                currency=currency,
                schema=schema,
            )
        except (FirmsTableError, SettingsError) as error:
            stop(error)
        console.print(f"saved {len(done.saved)} firms, {len(done.unchanged)} stood as they are")
        for key in done.gone:
            console.print(
                f"{key} is no longer in the table; to let it go: python -m include firms remove {key}"
            )
        _sync(warehouse)
    if done.refused:
        stop("\n".join(done.refused.values()))
