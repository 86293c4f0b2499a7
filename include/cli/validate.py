"""``validate``: the quality gate alone, on the data that was extracted for a day."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from include.cli.console import as_of_of, console, open_warehouse, stop


def validate(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    as_of: Annotated[str, typer.Option(help="A day that was extracted: 2026-11-21.")],
    full: Annotated[
        bool,
        typer.Option("--full", help="Run Great Expectations on every rule and every slice, passed or not."),
    ] = False,
) -> None:
    """Check a firm's extracted data with the quality gate; exit 1 when a dataset breaks a critical rule.

    Example: python -m include validate acme --as-of 2026-11-21
    """
    from include.firms import parse_firm
    from include.quality import QualityError
    from include.run import run_step
    from include.run.validate import FOLDER
    from include.settings import Settings
    from include.steps import steps_for

    with open_warehouse() as warehouse:
        row = parse_firm(warehouse.firms.firm_row(firm))
    day = as_of_of(as_of, row.timezone)
    failed = []
    for step in (step for step in steps_for(row.modules) if step.kind_name == "validate"):
        with console.status(f"{firm} as of {day}: {step.name}"):
            try:
                outcome = run_step(step, firm, day, check_all=full)
            except QualityError as error:
                failed.append(step.name)
                console.print(f"  [red]{step.name}: {escape(str(error))}[/red]", soft_wrap=True)
                continue
        note = escape(outcome.note)
        console.print(f"  {step.name}  {outcome.rows:,} rows  [dim]{note}[/dim]", soft_wrap=True)
    where = f"{Settings.read().root}/{firm}/{FOLDER}/as_of={day}/"
    console.print(f"validation results of what was checked: {where}", highlight=False, soft_wrap=True)
    if failed:
        stop(f"{len(failed)} of the firm's datasets break a critical rule: {', '.join(failed)}")
