"""``backfill``: compute the missing snapshots of a firm, or of all firms, in a range of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.console import as_of_of, console, open_warehouse, refuse
from include.command_errors import FAILED, BadInputError, show

if TYPE_CHECKING:
    from rich.status import Status

    from include.backfill import Day
    from include.firms import Firm
    from include.steps import Step


def backfill(
    firm: Annotated[str, typer.Argument(help="The firm's key; left out with --all.")] = "",
    first: Annotated[str, typer.Option("--from", help="The first as_of: 2026-11-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last as_of, included.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every firm that has a schedule.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and run nothing.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Run stale days again, too.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run complete days again, too.")] = False,
) -> None:
    """Plan snapshots in a range of days and run the missing ones, without Airflow.

    A day is missing, stale (computed under other settings or by another version) or current. The same
    command continues a backfill that was interrupted. A firm that fails does not stop the others.

    Example: python -m include backfill acme --from 2026-11-01 --to 2026-11-21 --dry-run
    """
    from include.backfill import plan
    from include.warehouse.progress import Progress

    if bool(firm) == every or not first or not last:
        refuse(
            "give a firm or --all, and --from and --to\nSee the arguments: python -m include backfill --help"
        )
    failed = 0
    for row in _firms(firm):
        begin, end = as_of_of(first, row.timezone), as_of_of(last, row.timezone)
        with open_warehouse() as warehouse, Progress(warehouse.session.dsn) as progress:
            try:
                days = plan(row, begin, end, progress, again=again, stale=stale)
            except ValueError as error:
                if firm:
                    raise BadInputError(str(error)) from None
                continue  # of all firms, one may have no scheduled day in the range
            _print_plan(row, days, begin, end)
            if not dry_run:
                failed += not _run(row, [day for day in days if not day.is_complete])
                _print_report(row, plan(row, begin, end, progress))
    if failed:
        raise typer.Exit(FAILED)


def _firms(key: str) -> list[Firm]:
    """The firm of that key; without a key, every firm that has a schedule."""
    from include.firms import parse_firm
    from include.schedule import is_scheduled

    with open_warehouse() as warehouse:
        if key:
            return [parse_firm(warehouse.firms.firm_row(key))]
        firms = [parse_firm(row) for row in warehouse.firms.firm_rows()]
    return [firm for firm in firms if is_scheduled(firm.shape)]


def _print_plan(firm: Firm, days: list[Day], begin: date, end: date) -> None:
    from include.backfill import expected
    from include.runbook import backfill_command
    from include.settings import Settings
    from include.warehouse.past_runs import PastRuns

    _line(f"{firm.firm_key}:")
    for day in days:
        begins = f"from {day.missing[0].name} on, {len(day.missing)} steps" if day.missing else "complete"
        _line(f"  {day.as_of}  {begins}" + (f"; stale: {day.why_stale}" if day.why_stale else ""))
    due = sum(not day.is_complete for day in days)
    counts = [f"{sum(day.state == name for day in days)} {name}" for name in ("missing", "stale", "current")]
    _line(f"{due} of {len(days)} days to run ({', '.join(counts)})")
    with PastRuns(Settings.read().warehouse_dsn()) as past:
        cost = expected(past, firm) if due else None
    if cost is not None:
        _line(f"expected: about {due * cost.rows:,} rows and {due * cost.seconds:,.0f} s")
    if firm.working_day_period:
        _line(f"in Airflow: {backfill_command(firm.shape, begin, end)}")


def _run(firm: Firm, due: list[Day]) -> bool:
    """Run the days; False when one failed. The days after it are left for the next call."""
    from include.run.firm import StepFailedError, run_firm

    for number, day in enumerate(due, start=1):
        try:
            with console.status("") as status:
                outcomes = run_firm(
                    firm.firm_key, day.as_of, day.missing, before=_progress(status, number, len(due), day)
                )
        except StepFailedError as error:
            show(
                f"as of {day.as_of}: {error}\nThe days before are complete; run the same command to continue"
            )
            return False
        _line(f"  {number}/{len(due)}  {day.as_of}  {sum(one.seconds for one in outcomes):.1f} s")
    return True


def _print_report(firm: Firm, days: list[Day]) -> None:
    """Which days of the range are complete now, as the warehouse has them."""
    left = [str(day.as_of) for day in days if not day.is_complete]
    complete = len(days) - len(left)
    _line(
        f"{firm.firm_key}: {complete} of {len(days)} days are complete"
        + (f"; missing: {', '.join(left)}" if left else "")
    )


def _progress(status: Status, number: int, of: int, day: Day) -> Callable[[Step], None]:
    """A callback that shows the running step and its day."""
    places = {step.name: place for place, step in enumerate(day.missing, start=1)}

    def show_step(step: Step) -> None:
        place = f"{places[step.name]}/{len(places)}"
        status.update(f"{number}/{of}  {day.as_of}: {place} {step.name}")

    return show_step


def _line(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
