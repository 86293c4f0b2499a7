"""``backfill``: compute the missing snapshots of a firm in a range of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.console import as_of_of, console, open_warehouse, stop
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from rich.status import Status

    from include.backfill import Day
    from include.steps import Step


def backfill(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    first: Annotated[str, typer.Option("--from", help="The first as_of: 2026-11-01.")],
    last: Annotated[str, typer.Option("--to", help="The last as_of, included.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and run nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run complete days again, too.")] = False,
) -> None:
    """Plan a firm's snapshots in a range of days and run the missing ones, without Airflow.

    Example: python -m include backfill acme --from 2026-11-01 --to 2026-11-21 --dry-run
    """
    from include.backfill import plan
    from include.firms import parse_firm
    from include.run.firm import StepFailedError, run_firm
    from include.runbook import backfill_command
    from include.warehouse.progress import Progress

    with open_warehouse() as warehouse:
        row = parse_firm(warehouse.firms.firm_row(firm))
    begin, end = as_of_of(first, row.timezone), as_of_of(last, row.timezone)
    with Progress(warehouse.session.dsn) as progress:
        try:
            days = plan(row, begin, end, progress, again=again)
        except ValueError as error:
            raise BadInputError(str(error)) from None
    due = [day for day in days if not day.is_complete]
    for day in days:
        begins = f"from {day.missing[0].name} on, {len(day.missing)} steps" if day.missing else "complete"
        console.print(f"  {day.as_of}  {begins}", highlight=False)
    console.print(f"{len(due)} of {len(days)} days to run", highlight=False)
    if row.working_day_period:
        shape = row.shape
        console.print(f"in Airflow: {backfill_command(shape, begin, end)}", highlight=False, soft_wrap=True)
    if dry_run:
        return
    for number, day in enumerate(due, start=1):
        try:
            with console.status("") as status:
                outcomes = run_firm(
                    firm, day.as_of, day.missing, before=_progress(status, number, len(due), day)
                )
        except StepFailedError as error:
            stop(
                f"as of {day.as_of}: {error}\nThe days before are complete; run the same command to continue"
            )
        _print_day(number, len(due), day.as_of, sum(one.seconds for one in outcomes))


def _progress(status: Status, number: int, of: int, day: Day) -> Callable[[Step], None]:
    """A callback that shows the running step and its day."""
    places = {step.name: place for place, step in enumerate(day.missing, start=1)}

    def show(step: Step) -> None:
        place = f"{places[step.name]}/{len(places)}"
        status.update(f"{number}/{of}  {day.as_of}: {place} {step.name}")

    return show


def _print_day(number: int, of: int, as_of: date, seconds: float) -> None:
    console.print(f"  {number}/{of}  {as_of}  {seconds:.1f} s", highlight=False)
