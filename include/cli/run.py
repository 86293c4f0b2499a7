"""``run``: run a firm's steps without Airflow."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from include.cli.console import as_of_of, check_out_file, console, open_warehouse, refuse, stop
from include.cli.progress import Progress
from include.settings import write_private

if TYPE_CHECKING:
    from include.run import Outcome


def run(
    firm: Annotated[str, typer.Argument(help="The firm's key; left out with --due.")] = "",
    as_of: Annotated[str, typer.Option(help="Snapshot date, exclusive: 2026-11-21.")] = "",
    from_step: Annotated[str | None, typer.Option("--from", help="Begin with this step or stage.")] = None,
    only: Annotated[str, typer.Option(help="Only these steps or stages, separated by commas.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Read every month again.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the day's last run: skip the steps it has done.")
    ] = False,
    due: Annotated[
        bool, typer.Option("--due", help="Run all firms that are due, one after another.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--json", help="Also write the summary to this file.")
    ] = None,
) -> None:
    """Run a firm's steps without Airflow, and print rows, seconds and peak memory of each step.

    With --due: run each firm whose latest scheduled snapshot is not complete, in the order in which they were
    due, and print one line per firm. Exit code 1: a firm failed; the others have run.

    Example: python -m include run acme --as-of 2026-11-21 --from features
    """
    from include.firms import parse_firm
    from include.run.attempts import Attempt
    from include.run.firm import StepFailedError, chosen_steps, run_firm

    if due:
        _check_due_alone(firm, as_of, from_step, only, full, resume, report)
        from include.cli.due import run_due

        run_due()
        return
    if not firm or not as_of:
        refuse("give a firm and --as-of DAY, or --due\nSee the arguments: python -m include run --help")
    if resume and (from_step or only or full):
        refuse("--resume cannot be combined with --from, --only or --full, which always compute")
    if report is not None:
        check_out_file(report, option="--json")
    with open_warehouse() as warehouse:
        row = parse_firm(warehouse.firms.firm_row(firm))
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    try:
        steps = chosen_steps(row.modules, from_step=from_step, only=names)
    except KeyError as error:
        refuse(error.args[0])
    day = as_of_of(as_of, row.timezone)
    attempt = Attempt(f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}")
    if resume:
        with open_warehouse() as warehouse:
            last = warehouse.runs.last_run_id(firm, day)
        if last is None:
            console.print(f"no step of {firm} as of {day} has run yet: running all of them")
        attempt = Attempt(last or attempt.run_id, may_skip=True)
    outcomes: list[Outcome] = []
    names_of = [step.name for step in steps]
    progress = Progress(f"{firm} as of {day}", names_of, console=console, writes_lines=False)
    width = max((len(step.name) for step in steps), default=0)

    def after(outcome: Outcome) -> None:
        outcomes.append(outcome)
        console.print(_line(outcome, width), soft_wrap=True)
        if outcome.step == "extract_transactions" and "left out" in outcome.note:
            _print_rejected(firm)

    try:
        with progress.shown():
            run_firm(
                firm,
                day,
                steps,
                full=full,
                attempt=attempt,
                before=lambda step: progress.at(step.name),
                during=lambda text: progress.at(steps[len(outcomes)].name, text),
                after=after,
            )
    except StepFailedError as error:
        _write(report, firm, day, outcomes, failed=str(error))
        stop(error)
    _write(report, firm, day, outcomes)
    _summary(f"{row.name}, as of {day}", outcomes)


def _check_due_alone(*others: object) -> None:
    if any(others):
        refuse("--due takes no firm and no other option: it runs every firm as of the day it was due")


def _write(
    report: Path | None, firm: str, day: date, outcomes: list[Outcome], *, failed: str | None = None
) -> None:
    """Write the run as JSON: rows, seconds and peak memory of each step."""
    if report is None:
        return
    whole = {
        "firm": firm,
        "as_of": day.isoformat(),
        "status": "failed" if failed else "done",
        "error": failed,
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "peak_mb": round(max((outcome.peak_mb for outcome in outcomes), default=0), 1),
        "steps": [
            asdict(outcome) | {"seconds": round(outcome.seconds, 3), "peak_mb": round(outcome.peak_mb, 1)}
            for outcome in outcomes
        ],
    }
    text = json.dumps(whole, indent=2) + "\n"
    if report.exists() and not report.is_file():  # /dev/stdout, a pipe
        report.write_text(text, encoding="utf-8")
    else:
        write_private(report, text)


def _line(outcome: Outcome, width: int) -> str:
    note = f"  [dim]{escape(outcome.note)}[/dim]" if outcome.note else ""
    return f"  {outcome.step:<{width}}  {outcome.rows:>12,} rows  {outcome.seconds:6.1f} s{note}"


def _print_rejected(firm: str) -> None:
    """Print the rejected sales by reason, with their money and one of them. Only the terminal shows rows."""
    found: dict[str, tuple[int, Decimal, str]] = {}
    with open_warehouse() as warehouse:
        for row in warehouse.records.quality.rejections(firm, "transactions"):
            rows, money, sample = found.get(row["reason"], (0, Decimal(0), ""))
            sample = sample or next(iter(row["samples"] or ()), "")
            found[row["reason"]] = (rows + row["rows"], money + (row["net_amount"] or 0), sample)
    for reason, (rows, money, sample) in sorted(found.items(), key=lambda item: -item[1][0]):
        text = f"    left out: {rows:,} {reason}, {money:,.2f}, such as {sample[:160]}"
        console.print(text, markup=False, highlight=False, soft_wrap=True, style="dim")


def _summary(title: str, outcomes: list[Outcome]) -> None:
    table = Table(title=escape(title), title_justify="left")
    table.add_column("step")
    for heading in ("rows", "seconds", "peak MB"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        table.add_row(outcome.step, f"{outcome.rows:,}", f"{outcome.seconds:.1f}", f"{outcome.peak_mb:,.0f}")
    table.add_section()
    table.add_row(
        "all",
        "",
        f"{sum(o.seconds for o in outcomes):.1f}",
        f"{max((o.peak_mb for o in outcomes), default=0):,.0f}",
    )
    console.print(table)
