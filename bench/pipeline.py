"""A simulated firm of 5 million lines and 200,000 customers, from its source to the views, on two days.

All default modules run in a warehouse on a separate server, from Postgres and from a CSV file. The first day
reads all of history, the second day the lookback window. The result is the peak memory of the largest step.
Seconds are absolute, without a peer or a limit; the CPU seconds in a row's name exclude the database server.

    python -m bench.pipeline postgres 20000     # one source, 20,000 customers; writes no result
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from bench.rows import Row
from include import postgres, stack
from include.firms import parse_firm
from include.postgres import create_database_at
from include.settings import PROJECT, Settings
from include.simulator import LARGE, Plan, write_csv, write_postgres
from include.warehouse import Warehouse

FIRM = "simulated"
SHOP = "simulated_shop"
PEAK_LIMIT_MB = 2000.0
SOURCES = ("postgres", "csv")
VIEW_SECONDS = 3.0  # acceptable waiting time of a dashboard
VIEWS = """
    select viewname
    from pg_views
    where schemaname = 'mart'
    order by viewname
"""
STEPS = """
    select
        step,
        row_count,
        seconds,
        peak_mb
    from control.step_runs
    where as_of = %s
    order by step_run_id
"""


@dataclass(frozen=True)
class Ran:
    """One run of the firm: its seconds, and the step with the highest peak memory, in MB (10^6 bytes)."""

    seconds: float
    cpu_seconds: float
    lines: int
    step: str
    peak_mb: float


def rows(plan: Plan = LARGE, sources: tuple[str, ...] = SOURCES) -> Iterator[Row]:
    """Three rows per source: the first run, the next day's run, and the views."""
    for source in sources:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            home.chmod(0o711)  # the server does not run as root and must be able to enter its folder
            settings = Settings.read(_environ(home))
            try:
                yield from _measured(plan, source, settings)
            finally:
                postgres.stop(settings.postgres)


def _environ(home: Path) -> dict[str, str]:
    """This process's environment without the settings of another installation."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FIRMAMENT_", "AIRFLOW"))}
    return kept | {"FIRMAMENT_HOME": str(home)}


def _measured(plan: Plan, source: str, settings: Settings) -> Iterator[Row]:
    dsn = stack.warehouse(settings)
    environ = dict(settings.environ)
    row: dict[str, Any] = {
        "firm_key": FIRM,
        "name": f"Simulated firm, {source}",
        "timezone": plan.timezone,
        "currency": "TRY",
        "working_day_period": 0,
        "churn_threshold_days": 90,
    }
    folder = settings.home / "drop"
    if source == "postgres":
        create_database_at(dsn, SHOP)
        environ["AIRFLOW_CONN_SIMULATED_SHOP"] = shop = dsn.rpartition("/")[0] + f"/{SHOP}"
        write_postgres(plan, shop)
        row["source"] = {"kind": "postgres", "conn_id": SHOP, "schema": "shop"}
    else:
        write_csv(plan, folder)
        row["source"] = {"kind": "csv", "uri": folder.as_uri(), "layout": "mapped"}
    with Warehouse(dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(row), actor="make bench")
    lines = 0
    for as_of, what in (
        (plan.end - timedelta(days=2), "first run"),
        (plan.end - timedelta(days=1), "next day"),
    ):
        if source == "csv":  # a new file: the staged lines of the previous one must not be used
            os.utime(folder / "transactions.csv")
        ran = _run(as_of, dsn, environ)
        lines = max(lines, ran.lines)
        yield Row(
            name=f"{source}, {lines:,} lines, {plan.customers:,} customers, {what}, all modules: largest "
            f"step {ran.step}; absolute seconds ({ran.cpu_seconds:.0f} s of CPU)",
            ours_s=ran.seconds,
            peak_mb=ran.peak_mb,
            limit=PEAK_LIMIT_MB,
            share_of_limit=ran.peak_mb / PEAK_LIMIT_MB,
        )

    yield _views(f"{source}, {lines:,} lines, {plan.customers:,} customers", dsn)


def _views(firm: str, dsn: str) -> Row:
    """Compute every view completely, timed by the server; the row names the slowest views."""
    took: dict[str, float] = {}
    with psycopg.connect(dsn) as connection:
        connection.execute("analyze")
        for (view,) in connection.execute(VIEWS).fetchall():
            query = sql.SQL("explain (analyze, timing off, format json) select * from mart.{}")
            ((plan,),) = connection.execute(query.format(sql.Identifier(view))).fetchall()
            took[view] = (plan[0]["Planning Time"] + plan[0]["Execution Time"]) / 1000
    slow = sorted(took, key=lambda view: -took[view])
    slowest = ", ".join(f"{view} {took[view]:.1f} s" for view in slow[:4])
    within = sum(seconds <= VIEW_SECONDS for seconds in took.values())
    return Row(
        name=f"{firm}: {within} of {len(took)} views whole within {VIEW_SECONDS:.0f} s; slowest {slowest}",
        ours_s=took[slow[0]],
    )


def _run(as_of: date, dsn: str, environ: dict[str, str]) -> Ran:
    """Run ``python -m include run`` with its summary on our output; the step records of the run."""
    command = [sys.executable, "-m", "include", "run", FIRM, "--as-of", as_of.isoformat()]
    before = os.times()
    subprocess.run(command, check=True, cwd=PROJECT, env={"COLUMNS": "150", **environ})
    after = os.times()
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        steps = connection.execute(STEPS, [as_of]).fetchall()
    largest = max(steps, key=lambda step: step["peak_mb"])
    return Ran(
        seconds=after.elapsed - before.elapsed,
        cpu_seconds=(after.children_user + after.children_system)
        - (before.children_user + before.children_system),
        lines=next((step["row_count"] for step in steps if step["step"] == "extract_transactions"), 0),
        step=largest["step"],
        peak_mb=largest["peak_mb"] * 1.048576,
    )


def main(asked: list[str]) -> int:
    """The rows of one source or both, for LARGE or for a given number of customers."""
    sources = tuple(word for word in asked if word in SOURCES) or SOURCES
    sizes = [int(word) for word in asked if word.isdigit()]
    plan = replace(LARGE, customers=sizes[0]) if sizes else LARGE
    for row in rows(plan, sources):
        print({name: value for name, value in asdict(row).items() if value is not None}, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
