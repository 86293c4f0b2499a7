"""The command line: run a firm's steps without Airflow, keep the registry, find the warehouse."""

from __future__ import annotations

import getpass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from include.access import access

if TYPE_CHECKING:
    from include.run import Outcome
    from include.warehouse import Warehouse

app = typer.Typer(help="Firmament: customer analytics for each firm, as of any date.", no_args_is_help=True)
firms = typer.Typer(help="The registry of firms.", no_args_is_help=True)
app.add_typer(firms, name="firms")
app.add_typer(access, name="access")

console = Console()
_errors = Console(stderr=True)


def _stop(message: object) -> NoReturn:
    """Say what is wrong and how to mend it, and exit 1."""
    _errors.print(str(message), style="red", markup=False, highlight=False)
    raise typer.Exit(1)


def _warehouse() -> Warehouse:
    from include.settings import Settings, SettingsError
    from include.warehouse import Warehouse

    try:
        return Warehouse(Settings.read().warehouse_dsn())
    except SettingsError as error:
        _stop(error)


def _as_of(text: str, zone: str) -> date:
    from include.periods import parse_as_of

    try:
        as_of = parse_as_of(text)
    except ValueError as error:
        _stop(error)
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    if as_of > today:
        _stop(f"as_of {as_of} lies in the future: in {zone} it is {today}")
    return as_of


@app.command()
def run(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    as_of: Annotated[str, typer.Option(help="Nothing on or after this day is known: 2026-11-21.")],
    from_step: Annotated[str | None, typer.Option("--from", help="Begin with this step.")] = None,
    only: Annotated[str, typer.Option(help="Only these steps, with commas.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Read every month again.")] = False,
) -> None:
    """Run a firm's steps here, without Airflow, and sum up rows, seconds and peak memory a step."""
    from include.firms import FirmError, parse_firm
    from include.run.firm import StepFailedError, chosen_steps, run_firm
    from include.warehouse import WarehouseError

    try:
        with _warehouse() as warehouse:
            row = parse_firm(warehouse.firm_row(firm))
        names = tuple(name.strip() for name in only.split(",") if name.strip())
        steps = chosen_steps(row.modules, from_step=from_step, only=names)
    except (FirmError, WarehouseError, KeyError) as error:
        _stop(error.args[0])
    day = _as_of(as_of, row.timezone)
    outcomes: list[Outcome] = []
    width = max((len(step.name) for step in steps), default=0)

    def after(outcome: Outcome) -> None:
        outcomes.append(outcome)
        console.print(_line(outcome, width))

    try:
        with console.status("") as status:
            run_firm(
                firm,
                day,
                steps,
                full=full,
                before=lambda step: status.update(
                    f"{firm} as of {day}: {len(outcomes) + 1}/{len(steps)} {step.name}"
                ),
                after=after,
            )
    except StepFailedError as error:
        _stop(error)
    _summary(f"{row.name}, as of {day}", outcomes)


def _line(outcome: Outcome, width: int) -> str:
    note = f"  [dim]{outcome.note}[/dim]" if outcome.note else ""
    return f"  {outcome.step:<{width}}  {outcome.rows:>12,} rows  {outcome.seconds:6.1f} s{note}"


def _summary(title: str, outcomes: list[Outcome]) -> None:
    table = Table(title=title, title_justify="left")
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


@app.command()
def dsn() -> None:
    """Print the warehouse's URL."""
    from include.settings import Settings, SettingsError

    try:
        typer.echo(Settings.read().warehouse_dsn())
    except SettingsError as error:
        _stop(error)


@app.command()
def migrate() -> None:
    """Bring the warehouse's schema and views up to date."""
    from include.settings import Settings, SettingsError
    from include.warehouse import WarehouseError
    from include.warehouse import migrate as apply

    try:
        applied = apply(Settings.read().warehouse_dsn())
    except (SettingsError, WarehouseError) as error:
        _stop(error)
    console.print("\n".join(applied) or "nothing to do")


@firms.command("add")
def firms_add(
    file: Annotated[Path, typer.Option("--file", help="A YAML file with one firm or a list.")],
) -> None:
    """Add firms, or change them: every field the file leaves out takes its default."""
    import yaml

    from include.firms import FirmError, parse_firm

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        rows: list[Any] = content if isinstance(content, list) else [content]
        if not all(isinstance(row, dict) for row in rows):
            _stop(f"{file}: expected a mapping of a firm's fields, or a list of them")
        parsed = [parse_firm(row) for row in rows]
    except (OSError, yaml.YAMLError, FirmError) as error:
        _stop(f"{file}: {error}")
    with _warehouse() as warehouse:
        for firm in parsed:
            warehouse.save_firm(firm, actor=getpass.getuser())
            console.print(f"saved {firm.firm_key} ({firm.name})")
        _sync(warehouse)


@firms.command("list")
def firms_list() -> None:
    """Show every firm, and what is wrong with a row that cannot be used."""
    from include.firms import FirmError, parse_firm

    table = Table()
    for heading in ("firm", "name", "source", "runs", "modules", "state"):
        table.add_column(heading)
    with _warehouse() as warehouse:
        rows = warehouse.firm_rows()
    for row in rows:
        try:
            firm = parse_firm(row)
        except FirmError as error:
            table.add_row(str(row.get("firm_key")), "", "", "", "", f"[red]{error}")
            continue
        runs = {0: "inactive", 1: "daily", 7: "weekly"}.get(
            firm.working_day_period, f"every {firm.working_day_period} days"
        )
        state = "paused" if firm.is_paused else "active"
        table.add_row(
            firm.firm_key,
            firm.name,
            firm.source.kind,
            f"{runs} {firm.schedule_hour:02d}:00 {firm.timezone}",
            ", ".join(firm.modules),
            state,
        )
    console.print(table)


@firms.command("pause")
def firms_pause(firm: str, resume: Annotated[bool, typer.Option("--resume")] = False) -> None:
    """Stop a firm's schedule; --resume starts it again."""
    with _warehouse() as warehouse:
        _known(warehouse, firm)
        warehouse.pause_firm(firm, not resume, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("remove")
def firms_remove(firm: str) -> None:
    """Remove a firm: its DAG disappears, its facts stay until they are erased."""
    with _warehouse() as warehouse:
        _known(warehouse, firm)
        warehouse.remove_firm(firm, actor=getpass.getuser())
        _sync(warehouse)


@firms.command("sync")
def firms_sync(
    force: Annotated[bool, typer.Option("--force", help="Even if many firms go.")] = False,
) -> None:
    """Write the registry that DAG files read."""
    with _warehouse() as warehouse:
        _sync(warehouse, force=force)


def _known(warehouse: Warehouse, firm: str) -> None:
    from include.warehouse import WarehouseError

    try:
        warehouse.firm_row(firm)
    except WarehouseError as error:
        _stop(error.args[0])


def _sync(warehouse: Warehouse, *, force: bool = False) -> None:
    from include.firms import FirmError
    from include.registry import sync_firms
    from include.settings import Settings

    path = Settings.read().registry
    try:
        report = sync_firms(warehouse, path, force=force)
        console.print(f"registry: {len(report.kept)} firms in {path}", highlight=False)
        report.check()
    except FirmError as error:
        _stop(error)
