"""``run --due``: run all firms whose latest scheduled snapshot is not complete."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import typer

from include.cli.console import console
from include.command_errors import FAILED
from include.firms import Firm, FirmError, parse_firm
from include.schedule import firm_due_at, last_due
from include.settings import Settings
from include.steps import steps_for


class Due(NamedTuple):
    """A firm that is due, since when, and for which snapshot."""

    since: datetime
    firm: Firm
    as_of: date


def run_due(at: datetime | None = None) -> None:
    """Run the firms that are due at ``at`` (now), one line each; exit 1 if a firm failed."""
    at = at or datetime.now(UTC)
    invalid: list[str] = []
    firms = sorted(_due(at, invalid), key=lambda due: (due.since, due.firm.firm_key))
    width = max((len(due.firm.firm_key) for due in firms), default=0)
    failed = 0
    for due in firms:
        with console.status(f"{due.firm.firm_key} as of {due.as_of}"):
            began = time.monotonic()
            result, is_done = _run(due)
        failed += not is_done
        seconds = time.monotonic() - began
        console.print(
            f"{due.firm.firm_key:<{width}}  as of {due.as_of}  {result}  {seconds:.1f} s",
            style=None if is_done else "red", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    for message in invalid:
        console.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    if not firms and not invalid:
        console.print("no firm is due")
    if failed or invalid:
        raise typer.Exit(FAILED)


def _due(at: datetime, invalid: list[str]) -> Iterator[Due]:
    """The firms that are due; the message of each invalid row is added to ``invalid``."""
    from include.warehouse import Warehouse
    from include.warehouse.progress import Progress

    dsn = Settings.read().warehouse_dsn()
    with Warehouse(dsn) as warehouse:
        rows = warehouse.firms.firm_rows()
    with Progress(dsn) as progress:
        for row in rows:
            try:
                firm = parse_firm(row)
            except FirmError as error:
                invalid.append(str(error).splitlines()[0])
                continue
            shape = firm.shape
            as_of = last_due(shape, at)
            if as_of is None:
                continue
            steps = {step.name for step in steps_for(firm.modules)}
            if steps - progress.ended_steps(firm.firm_key, as_of):
                yield Due(firm_due_at(shape, at), firm, as_of)


def _run(due: Due) -> tuple[str, bool]:
    """Run what is left of a firm's snapshot; the result in one line, and whether it is complete."""
    from include.run.attempts import Attempt
    from include.run.firm import StepFailedError, chosen_steps, run_firm
    from include.warehouse import Warehouse

    key = due.firm.firm_key
    with Warehouse(Settings.read().warehouse_dsn()) as warehouse:
        last = warehouse.runs.last_run_id(key, due.as_of)
    attempt = Attempt(last or f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}", may_skip=last is not None)
    try:
        outcomes = run_firm(key, due.as_of, chosen_steps(due.firm.modules), attempt=attempt)
    except StepFailedError as error:
        return f"failed: {str(error).splitlines()[0]}", False
    return f"done: {len(outcomes)} steps", True
