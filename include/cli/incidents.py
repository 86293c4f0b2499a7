"""``incidents``: list what is wrong, show an incident, run its firms again, close it."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.console import console, refuse
from include.command_errors import FAILED

if TYPE_CHECKING:
    from include.warehouse.incident_rows import IncidentRows

incidents = typer.Typer(help="List open incidents, run their firms again, close them.")
Number = Annotated[int, typer.Argument(help="Number of the incident, as the message shows it.")]


@incidents.callback(invoke_without_command=True)
def incidents_list(
    context: typer.Context,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="All incidents of so many days, also closed ones.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the open incidents, newest first, with the command that fixes each. Exit code 1: there are some.

    Incidents that are over are closed first.

    Example: python -m include incidents
    """
    if context.invoked_subcommand is not None:
        return
    from include.incidents.closing import recheck
    from include.incidents.kinds import kind_named
    from include.incidents.message import command_of
    from include.settings import Settings

    recheck(Settings.read())
    since = datetime.now(UTC) - timedelta(days=days) if days else None
    with _opened() as store:
        rows = store.incidents(is_open=days is None, since=since)
        if as_json:
            typer.echo(json.dumps(rows, indent=1, default=str))
        for row in [] if as_json else rows:
            entries = store.entries(row["incident_id"])
            kind = kind_named(row["kind"])
            _line(f"{_state(row)}  {row['incident_id']}  {kind.title.format(resource=row['resource_name'])}")
            _line(f"     {row['error']}")
            if row["firms"]:
                _line(f"     firms: {_firms(entries)}")
            if row["closed_at"] is None:
                _line(f"     fix: {command_of(kind, row, entries)}")
    if not rows and not as_json:
        _line("no incident is open" if days is None else f"no incident in {days} days")
    if any(row["closed_at"] is None for row in rows):
        raise typer.Exit(FAILED)


@incidents.command("show")
def incidents_show(number: Number) -> None:
    """Show an incident: each firm, snapshot and task it hit, and where their logs are.

    Example: python -m include incidents show 12
    """
    from include.incidents.kinds import kind_named
    from include.incidents.message import message_of

    with _opened() as store:
        row = _found(store, number)
        entries = store.entries(number)
    _line(message_of(row, entries, message_kind="opened" if row["closed_at"] is None else "closed")["text"])
    for entry in entries:
        state = "gone" if entry["gone_at"] else "there"
        missing = ", its snapshot is missing" if entry["is_snapshot_missing"] else ""
        what = " ".join(str(entry[key]) for key in ("firm_key", "as_of", "task_id") if entry[key])
        _line(f"{state}{missing}: {what or 'installation'} {entry['log_url']}")
    _line(f"runbook: {kind_named(row['kind']).section}")


@incidents.command("resolve")
def incidents_resolve(
    number: Number,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run its firms again; it closes when they pass.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--here", help="With --rerun: in this process, not in Airflow.")
    ] = False,
) -> None:
    """Run all firms of an incident again, or without --rerun close it as it is.

    With --rerun, failed runs are cleared in Airflow, so that they turn green there. Without an Airflow that
    answers, or with --here, the snapshots are run in this process. The incident closes when they have passed.

    Example: python -m include incidents resolve 12 --rerun
    """
    from include.incidents.delivery import deliver_due
    from include.settings import Settings
    from include.warehouse.incidents import Incidents

    if here and not rerun:
        refuse("--here belongs to --rerun\nSee the arguments: python -m include incidents resolve --help")
    with _opened() as store:
        row = _found(store, number)
        entries = store.entries(number)
    if rerun:
        _rerun(row, entries, here=here)
        return
    with Incidents(Settings.read().warehouse_dsn()) as incidents:
        incidents.close_incident(number, closed_by=getpass.getuser(), is_forced=True)
    deliver_due(Settings.read())
    _line(f"incident {number} is closed")


def _rerun(row: dict[str, Any], entries: list[dict[str, Any]], *, here: bool) -> None:
    from include.incidents.closing import recheck
    from include.incidents.kinds import kind_named
    from include.incidents.message import command_of
    from include.reruns import airflow, rerun_here, rerun_in_airflow, reruns_of
    from include.settings import Settings

    kind = kind_named(row["kind"])
    reruns = reruns_of(kind, entries)
    if not reruns:
        _line(f"nothing to run again; fix it with: {command_of(kind, row, entries)}")
        return
    api = None if here else airflow()
    if api is None and not here:
        _line("Airflow's API does not answer, so the snapshots run in this process")
    failed = 0
    for line, is_done in rerun_in_airflow(api, reruns) if api is not None else rerun_here(reruns):
        failed += not is_done
        console.print(line, style=None if is_done else "red", markup=False, highlight=False, soft_wrap=True)
    if api is None:
        recheck(Settings.read())
    if failed:
        raise typer.Exit(FAILED)
    if api is not None:
        _line(f"incident {row['incident_id']} closes when they have passed; see: python -m include incidents")


def _opened() -> IncidentRows:
    from include.settings import Settings
    from include.warehouse.incident_rows import IncidentRows

    return IncidentRows(Settings.read().warehouse_dsn())


def _found(store: IncidentRows, number: int) -> dict[str, Any]:
    row = store.incident(number)
    if row is None:
        refuse(f"there is no incident {number}; see the open ones: python -m include incidents")
    return row


def _state(row: dict[str, Any]) -> str:
    return str(row["severity"]) if row["closed_at"] is None else "closed"


def _firms(entries: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(entry["firm_key"] for entry in entries if entry["firm_key"]))
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _line(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
