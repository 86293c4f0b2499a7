"""The command that forgets one customer of a firm."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from include.cli.console import console, stop


def erase(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    customer_id: Annotated[str, typer.Argument(help="The customer's id, as the firm's own system has it.")],
    also: Annotated[
        list[str] | None, typer.Option(help="Search for this value too, such as an old e-mail address.")
    ] = None,
) -> None:
    """Forget a customer of a firm everywhere, and show that nothing is left. Safe to run again."""
    from include.erasure import erase as forget
    from include.settings import Settings

    with console.status("waiting for the firm's steps to end, then erasing"):
        report = forget(Settings.read(), firm, customer_id, actor=getpass.getuser(), also=also or ())
    changed = Table(title="Erased", title_justify="left")
    changed.add_column("what")
    changed.add_column("changed", justify="right")
    for what, count in report.changed.items():
        if count:
            changed.add_row(what, f"{count:,}")
    searched = Table(title="Searched afterwards, for the id and for what was known", title_justify="left")
    for heading in ("what", "how many", "found in"):
        searched.add_column(heading, justify="left" if heading == "what" else "right")
    for part in report.searched:
        searched.add_row(part.what, f"{part.count:,}", f"{len(part.found)}")
    console.print(changed)
    console.print(searched)
    if report.shared:
        console.print(f"{report.shared} contact values are another customer's too: not searched for")
    if report.found:
        stop(
            "traces are left in " + ", ".join(report.found) + "\nLook there; once mended, run the same again"
        )
    console.print(f"{firm} has forgotten the customer; the next extract will not bring it back")
