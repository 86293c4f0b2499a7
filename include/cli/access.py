"""The commands about access: who may see which firm's rows."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from include.cli.console import console, refuse

if TYPE_CHECKING:
    from include.warehouse.access import Access

access = typer.Typer(help="Who may see which firm.", no_args_is_help=True)

Firm = Annotated[str, typer.Argument(help="The firm's key; '*' with the role platform.")]
Login = Annotated[str, typer.Argument(help="The role of PostgreSQL that the person logs in as.")]


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
    """Let a login see a firm. A login that is not there is made, without a password."""
    with _open() as warehouse:
        is_new = warehouse.grant(firm, login, role, actor=getpass.getuser())
    console.print(f"{login} sees {'every firm' if firm == '*' else firm} as {role}", highlight=False)
    if is_new:
        console.print(f"the login is new: give it a password in `make psql` with \\password {login}")


@access.command("list")
def list_access() -> None:
    """Show every login, what it sees, and who let it in."""
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
    role: Annotated[str | None, typer.Option(help="Only this role; all of them when left out.")] = None,
) -> None:
    """Take a firm from a login, at once: open sessions see nothing of it any more."""
    with _open() as warehouse:
        count = warehouse.revoke(firm, login, actor=getpass.getuser(), role=role)
    if not count:
        refuse(f"{login} was not granted {firm}; see: python -m include access list")
    console.print(
        f"{login} sees no more of {firm}" if role is None else f"{login} is no more {role} of {firm}"
    )
