"""A thousand firms in a real Airflow: all DAGs are visible, and parsing them costs little.

Takes about ten minutes. FIRMAMENT_SOAK_FIRMS is the number of firms (1,000), FIRMAMENT_SOAK_SHAPE their
``dag_shape`` (staged). The limits are those of docs/scale.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from include import stack
from include.airflow_api import AirflowApi
from include.firms import FirmShape
from include.registry import write_registry
from include.settings import Settings
from include.stack.state import State
from tests.dags.conftest import parse  # noqa: F401 - a fixture

FIRMS = int(os.environ.get("FIRMAMENT_SOAK_FIRMS", "1000"))
SHAPE = os.environ.get("FIRMAMENT_SOAK_SHAPE", "staged")
MOST_PASS_SECONDS = max(5, 24 * FIRMS / 1000)  # processor seconds of one parse of every file
MOST_CORES = 0.2 * FIRMS / 1000  # on average, when nothing has changed
QUIET_SECONDS = 300
PROCESSOR = "dag-processor"


def shapes() -> list[FirmShape]:
    """Firms without a schedule, so that nothing but parsing happens."""
    return [
        FirmShape(
            firm_key=f"f{number:04}",
            name=f"Firm {number:04}",
            timezone="Europe/London",
            working_day_period=0,
            source_kind="csv",
            pool="source_csv",
            dag_shape="compact" if SHAPE == "compact" else "staged",
        )
        for number in range(FIRMS)
    ]


def test_a_parse_of_every_file_is_within_its_limit(parse: Any, tmp_path: Path) -> None:  # noqa: F811
    """Processor seconds of building and serialising every DAG, file by file as Airflow does."""
    write_registry(tmp_path / "registry.json", shapes())
    files = [f"firms_{number}_of_8.py" for number in range(1, 9)]

    found = [parse(tmp_path / "registry.json", file=file) for file in [*files, "upkeep.py", "backfill.py"]]

    seconds = [one["seconds"]["build"] + one["seconds"]["serialize"] for one in found]
    print(f"\nparse of {FIRMS} {SHAPE} firms: {sum(seconds):.1f} CPU s, largest file {max(seconds):.1f}")
    assert sum(name.startswith("firm_") for one in found for name in one["dags"]) == FIRMS
    assert sum(seconds) <= MOST_PASS_SECONDS


@pytest.fixture(scope="module")
def airflow() -> Iterator[tuple[AirflowApi, psutil.Process]]:
    """A stack with the firms' registry: its API, and the process that parses."""
    home = Path(tempfile.mkdtemp(prefix="firmament-soak-"))
    home.chmod(0o755)
    environ = {
        name: text for name, text in os.environ.items() if not name.startswith(("AIRFLOW", "FIRMAMENT"))
    }
    settings = Settings.read({**environ, "FIRMAMENT_HOME": str(home), "FIRMAMENT_UP_SECONDS": "600"})
    try:
        up = stack.up(settings)
        api = AirflowApi(up.url, up.user, up.password)
        # Upkeep would write the registry of the warehouse, which has no firms.
        while not api.has_dag("firmament_upkeep"):
            time.sleep(1)
        active = "/api/v2/dags/firmament_upkeep/dagRuns?state=queued&state=running"
        while api.call("GET", active)["dag_runs"]:  # tasks of a paused DAG would never start
            time.sleep(1)
        api.call("PATCH", "/api/v2/dags/firmament_upkeep", {"is_paused": True})
        write_registry(settings.registry, shapes())
        state = State.read(settings)
        assert state is not None
        (process,) = [one for one in state.processes if PROCESSOR in one.name]
        yield api, psutil.Process(process.pid)
    finally:
        stack.down(settings)
        shutil.rmtree(home, ignore_errors=True)


def spent(process: psutil.Process) -> float:
    """Processor seconds of the process, its children and those that have ended."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def dags(api: AirflowApi) -> int:
    """How many DAGs of firms Airflow shows."""
    return int(api.call("GET", "/api/v2/dags?limit=1&tags=csv")["total_entries"])


@pytest.mark.timeout(3600)
def test_all_dags_are_visible_and_stay_so_at_little_cost(
    airflow: tuple[AirflowApi, psutil.Process],
) -> None:
    """All firms are visible; while nothing changes none disappears, and parsing costs little."""
    api, process = airflow
    began, before = time.monotonic(), spent(process)
    while dags(api) < FIRMS and time.monotonic() - began < 1800:
        time.sleep(2)
    print(
        f"\n{dags(api)} DAGs visible after {time.monotonic() - began:.0f} s and "
        f"{spent(process) - before:.0f} CPU s of the DAG processor"
    )
    assert dags(api) == FIRMS

    began, before, fewest = time.monotonic(), spent(process), FIRMS
    while time.monotonic() - began < QUIET_SECONDS:
        time.sleep(5)
        fewest = min(fewest, dags(api))
    cores = (spent(process) - before) / (time.monotonic() - began)
    versions = api.call("GET", "/api/v2/dags/firm_f0000/dagVersions")["total_entries"]
    print(f"nothing changed: {cores:.2f} cores, {fewest} DAGs at least, {versions} version of a DAG")
    assert fewest == FIRMS
    assert versions == 1
    assert cores <= MOST_CORES
