"""``make demo``: run two firms with real data through the whole pipeline, in a real Airflow.

It starts the stack, loads the data once, registers the firms, runs each firm's DAG for two days, and prints
the results and addresses. It can be run again at any time.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from rich.console import Console

from include import stack
from include.airflow_api import AirflowApi, AirflowError
from include.command_errors import guarded
from include.demo.data import JOURNEY_CONNECTION, JOURNEY_DATABASE, firm_rows, load_journey, write_cdnow
from include.demo.tables import NothingToShowError, show_firm
from include.firms import Firm, parse_firm
from include.pools import add_pools, wanted_pools
from include.postgres import PostgresError, create_database_at
from include.private_files import private_umask
from include.registry import sync_firms
from include.settings import Settings, SettingsError
from include.stack.environment import passwords_file
from include.warehouse import Warehouse

ACTOR = "make demo"
AS_OF = {
    "journey": (date(2017, 10, 1), date(2018, 1, 1)),
    "cdnow": (date(1998, 4, 1), date(1998, 7, 1)),
}
WIDTH = 130
DAG_SECONDS = 120  # until the DAG processor must have found a new firm
RUN_SECONDS = 900
POLL_SECONDS = 0.5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATE = timedelta(seconds=15)  # a task's end may become visible this much after a later end
WATCH_SECONDS = 4.0  # a request costs the API server up to 0.1 s of CPU, which the tasks need
WAITING = {None, "none", "scheduled", "queued", "running", "restarting", "deferred"}


class DemoError(RuntimeError):
    """The demo failed; the message says at which step and where to read more."""


@dataclass(frozen=True)
class Run:
    """One run of one firm's DAG."""

    firm_key: str
    as_of: date
    run_id: str

    @property
    def dag_id(self) -> str:
        """The DAG of the firm."""
        return f"firm_{self.firm_key}"


def main() -> int:
    """Run the demo and return its exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)  # a log has no width
    started = time.monotonic()
    try:
        running, api, firms = prepare(Settings.read(), console)
        prepared = time.monotonic() - started
        runs = start_runs(api, firms, console)
        watch(api, runs, Path(running.logs), console)
        ran = time.monotonic() - started - prepared
        for firm in firms:
            show_firm(running.warehouse, firm, console)
    except (
        DemoError,
        NothingToShowError,
        AirflowError,
        stack.StackError,
        PostgresError,
        SettingsError,
        psycopg.Error,
        OSError,
    ) as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return 1
    console.print(f"\nprepared in {prepared:.1f} s, {len(runs)} runs in {ran:.1f} s")
    where_to_look(running, console)
    return 0


def prepare(settings: Settings, console: Console) -> tuple[stack.Stack, AirflowApi, list[Firm]]:
    """Start the stack, load the data and register the firms."""
    folder = settings.home / "demo" / "cdnow"
    warehouse_dsn = stack.warehouse(settings)
    journey_dsn = _same_server_url(warehouse_dsn, JOURNEY_DATABASE)
    firms = [parse_firm(row) for row in firm_rows(folder)]
    with Warehouse(warehouse_dsn) as warehouse:
        for firm in firms:
            warehouse.firms.save_firm(firm, ACTOR)
        sync_firms(warehouse.firms, settings.registry).check()
    console.print(f"registered {', '.join(firm.firm_key for firm in firms)}")
    with ThreadPoolExecutor() as pool:
        loading: Future[str] = pool.submit(_load, warehouse_dsn, journey_dsn, folder)
        running = stack.up(settings, say=lambda line: console.print(f"  {line} …", markup=False))
        console.print(f"Airflow is up after {running.seconds['all']:.1f} s")
        console.print(loading.result())
    api = AirflowApi(running.url, running.user, running.password)
    add_pools(api, wanted_pools(firm.shape for firm in firms))
    api.save_connection(JOURNEY_CONNECTION, _connection(journey_dsn))
    return running, api, firms


def _load(warehouse_dsn: str, journey_dsn: str, cdnow_folder: Path) -> str:
    started = time.monotonic()
    create_database_at(warehouse_dsn, JOURNEY_DATABASE, private=True)
    loaded = [
        name
        for name, is_new in (
            ("The Complete Journey into Postgres", load_journey(journey_dsn)),
            ("CDNOW into a csv file", write_cdnow(cdnow_folder)),
        )
        if is_new
    ]
    if not loaded:
        return "the demo's data was already loaded"
    return f"loaded {' and '.join(loaded)} in {time.monotonic() - started:.1f} s"


def _same_server_url(dsn: str, database: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def _connection(dsn: str) -> dict[str, Any]:
    """A Postgres URL as the fields of an Airflow connection."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return {
        "conn_type": "postgres",
        "host": parts.get("host"),
        "port": int(parts.get("port") or 5432),
        "login": parts.get("user"),
        "password": parts.get("password"),
        "schema": parts.get("dbname"),
    }


def start_runs(api: AirflowApi, firms: list[Firm], console: Console) -> list[Run]:
    """Start a run of every firm for each of its days."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    runs = [Run(firm.firm_key, day, f"demo_{day}_{stamp}") for firm in firms for day in AS_OF[firm.firm_key]]
    for dag_id in dict.fromkeys(run.dag_id for run in runs):
        _wait_for_dag(api, dag_id)
        api.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
    for run in runs:
        api.trigger(run.dag_id, run.run_id, {"as_of": run.as_of.isoformat()})
        console.print(f"started {run.dag_id} as of {run.as_of}")
    return runs


def _wait_for_dag(api: AirflowApi, dag_id: str) -> None:
    deadline = time.monotonic() + DAG_SECONDS
    while not api.has_dag(dag_id):
        if time.monotonic() > deadline:
            errors = "; ".join(api.import_errors()) or "no DAG file failed to import"
            raise DemoError(f"Airflow shows no DAG {dag_id} after {DAG_SECONDS} s ({errors})")
        time.sleep(POLL_SECONDS)


def watch(api: AirflowApi, runs: list[Run], logs: Path, console: Console) -> None:
    """Wait for the runs and print a line for each task that ended; DemoError when one fails.

    Two requests ask for all runs: their states, and the tasks that ended lately. A task that waits for its
    retry counts as failed if its log has an error. A task without one was lost on a busy machine, and Airflow
    runs it again.
    """
    started = time.monotonic()
    reported: set[tuple[Run, str, int, str]] = set()
    known = {(run.dag_id, run.run_id): run for run in runs}
    open_runs = list(runs)
    latest = EPOCH
    while open_runs:
        states = _states(api, runs)
        for task in api.tasks("~", "~", ended_since=(latest - LATE).isoformat()):
            run = known.get((task["dag_id"], task["dag_run_id"]))
            if run is None or task["state"] in WAITING:
                continue
            outcome = (run, task["task_id"], task["try_number"], task["state"])
            if outcome in reported:
                continue
            latest = max(latest, datetime.fromisoformat(task["end_date"]))
            reported.add(outcome)
            spent = time.monotonic() - started
            console.print(
                f"{spent:6.1f} s  {run.firm_key:8} {run.as_of}  {task['task_id']:28} {task['state']}",
                markup=False,
            )
            _refuse_failure(api, run, task, logs)
        for run in list(open_runs):
            if states.get(run) == "success":
                open_runs.remove(run)
            elif states.get(run) == "failed":
                raise DemoError(f"{run.dag_id} {run.run_id} failed; see it in Airflow")
        if time.monotonic() - started > RUN_SECONDS:
            waiting = ", ".join(f"{run.dag_id} as of {run.as_of}" for run in open_runs)
            raise DemoError(
                f"not finished after {RUN_SECONDS} s: {waiting}; see the scheduler's log in {logs}"
            )
        time.sleep(WATCH_SECONDS)


def _states(api: AirflowApi, runs: list[Run]) -> dict[Run, str]:
    """The states of the runs, whose ids end with the same stamp."""
    stamp = runs[0].run_id.rpartition("_")[2]
    found = api.call("GET", f"/api/v2/dags/~/dagRuns?limit=100&run_id_pattern=%25{stamp}%25")["dag_runs"]
    states = {(one["dag_id"], one["dag_run_id"]): str(one["state"]) for one in found}
    return {run: states[run.dag_id, run.run_id] for run in runs if (run.dag_id, run.run_id) in states}


def _refuse_failure(api: AirflowApi, run: Run, task: dict[str, Any], logs: Path) -> None:
    """DemoError when the task failed, or waits for its retry after an error."""
    if task["state"] in ("failed", "up_for_retry"):
        lines = _errors(api, run, task)
        if lines or task["state"] == "failed":
            raise DemoError(_failure_text(run, task, lines, logs))


def _errors(api: AirflowApi, run: Run, task: dict[str, Any]) -> list[str]:
    """The error lines of a failed task's log."""
    lines = []
    for entry in api.log(run.dag_id, run.run_id, task["task_id"], task["try_number"]):
        if entry.get("level") in ("error", "critical"):
            lines.append(str(entry.get("event", "")))
            lines += [
                f"{detail['exc_type']}: {detail['exc_value']}" for detail in entry.get("error_detail") or []
            ]
    return lines


def _failure_text(run: Run, task: dict[str, Any], lines: list[str], logs: Path) -> str:
    """The errors of a failed task, and the path of its log."""
    attempt = task["try_number"]
    folder = logs / "tasks" / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
    log = folder / f"task_id={task['task_id']}" / f"attempt={attempt}.log"
    where = log if log.exists() else f"the task's page in Airflow (DAG {run.dag_id}, run {run.run_id})"
    return "\n".join(
        [f"{run.dag_id} as of {run.as_of}: task {task['task_id']} failed", *lines[-6:], f"its log: {where}"]
    )


def where_to_look(running: stack.Stack, console: Console) -> None:
    """Print addresses and the location of the password, not the password itself."""
    for line in (
        f"Airflow    {running.url}  user {running.user}, password in {passwords_file(Settings.read())}",
        f"console    {running.url}/plugin/firmament  firms, customers and actions of this demo",
        "warehouse  make psql, then: select * from mart.vw_rfm_segment_summary;",
        f"logs       {running.logs}",
        "to end     make down",
    ):
        console.print(line, markup=False)


if __name__ == "__main__":
    with private_umask():
        sys.exit(guarded(main, program="python -m include.demo"))
