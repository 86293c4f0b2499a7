"""``firms purge``: delete a removed firm for good, and show what is left."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from include.cli.console import console, open_warehouse, refuse, stop
from include.cli.registry_sync import sync_registry


def firms_purge(
    firm: Annotated[str, typer.Argument(help="The key of a firm that was removed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Needed: it cannot be undone.")] = False,
) -> None:
    """Delete everything of a removed firm: facts, records, handoffs, logs. Then search for what is left.

    Tables that were published into the firm's own database stay there. control.audit keeps who purged it.

    Example: python -m include firms purge acme --yes
    """
    from include.erasure.whole_firm import PurgeError, purge_firm
    from include.settings import Settings

    if not yes:
        refuse(f"a purge of {firm} cannot be undone; if this is intended, add --yes")
    try:
        with console.status("waiting for the firm's steps to end, then deleting"):
            report = purge_firm(Settings.read(), firm, actor=getpass.getuser())
    except PurgeError as error:
        refuse(error)
    console.print(_table("Deleted", {name: count for name, count in report.deleted.items() if count}))
    console.print(_table("Searched afterwards: left", report.left))
    if report.found:
        stop(f"something of {firm} is still in {', '.join(report.found)}\nRun the same command again")
    with open_warehouse() as warehouse:
        sync_registry(warehouse)
    console.print(f"nothing of {firm} is left; its runs in Airflow: python -m include airflow dags delete "
                  f"firm_{firm} --yes", markup=False, highlight=False, soft_wrap=True)  # fmt: skip


def _table(title: str, counts: dict[str, int]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("how many", justify="right")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    return table
