"""``backfill``: compute the missing snapshots of a firm, or of all firms, in a range of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from include.cli.console import as_of_of, console, open_warehouse, refuse, stop
from include.command_errors import FAILED, BadInputError, show

if TYPE_CHECKING:
    from rich.status import Status

    from include.backfill import Day
    from include.firms import Firm
    from include.steps import Step

NO_AIRFLOW = "Airflow does not answer; start it, or leave out --in-airflow. See: python -m include doctor"


def backfill(
    firm: Annotated[str, typer.Argument(help="The firm's key; left out with --all.")] = "",
    first: Annotated[str, typer.Option("--from", help="The first as_of: 2026-11-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last as_of, included.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every firm that has a schedule.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and run nothing.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Run stale days again, too.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run complete days again, too.")] = False,
    in_airflow: Annotated[
        bool, typer.Option("--in-airflow", help="Start it as a run of the DAG firmament_backfill.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End the backfills that run in Airflow.")] = False,
) -> None:
    """Plan snapshots in a range of days and run the missing ones, here or in Airflow.

    A day is missing, stale (computed under other settings or by another version) or current. The same
    command continues a backfill that was interrupted. A firm that fails does not stop the others.

    Example: python -m include backfill acme --from 2026-11-01 --to 2026-11-21 --dry-run
    """
    from include.backfill import plan
    from include.warehouse.progress import Progress

    if cancel:
        _cancel()
        return
    if bool(firm) == every or not first or not last:
        refuse(
            "give a firm or --all, and --from and --to\nSee the arguments: python -m include backfill --help"
        )
    if in_airflow and not dry_run:
        if again:
            refuse("--again runs here alone; leave it out, or use --stale")
        _start_in_airflow(firm, first, last, stale=stale)
        return
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


def _start_in_airflow(firm: str, first: str, last: str, *, stale: bool) -> None:
    """Start a run of the DAG; its mistakes are reported here, before it starts."""
    from include.backfill_runs import DAG_ID, Range
    from include.reruns import airflow

    try:
        asked = Range.of({"firm": firm, "first": first, "last": last, "stale": stale})
    except ValueError as error:
        raise BadInputError(str(error)) from None
    if firm:
        _firms(firm)
    if (api := airflow()) is None:
        stop(NO_AIRFLOW)
    run_id = f"backfill_{firm or 'all'}_{asked.first}_{asked.last}_{datetime.now(UTC):%Y%m%dT%H%M%S}"
    conf = {"firm": firm, "first": str(asked.first), "last": str(asked.last), "stale": stale}
    api.trigger(DAG_ID, run_id, conf)
    _line(f"started run {run_id} of {DAG_ID}; its task report compares the range with the warehouse")
    _line("to cancel: python -m include backfill --cancel; to continue later: the same command again")


def _cancel() -> None:
    """Mark the active runs of the DAG as failed: Airflow ends their tasks, and nothing stays queued."""
    from include.backfill_runs import DAG_ID
    from include.reruns import airflow

    if (api := airflow()) is None:
        stop(NO_AIRFLOW)
    runs = f"/api/v2/dags/{DAG_ID}/dagRuns"
    found = api.call("GET", f"{runs}?state=queued&state=running")["dag_runs"]
    for run in found:
        api.call("PATCH", f"{runs}/{quote(run['dag_run_id'])}", {"state": "failed"})
        _line(f"cancelled {run['dag_run_id']}")
    if not found:
        _line("no backfill runs in Airflow")


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
