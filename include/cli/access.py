"""``access``: grant and revoke the right to read a firm's rows."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from include.cli.console import console, refuse

if TYPE_CHECKING:
    from include.warehouse.access import Access

access = typer.Typer(help="Grant, list and revoke the right to read a firm's rows.", no_args_is_help=True)

Firm = Annotated[str, typer.Argument(help="The firm's key; '*' with the role platform.")]
Login = Annotated[str, typer.Argument(help="The person's login role in PostgreSQL.")]


def _open() -> Access:
    from include.settings import Settings
    from include.warehouse.access import Access

    return Access(Settings.read().warehouse_dsn())


@access.command("grant")
def grant(
    firm: Firm,
    login: Login,
    role: Annotated[str, typer.Option(help="analyst, outreach (contacts too), or platform.")] = "analyst",
) -> None:
    """Grant a login read access to a firm. A missing login is created, without a password.

    Example: python -m include access grant acme ayse --role analyst
    """
    with _open() as warehouse:
        is_new = warehouse.grant(firm, login, role, actor=getpass.getuser())
    console.print(f"granted: {login} is {role} of {'every firm' if firm == '*' else firm}", highlight=False)
    if is_new:
        console.print(f"created the login: set its password in `make psql` with \\password {login}")


@access.command("console")
def open_console() -> None:
    """Give the console's login, firmament_console, the password of the connection of that name.

    The connection is Airflow's: add it there, or set AIRFLOW_CONN_FIRMAMENT_CONSOLE to its URI.

    Example: python -m include access console
    """
    from include.connections import connection
    from include.warehouse.access import CONSOLE

    password = connection(CONSOLE).password
    if not password:
        refuse(f"the connection {CONSOLE} has no password; add one, and run this command again")
    with _open() as warehouse:
        warehouse.open_console(password)
    console.print(f"the console logs in as {CONSOLE}", highlight=False)


@access.command("list")
def list_access() -> None:
    """Show every grant: firm, login, role, since when, and by whom.

    Example: python -m include access list
    """
    table = Table()
    for heading in ("firm", "login", "role", "since", "by"):
        table.add_column(heading)
    with _open() as warehouse:
        rows = warehouse.granted()
    for row in rows:
        since = f"{row['granted_at']:%Y-%m-%d %H:%M}"
        table.add_row(row["firm_key"], row["login_name"], row["role_name"], since, row["granted_by"])
    console.print(table)


@access.command("revoke")
def revoke(
    firm: Firm,
    login: Login,
    role: Annotated[str | None, typer.Option(help="Only this role; default: all roles.")] = None,
) -> None:
    """Revoke a login's access to a firm. It takes effect at once, also in open sessions.

    Example: python -m include access revoke acme ayse
    """
    with _open() as warehouse:
        count = warehouse.revoke(firm, login, actor=getpass.getuser(), role=role)
    if not count:
        refuse(f"{login} has no grant on {firm}; see: python -m include access list")
    console.print(f"revoked: {login} {'on' if role is None else f'as {role} of'} {firm}", highlight=False)
