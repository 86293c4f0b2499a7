"""``erase``: delete one customer of a firm from all data."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from include.cli.console import console, stop


def erase(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    customer_id: Annotated[str, typer.Argument(help="The customer's id in the firm's own system.")],
    also: Annotated[
        list[str] | None, typer.Option(help="Search for this value too, such as an old e-mail address.")
    ] = None,
) -> None:
    """Erase a customer of a firm from all data, then search for what is left. Safe to run again.

    Example: python -m include erase acme C4711 --also old.address@post.test
    """
    from include.erasure import erase as erase_customer
    from include.settings import Settings

    with console.status("waiting for the firm's steps to end, then erasing"):
        report = erase_customer(Settings.read(), firm, customer_id, actor=getpass.getuser(), also=also or ())
    changed = Table(title="Erased", title_justify="left")
    changed.add_column("what")
    changed.add_column("changed", justify="right")
    for what, count in report.changed.items():
        if count:
            changed.add_row(what, f"{count:,}")
    searched = Table(title="Searched afterwards for the id and the contact values", title_justify="left")
    for heading in ("what", "how many", "found in"):
        searched.add_column(heading, justify="left" if heading == "what" else "right")
    for part in report.searched:
        searched.add_row(part.what, f"{part.count:,}", f"{len(part.found)}")
    console.print(changed)
    console.print(searched)
    if report.shared:
        console.print(f"{report.shared} contact values belong to another customer too: not searched for")
    if report.found:
        stop(
            f"the customer is still in {', '.join(report.found)}\n"
            "Remove it there, then run the same command again"
        )
    console.print(f"erased the customer from {firm}; later extracts leave it out")
