"""A small firm on a real warehouse, for the lanes that inject faults into its steps.

All installations of one lane share a PostgreSQL server and the firm's shop on it. Each has its own database
and folder of handoffs, so their facts can be compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from include import faults, postgres
from include.firms import parse_firm
from include.run import run_stage
from include.simulator import Plan, write_postgres
from include.steps import Step, steps_for
from include.warehouse import Warehouse, migrate
from tools.facts_hash import hash_warehouse

FIRM = "acme"
DAYS = (date(2025, 7, 1), date(2025, 7, 8))
PLAN = Plan(
    customers=500,
    start=date(2024, 6, 15),
    end=date(2025, 7, 8),
    seed=11,
    counts=(1.1, 4.0, 0.6, 9.0),
    lines_per_order=1.5,
    products=30,
)
ROW: dict[str, Any] = {
    "firm_key": FIRM,
    "name": "Acme",
    "timezone": "UTC",
    "currency": "EUR",
    "working_day_period": 1,
    "churn_threshold_days": 30,
    "modules": ["rfm", "churn", "ltv", "next_product", "insight", "actions", "loyalty", "publish"],
    "churn": {"min_customers": 200, "min_events": 20, "most_cutoffs": 3},
    "ltv": {"min_customers": 200, "min_repeat_buyers": 50},
    "source": {"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"},
    "publish": {"conn_id": "acme_crm", "schema": "crm"},
}
STEPS: tuple[Step, ...] = steps_for(ROW["modules"])


class Installation:
    """One warehouse and one folder of handoffs with the firm."""

    def __init__(self, home: Path, server: postgres.Server, *, root: str = "") -> None:
        """Make the databases, apply the migrations, and register the firm."""
        self.home = home
        home.mkdir(parents=True)
        name = home.name
        self.dsn = postgres.create_database(server, name)
        self.environ = {
            "FIRMAMENT_HOME": str(home),
            "FIRMAMENT_WAREHOUSE_DSN": self.dsn,
            "FIRMAMENT_ROOT": root or (home / "handoffs").as_uri(),
            "AIRFLOW_CONN_ACME_SHOP": server.dsn("shop"),
            "AIRFLOW_CONN_ACME_CRM": postgres.create_database(server, f"{name}_crm"),
        }
        with psycopg.connect(self.environ["AIRFLOW_CONN_ACME_CRM"]) as connection:
            connection.execute("create schema crm")
        migrate(self.dsn)
        with Warehouse(self.dsn) as warehouse:
            warehouse.firms.save_firm(parse_firm(ROW), actor="trust")

    def start(self, step: Step, day: date, *, fault: str = "", log: Path | None = None) -> int:
        """Run a step in a child process with a fault; its pid. Its exit status is 0 when it is done."""
        return forked(lambda: run_stage((step,), FIRM, day), self.environ | {faults.VARIABLE: fault}, log)

    def run(self, step: Step, day: date) -> int:
        """Run a step in a child process without a fault; its exit status."""
        return ended(self.start(step, day, log=self.home / "log"))

    def last_words(self) -> str:
        """The last line that a child wrote: the error that ended it."""
        return (self.home / "log").read_text(errors="replace").strip().rpartition("\n")[2]

    def facts(self) -> dict[str, Any]:
        """Hashes of every fact and dimension of the firm, by table."""
        found: dict[str, Any] = hash_warehouse(self.dsn)["firms"][FIRM]
        return found

    def visits(self, step: Step, day: date) -> dict[str, int]:
        """Run a step in a child process and count its visits of each fault point."""
        report = self.home / "visits"
        report.unlink(missing_ok=True)

        def counted() -> None:
            seen = _Counting(faults.POINTS)
            faults.POINTS = seen
            run_stage((step,), FIRM, day)
            report.write_text(json.dumps(seen.counts))

        # The fault never fires; without one a point does not look at POINTS.
        environ = self.environ | {faults.VARIABLE: f"{next(iter(faults.POINTS))}:999999999:raise"}
        if status := ended(forked(counted, environ, self.home / "log")):
            raise RuntimeError(f"{step.name} of {day} ended with {status}: {self.last_words()}")
        return dict(json.loads(report.read_text()))


class _Counting(dict[str, str]):
    """``faults.POINTS`` that counts the visits: each visit asks twice, for its own point and the fault's."""

    def __init__(self, points: dict[str, str]) -> None:
        super().__init__(points)
        self.counts: dict[str, int] = {}
        self._is_own = True

    def __contains__(self, name: object) -> bool:
        if self._is_own:
            self.counts[str(name)] = self.counts.get(str(name), 0) + 1
        self._is_own = not self._is_own
        return super().__contains__(name)


@contextlib.contextmanager
def server_with_shop() -> Iterator[tuple[Path, postgres.Server]]:
    """A temporary folder, and a running server in it with the firm's shop; both removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="firmament-trust-"))
    folder.chmod(0o711)
    try:
        server = postgres.start(folder / "postgres")
        write_postgres(PLAN, postgres.create_database(server, "shop"))
        yield folder, server
    finally:
        postgres.stop(folder / "postgres", mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)


def clean_run(installation: Installation, days: tuple[date, ...] = DAYS) -> dict[str, Any]:
    """Run all steps for the days without a fault; the facts."""
    for day in days:
        for step in STEPS:
            if status := installation.run(step, day):
                raise RuntimeError(f"{step.name} of {day} ended with {status}: {installation.last_words()}")
    return installation.facts()


def differing(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Tables whose rows differ."""
    return sorted(name for name in wanted if found.get(name) != wanted[name])


def forked(work: Callable[[], object], environ: dict[str, str], log: Path | None = None) -> int:
    """Start ``work`` in a child of this process with more environment; its pid."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of pyarrow survive a fork
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        with (log or Path(os.devnull)).open("ab") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os.environ.update(environ)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(pid: int) -> int:
    """Wait for a child: its exit status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def is_stopped(pid: int) -> bool:
    """Wait until a child stops itself (True) or has ended (False)."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def resume(pid: int) -> int:
    """Let a stopped child go on, and wait for its end; its exit status."""
    os.kill(pid, signal.SIGCONT)
    return ended(pid)
