"""An Airflow that is too old is refused with the reason; a package's metadata says which is installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from include.airflow_version import OLDEST, require_airflow
from include.firms import FirmShape
from include.registry import write_registry
from include.settings import PROJECT
from include.shards import shard_of

SHAPE = {
    "firm_key": "acme", "name": "Acme", "timezone": "UTC", "working_day_period": 1, "source_kind": "csv",
    "pool": "source_csv",
}  # fmt: skip


def run(tmp_path: Path, installed: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the metadata of Airflow's package names another version, as after an install of it."""
    folder = tmp_path / f"apache_airflow_core-{installed}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: apache-airflow-core\nVersion: {installed}\n"
    )
    registry = tmp_path / "registry.json"
    write_registry(registry, [FirmShape.model_validate(SHAPE)])
    environ = os.environ | {
        "PYTHONPATH": f"{tmp_path}:{PROJECT}:{PROJECT / 'dags'}:{PROJECT / 'plugins'}",
        "FIRMAMENT_HOME": str(tmp_path / "home"),
        "FIRMAMENT_REGISTRY": str(registry),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
    }
    return subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=environ, capture_output=True, text=True, check=False
    )


REQUIRE = ("-c", "from include.airflow_version import require_airflow; print(require_airflow())")
SHARD = ("-c", f"import firms_{shard_of('acme', 8)}_of_8")


@pytest.mark.parametrize("installed", ["2.11.0", "3.0.6", "3.2.1", "3.2.1rc1"])
def test_an_older_airflow_is_refused_with_the_reason(tmp_path, installed):
    done = run(tmp_path, installed, *REQUIRE)

    assert done.returncode == 1
    assert f"Airflow 3.2.2 or newer is needed, and {installed} is installed" in done.stderr
    assert "CVE-2026-45426" in done.stderr


@pytest.mark.parametrize("installed", ["3.2.2", "3.3.0", "3.10.0", "4.0.0b1"])
def test_a_supported_airflow_is_accepted(tmp_path, installed):
    done = run(tmp_path, installed, *REQUIRE)

    assert done.stdout.strip() == installed, done.stderr


def test_the_stack_does_not_start_with_an_older_airflow(tmp_path):
    done = run(tmp_path, "3.2.1", "-m", "include.stack", "up")

    assert done.returncode == 1
    assert done.stderr.startswith("up: Airflow 3.2.2 or newer is needed")
    assert not (tmp_path / "home").exists()


def test_no_dag_is_built_on_an_older_airflow(tmp_path):
    done = run(tmp_path, "3.2.1", *SHARD)

    assert done.returncode == 1
    assert "AirflowTooOldError: Airflow 3.2.2 or newer is needed" in done.stderr


@pytest.mark.parametrize("file", ["firm_dag", "upkeep"])
def test_a_dag_file_refuses_it_before_it_imports_what_an_older_airflow_lacks(tmp_path, file):
    code = f"""import sys
try:
    import {file}
except RuntimeError as error:
    print(type(error).__name__, "airflow" in sys.modules)
"""

    done = run(tmp_path, "3.1.8", "-c", code)

    assert done.stdout.strip() == "AirflowTooOldError False", done.stderr


def test_the_locked_airflow_is_accepted_and_ci_tests_the_oldest():
    oldest = ".".join(map(str, OLDEST))
    workflow = yaml.safe_load((PROJECT / "examples" / "ci" / "github-actions.yaml").read_text())
    (locked,) = re.findall(r"^apache-airflow==(\S+)", (PROJECT / "requirements.in").read_text(), re.M)

    assert require_airflow() == locked
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["airflow"][0] == oldest
