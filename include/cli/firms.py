"""``firms``: add, change, list, pause, remove and import firms."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from include.cli.console import console, open_warehouse, stop
from include.cli.firms_add import NoCheck, firms_accept, firms_add, firms_show
from include.cli.firms_change import firms_change, firms_pause, firms_remove
from include.cli.firms_purge import firms_purge
from include.cli.registry_sync import sync_registry

firms = typer.Typer(help="Add, change, list, pause, remove and import firms.", no_args_is_help=True)
firms.command("add")(firms_add)
firms.command("accept")(firms_accept)
firms.command("show")(firms_show)
firms.command("change")(firms_change)
firms.command("pause")(firms_pause)
firms.command("remove")(firms_remove)
firms.command("purge")(firms_purge)


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
            f"{runs} {firm.schedule_hour:02d}:{firm.shape.schedule_minute:02d} {firm.timezone}",
            ", ".join(firm.modules),
            state,
        )
    console.print(table)


@firms.command("sync")
def firms_sync(
    force: Annotated[bool, typer.Option("--force", help="Also drop more than a fifth of the firms.")] = False,
) -> None:
    """Write the registry that DAG files read, and add the pools that Airflow lacks.

    Example: python -m include firms sync
    """
    with open_warehouse() as warehouse:
        sync_registry(warehouse, force=force, needs_pools=True)


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
        sync_registry(warehouse)
    if done.refused:
        stop("\n".join(done.refused.values()))
