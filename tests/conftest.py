"""What many tests stand on: a clean environment, and a real PostgreSQL started once a session."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from include import postgres
from include.warehouse import migrate
from tests.s3 import handoff_root, s3_server

__all__ = ["handoff_root", "s3_server"]

# Tests must not see the stack of whoever runs them, and Airflow, which configures itself when it is first
# imported, must write nothing in their home.
for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "FIRMAMENT_"))]:
    del os.environ[name]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="firmament-airflow-")
os.environ["FIRMAMENT_HOME"] = tempfile.mkdtemp(prefix="firmament-home-")  # `make demo` leaves services there
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] = "False"
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
atexit.register(shutil.rmtree, os.environ["FIRMAMENT_HOME"], ignore_errors=True)


# Waits for the tests' process to be gone, however it went: then its end of the pipe is closed.
ENDS_THE_SERVER = """
import shutil, sys
from pathlib import Path
from include import postgres
sys.stdin.read()
postgres.stop(Path(sys.argv[1]), mode="immediate")
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
LONG = ("dags", "run", "models", "quality", "trust")  # rooms where one file may take a minute


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, Airflow before all: else one core ends with it alone.

    A file is one core's, and the next file goes to the core that is free.
    """
    here = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("airflow"):
            return 0
        return 1 if item.path.relative_to(here).parts[0] in LONG else 2

    items.sort(key=rank)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A real embedded server in a folder of its own; its superuser owns everything."""
    # Not pytest's own folder: its parents are closed to `nobody`, who runs the server for root.
    folder = Path(tempfile.mkdtemp(prefix="firmament-postgres-"))
    folder.chmod(0o755)
    # A test database need not outlive the machine's power, only the server's crash.
    options = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
    heir = subprocess.Popen(
        [sys.executable, "-c", ENDS_THE_SERVER, str(folder)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield postgres.start(folder, options=options)
    finally:
        postgres.stop(folder, mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)
        heir.kill()
        heir.communicate()


@pytest.fixture(scope="session")
def migrated(postgres_server: postgres.Server) -> str:
    """Name of a migrated database that nobody is connected to, to copy from."""
    migrate(postgres.create_database(postgres_server, "migrated_template"))
    return "migrated_template"


def _database(server: postgres.Server, template: str | None = None) -> Iterator[str]:
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    dsn = postgres.create_database(server, name, template=template)
    try:
        yield dsn
    finally:
        postgres.drop_database(server, name)


@pytest.fixture
def warehouse_dsn(postgres_server: postgres.Server) -> Iterator[str]:
    """The URL of an empty database that is this test's alone."""
    yield from _database(postgres_server)


@pytest.fixture(scope="module")
def module_warehouse_dsn(postgres_server: postgres.Server) -> Iterator[str]:
    """The URL of an empty database that the tests of one module share."""
    yield from _database(postgres_server)


@pytest.fixture(scope="module")
def module_migrated_dsn(postgres_server: postgres.Server, migrated: str) -> Iterator[str]:
    """The URL of a migrated warehouse that the tests of one module share."""
    yield from _database(postgres_server, migrated)


@pytest.fixture
def migrated_dsn(postgres_server: postgres.Server, migrated: str) -> Iterator[str]:
    """The URL of a migrated warehouse that is this test's alone."""
    yield from _database(postgres_server, migrated)
