"""The cost of Airflow: CPU seconds of a DAG run above ``python -m include run`` of the same firm and date.

Two firms with the same rows are run for two days each: one by the command, with no Airflow running, the other
by its DAG in the embedded stack. Counted are all processes: the command, Airflow's services with every
task, and PostgreSQL. The difference is divided by the number of tasks.

    python -m bench tasks
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import psutil

from bench.rows import Row
from include import postgres, stack
from include.airflow_api import AirflowApi
from include.firms import parse_firm
from include.pools import add_pools, wanted_pools
from include.processes import family
from include.registry import sync_firms
from include.settings import PROJECT, Settings
from include.simulator import Plan, write_csv
from include.stack.state import State
from include.warehouse import Warehouse

LIMIT = 1.0  # CPU seconds per task
PLAN = Plan(customers=2_000, start=date(2024, 1, 1), end=date(2026, 1, 1), seed=2026, lines_per_order=3.3)
DAYS = ((PLAN.end - timedelta(days=2), "first run"), (PLAN.end - timedelta(days=1), "next day"))
BY_COMMAND, BY_DAG = "by_command", "by_dag"
POLL_SECONDS = 3.0
RUN_SECONDS = 900.0


def rows() -> Iterator[Row]:
    """One row per day."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o711)  # the server does not run as root and must be able to enter its folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FIRMAMENT_", "AIRFLOW"))}
        settings = Settings.read(kept | {"FIRMAMENT_HOME": str(home)})
        try:
            yield from _measured(settings)
        finally:
            stack.down(settings)


def cpu_seconds(leaders: Iterable[int]) -> float:
    """CPU seconds so far of the leaders' sessions and descendants, ended ones included."""
    total = 0.0
    for pid in {pid for leader in leaders for pid in family(leader)}:
        try:
            total += sum(
                psutil.Process(pid).cpu_times()[:4]
            )  # its own, and those of children that have ended
        except psutil.NoSuchProcess:
            continue  # its parent counts it now
    return total


def _measured(settings: Settings) -> Iterator[Row]:
    dsn = stack.warehouse(settings)
    write_csv(PLAN, settings.home / "drop")
    source = {"kind": "csv", "uri": (settings.home / "drop").as_uri(), "layout": "mapped"}
    firms = [
        parse_firm(
            {
                "firm_key": key,
                "name": key,
                "source": source,
                "timezone": PLAN.timezone,
                "currency": "EUR",
                "working_day_period": 0,
                "churn_threshold_days": 90,
            }
        )
        for key in (BY_COMMAND, BY_DAG)
    ]
    with Warehouse(dsn) as warehouse:
        for firm in firms:
            warehouse.firms.save_firm(firm, actor="make bench")
        sync_firms(warehouse.firms, settings.registry).check()
    alone = {day: _spent(_server(settings), lambda day=day: _command(settings, day)) for day, _ in DAYS}
    running = stack.up(settings)
    api = AirflowApi(running.url, running.user, running.password)
    add_pools(api, wanted_pools(firm.shape for firm in firms))
    _settle(api)
    for day, what in DAYS:
        state = State.read(settings)
        assert state is not None, "the stack is up"
        leaders = [*(process.pid for process in state.processes), *_server(settings)]
        run_id = f"bench_{day}"
        in_airflow = _spent(leaders, lambda day=day, run_id=run_id: _dag_run(api, run_id, day))
        tasks = len(api.tasks(f"firm_{BY_DAG}", run_id))
        per_task = (in_airflow - alone[day]) / tasks
        yield Row(
            name=f"{what}: CPU s of a DAG run of {tasks} tasks, all processes; {per_task:.2f} per task above "
            "the command",
            ours_s=in_airflow,
            peer="python -m include run",
            peer_s=alone[day],
            limit=LIMIT,
            share_of_limit=max(per_task, 0.0) / LIMIT,
        )


def _server(settings: Settings) -> list[int]:
    server = postgres.running(settings.postgres)
    return [server.pid] if server is not None else []


def _spent(leaders: list[int], act: Callable[[], float]) -> float:
    """CPU seconds of the leaders' families while ``act`` runs, and those that it returns."""
    before = cpu_seconds(leaders)
    own = act()
    return cpu_seconds(leaders) - before + own


def _command(settings: Settings, day: date) -> float:
    """Run the firm by the command; CPU seconds of it and its children."""
    command = [sys.executable, "-m", "include", "run", BY_COMMAND, "--as-of", day.isoformat()]
    before = os.times()
    environ = {"COLUMNS": "150", **settings.environ}
    subprocess.run(command, check=True, cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _settle(api: AirflowApi) -> None:
    """Wait until upkeep, which starts with Airflow, has run, and the firm's DAG is known."""
    active = "/api/v2/dags/firmament_upkeep/dagRuns?state=queued&state=running"
    _wait("the DAG to appear", lambda: api.has_dag("firmament_upkeep") and api.has_dag(f"firm_{BY_DAG}"))
    _wait("upkeep to have run", lambda: not api.call("GET", active)["dag_runs"])
    time.sleep(POLL_SECONDS)


def _dag_run(api: AirflowApi, run_id: str, day: date) -> float:
    dag_id = f"firm_{BY_DAG}"
    api.trigger(dag_id, run_id, {"as_of": day.isoformat()})
    _wait(f"{dag_id} {run_id} to end", lambda: api.run_state(dag_id, run_id) in ("success", "failed"))
    if (state := api.run_state(dag_id, run_id)) != "success":
        raise RuntimeError(f"{dag_id} {run_id} ended as {state}")
    return 0.0


def _wait(what: str, is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {RUN_SECONDS:.0f} s for {what}")
        time.sleep(POLL_SECONDS)
