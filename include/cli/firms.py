"""``firms``: add, list, pause, remove and import firms."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from include.cli.console import console, open_warehouse, refuse, stop
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from include.warehouse import Warehouse

firms = typer.Typer(help="Add, list, pause, remove and import firms.", no_args_is_help=True)


NoCheck = Annotated[bool, typer.Option("--no-check", help="Save without trying the connections.")]


@firms.command("add")
def firms_add(
    file: Annotated[Path, typer.Option("--file", help="A YAML file with one firm or a list.")],
    no_check: NoCheck = False,
) -> None:
    """Check firms and add or change them; a field missing from the file takes its default.

    All firms are checked before the first is saved: source kind, layout, folder, connections, schema.

    Example: python -m include firms add --file acme.yaml
    """
    from include.cli.firm_file import read_firms
    from include.connections import connection_uri
    from include.firm_checks import CheckError, check_firm

    try:
        parsed = read_firms(file)
    except OSError as error:
        raise BadInputError(f"--file {file}: {error.strerror}") from None
    with console.status("checking"):
        for firm in parsed:
            try:
                check_firm(firm, connection_uri, connects=not no_check)
            except CheckError as error:
                refuse(
                    f"{error.args[0]}\nNothing was saved. To save without trying connections: "
                    f"python -m include firms add --file {file} --no-check"
                )
    with open_warehouse() as warehouse:
        for firm in parsed:
            warehouse.firms.save_firm(firm, actor=getpass.getuser())
            console.print(f"saved {firm.firm_key} ({firm.name})", markup=False)
        _sync(warehouse)


@firms.command("list")
def firms_list() -> None:
    """Show every firm, and the error of an invalid row.

    Example: python -m include firms list
    """
    from include.firms import FirmError, parse_firm

    table = Table()
    for heading in ("firm", "name", "source", "runs", "modules", "state"):
        table.add_column(heading)
    with open_warehouse() as warehouse:
        rows = warehouse.firms.firm_rows()
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
    """Stop a firm's schedule; --resume starts it again.

    Example: python -m include firms pause acme
    """
    with open_warehouse() as warehouse:
        warehouse.firms.pause_firm(firm, not resume, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("remove")
def firms_remove(firm: str) -> None:
    """Remove a firm: its DAG disappears, its facts stay in the warehouse.

    Example: python -m include firms remove acme
    """
    with open_warehouse() as warehouse:
        warehouse.firms.remove_firm(firm, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("sync")
def firms_sync(
    force: Annotated[bool, typer.Option("--force", help="Also drop more than a fifth of the firms.")] = False,
) -> None:
    """Write the registry that DAG files read, and add the pools that Airflow lacks."""
    with open_warehouse() as warehouse:
        _sync(warehouse, force=force, needs_pools=True)


def _sync(warehouse: Warehouse, *, force: bool = False, needs_pools: bool = False) -> None:
    from include.firms import FirmError
    from include.registry import sync_firms
    from include.settings import Settings

    path = Settings.read().registry
    try:
        report = sync_firms(warehouse.firms, path, force=force)
        console.print(f"registry: {len(report.kept)} firms in {path}", highlight=False)
        _add_pools(path, must=needs_pools)
        report.check()
    except FirmError as error:
        stop(error)


def _add_pools(registry: Path, *, must: bool) -> None:
    """Add the pools that Airflow lacks. Without Airflow the registry is all there is to sync."""
    from include.connections import MissingConnectionError
    from include.pools import PoolError, add_missing_pools
    from include.registry import known_firms
    from include.settings import SettingsError

    try:
        added = add_missing_pools(firm.pool for firm in known_firms(registry))
    except MissingConnectionError:
        console.print("pools: not checked, no Airflow runs here", highlight=False)
    except (PoolError, SettingsError) as error:
        if must:
            stop(error)
        console.print(f"pools: {error}", markup=False, highlight=False, soft_wrap=True)
    else:
        found = f"added {', '.join(added)}" if added else "all exist"
        console.print(f"pools: {found}", highlight=False)


@firms.command("import")
def firms_import(
    conn: Annotated[str, typer.Option(help="Airflow connection of the database with the table FIRMS.")],
    timezone: Annotated[str, typer.Option(help="Time zone of firms whose row has none.")],
    currency: Annotated[str, typer.Option(help="Currency of firms whose row has none: TRY.")],
    schema: Annotated[str | None, typer.Option(help="The schema of the table FIRMS.")] = None,
    no_check: NoCheck = False,
) -> None:
    """Add and change firms from an external table FIRMS; a refused row does not affect the others.

    Example: python -m include firms import --conn crm --timezone Europe/Istanbul --currency TRY
    """
    from include.connections import connection_uri
    from include.firm_checks import check_firm
    from include.firms_table import import_firms

    with open_warehouse() as warehouse:
        done = import_firms(
            warehouse.firms,
            connection_uri,
            conn,
            timezone=timezone,
            currency=currency,
            schema=schema,
            check=lambda firm: check_firm(firm, connection_uri, connects=not no_check),
        )
        console.print(f"saved {len(done.saved)} firms, {len(done.unchanged)} are unchanged")
        for key in done.gone:
            console.print(
                f"{key} is no longer in the table; to remove it: python -m include firms remove {key}"
            )
        _sync(warehouse)
    if done.refused:
        stop("\n".join(done.refused.values()))
