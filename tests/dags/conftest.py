"""What the tests of DAG files stand on: a parser in a process of its own, and a real Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.settings import PROJECT

Parse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """Parse the project's DAG files with a registry, as Airflow's DAG processor does."""
    home = tmp_path_factory.mktemp("airflow")

    def parse(registry: Path, *, file: str = "", **environ: str) -> dict[str, Any]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        environ = {
            **kept,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "PYTHONPATH": str(PROJECT),
            "FIRMAMENT_REGISTRY": str(registry),
            **environ,
        }
        report = home / "report.json"
        probe = Path(__file__).with_name("dag_probe.py")
        done = subprocess.run(
            [sys.executable, str(probe), str(PROJECT / "dags" / file), str(report)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(report.read_text())
        return found

    return parse
