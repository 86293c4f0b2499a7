"""What the tests of DAG files stand on: a parser in a process of its own, and a real Airflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include import stack
from include.airflow_api import AirflowApi
from include.firms import parse_firm
from include.pools import add_pools, wanted_pools
from include.registry import read_registry, sync_firms
from include.service_accounts import POOLS, ServiceAccount
from include.settings import PROJECT, Settings
from include.simulator import Plan, write_csv
from include.warehouse import Warehouse
from tests.sinks import Hook, web_hook

Parse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parse]:
    """Parse the project's DAG files with a registry, as Airflow's DAG processor does."""
    home = tmp_path_factory.mktemp("airflow")
    said, report = home / "said.txt", home / "report.json"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": str(PROJECT),
    }
    with (
        said.open("wb") as log,
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("dag_probe.py"))],
            env={**kept, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as probe,
    ):
        assert probe.stdin
        assert probe.stdout

        def parse(registry: Path, *, file: str = "", **environ: str) -> dict[str, Any]:
            request = {
                "path": str(PROJECT / "dags" / file),
                "bundle": str(PROJECT / "dags"),
                "report_to": str(report),
                "environ": {
                    "FIRMAMENT_HOME": str(home),
                    "FIRMAMENT_REGISTRY": str(registry),
                    **environ,
                },
            }
            print(json.dumps(request), file=probe.stdin, flush=True)
            answer = probe.stdout.readline().strip()
            assert answer == "0", said.read_text()[-3000:]
            found: dict[str, Any] = json.loads(report.read_text())
            return found

        yield parse


@dataclass(frozen=True)
class RealAirflow:
    """A running stack of the tests' own, with simulated firms to run."""

    settings: Settings
    stack: stack.Stack
    api: AirflowApi
    hook: Hook
    dags: Path

    def add_firm(self, key: str, **changes: object) -> str:
        """Put a firm with the simulated sales in the warehouse and the registry; the id of its DAG."""
        row = {
            "firm_key": key,
            "name": key.title(),
            "source": {
                "kind": "csv",
                "uri": (self.settings.home / "sales").as_uri(),
                "layout": "mapped",
                "mapping": {"zone": "UTC"},
            },
            "timezone": "Europe/London",
            "currency": "GBP",
            "working_day_period": 0,
            "churn_threshold_days": 60,
            "modules": ["rfm"],
        }
        with Warehouse(self.stack.warehouse) as warehouse:
            warehouse.firms.save_firm(parse_firm({**row, **changes}), "a test")
            sync_firms(warehouse.firms, self.settings.registry)
        add_pools(self.service(POOLS), wanted_pools(read_registry(self.settings.registry)))
        return self.wait_for_dag(f"firm_{key}")

    @property
    def signs_in(self) -> dict[str, str]:
        """What the admin signs in with."""
        return {"username": self.stack.user, "password": self.stack.password}

    def service(self, account: ServiceAccount) -> AirflowApi:
        """The API, signed in to by a service account, as its connection says."""
        fields = json.loads(stack.env(self.settings)[account.variable])
        return AirflowApi(fields["host"], fields["login"], fields["password"])

    def wait_for_dag(self, dag_id: str) -> str:
        """Wait until Airflow has parsed the DAG."""
        self.wait_for_parse(lambda: self.api.has_dag(dag_id), f"{dag_id} is parsed")
        return dag_id

    def wait_for_parse(self, seen: Callable[[], bool], what: str) -> None:
        """Wait for what a parse brings: a DAG file that changed is read at once, and not every 25 seconds."""

        def ready() -> bool:
            if seen():
                return True
            for file in self.dags.glob("*.py"):
                file.touch()
            return False

        self.wait(ready, what, seconds=120)

    @contextmanager
    def without_upkeep(self) -> Iterator[None]:
        """Upkeep starts by itself, with Airflow and every hour, and would mend a registry that is damaged."""
        dag = f"/api/v2/dags/{self.wait_for_dag('firmament_upkeep')}"
        active = f"{dag}/dagRuns?state=queued&state=running"
        self.wait(lambda: not self.api.call("GET", active)["dag_runs"], "upkeep has run", seconds=300)
        self.api.call("PATCH", dag, {"is_paused": True})
        try:
            yield
        finally:
            self.api.call("PATCH", dag, {"is_paused": False})

    def trigger(self, dag_id: str, as_of: date | str | None = None) -> str:
        """Start a run by hand, without a logical date; its id."""
        run_id = f"test_{as_of}_{time.monotonic_ns()}"
        self.api.trigger(dag_id, run_id, {} if as_of is None else {"as_of": str(as_of)})
        return run_id

    def ended(self, dag_id: str, run_id: str, *, seconds: float = 600) -> str:
        """Wait for a run to end; how it did."""
        states = ("success", "failed")
        self.wait(
            lambda: self.api.run_state(dag_id, run_id) in states, f"{dag_id} {run_id} ends", seconds=seconds
        )
        return self.api.run_state(dag_id, run_id)

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """One task instance as the API shows it."""
        (found,) = [one for one in self.api.tasks(dag_id, run_id) if one["task_id"] == task_id]
        return found

    def run(self, command: str) -> str:
        """One ``airflow …`` command against this stack; what it printed."""
        words = [sys.executable, "-m", *command.split()]
        environ = {**os.environ, **stack.env(self.settings)}
        done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def plain_shell(self, command: str, *, codes: tuple[int, ...] = (0,)) -> str:
        """Run a printed command in the project's folder, in a shell that knows only where the home is."""
        environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.settings.home / "nowhere"),
            "FIRMAMENT_HOME": str(self.settings.home),
        }
        done = subprocess.run(
            command.split(),
            env=environ,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    def opened(self, *keys: str) -> list[dict[str, Any]]:
        """The messages that opened an incident about each firm, after the watcher has sent them."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.hook.received if one["event"] == "opened" and one["firm"] in keys]

        self.wait(lambda: {one["firm"] for one in found()} == set(keys), f"messages of {keys}", seconds=120)
        return found()

    def messages(self, key: str) -> list[tuple[str, int]]:
        """The messages about a firm: opened, grown or closed, and the incident's number."""
        return [(one["event"], one["incident"]) for one in self.hook.received if key in one["firms"]]

    def rows(self, query: str, *params: object) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with psycopg.connect(self.stack.warehouse) as connection:
            return connection.execute(query, params).fetchall()  # type: ignore[call-overload,no-any-return]

    def wait(self, ready: Callable[[], bool], what: str, *, seconds: float) -> None:
        """Wait for something, and say what when it does not come."""
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.api.import_errors()}"
            time.sleep(0.5)


@pytest.fixture(scope="session")
def airflow_stack() -> Iterator[RealAirflow]:
    """Airflow's own services, a warehouse, a web hook for alerts, and a hundred days of sales up to today."""
    home = Path(tempfile.mkdtemp(prefix="firmament-dags-"))
    home.chmod(0o755)
    today = datetime.now(UTC).date()
    plan = Plan(customers=60, start=today - timedelta(days=100), end=today, seed=7, products=20)
    write_csv(plan, home / "sales")
    # Copies, to be touched.
    left = shutil.ignore_patterns("__pycache__")
    dags = Path(shutil.copytree(PROJECT / "dags", home / "dags", ignore=left))
    with web_hook() as hook:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "FIRMAMENT_HOME": str(home),
            "FIRMAMENT_ALERT_WEBHOOK": "ops_hook",
            "AIRFLOW_CONN_OPS_HOOK": json.dumps({"conn_type": "http", "host": hook.url}),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
        }
        settings = Settings.read(environ)
        try:
            up = stack.up(settings)
            yield RealAirflow(settings, up, AirflowApi(up.url, up.user, up.password), hook, dags)
        finally:
            stack.down(settings)
            shutil.rmtree(home, ignore_errors=True)
