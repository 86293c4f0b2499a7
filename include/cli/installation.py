"""``dsn``, ``migrate`` and ``doctor``: the warehouse's URL, its schema, and a check of all parts."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from include.cli.console import console


def dsn() -> None:
    """Print the warehouse's URL.

    Example: psql "$(python -m include dsn)"
    """
    from include.settings import Settings

    typer.echo(Settings.read().warehouse_dsn())


def migrate(
    summaries: Annotated[
        bool, typer.Option("--summaries", help="Then store the summaries that snapshots lack.")
    ] = False,
) -> None:
    """Apply missing migrations, and create the warehouse's views and access rules again.

    Example: python -m include migrate
    """
    from include.settings import Settings
    from include.warehouse import Warehouse
    from include.warehouse import migrate as apply

    dsn = Settings.read().warehouse_dsn()
    applied = apply(dsn)
    console.print("\n".join(applied) or "nothing to do")
    if summaries:
        with Warehouse(dsn) as warehouse:
            for firm_key, stored in warehouse.summaries.fill_firms():
                console.print(f"{firm_key}: {stored} summaries stored", markup=False, highlight=False)


def doctor(
    firm: Annotated[str | None, typer.Argument(help="Only this firm's source.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every part from outside, and print how to fix what fails. Exit code 1: something is not well.

    Checked are the warehouse, the store, the registry, pools, disk and clock, Airflow's services, DAGs and
    queue, the watcher, incidents and their messages, and each firm's source.

    Example: python -m include doctor acme
    """
    from include.doctor import examine
    from include.settings import Settings

    findings = []
    for finding in examine(Settings.read(), only=firm):
        findings.append(finding)
        if as_json:
            continue
        mark = "[green]well[/green]" if finding.is_well else "[red]not well[/red]"
        console.print(f"{mark}  {finding.part}: ", end="")
        console.print(finding.says, markup=False, highlight=False, soft_wrap=True)
        if finding.fix and finding.fix not in finding.says:
            console.print(f"    fix: {finding.fix}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in findings], indent=1))
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)
