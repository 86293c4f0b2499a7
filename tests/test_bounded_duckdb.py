"""Every DuckDB of the project is locked, and bounded by FIRMAMENT_MEMORY_MB."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from include.bounded_duckdb import open_database
from include.quality import gate
from include.settings import PROJECT
from tests.sources.conftest import drop

__all__ = ["drop"]

FOLDERS = ("include", "dags", "plugins", "bench", "trust")
OPENER = "include/bounded_duckdb.py"
RECOUNT = "bench/statements"  # counts simulated sales again, without the code that it checks


def opened_in(text: str) -> set[str]:
    """Calls that open a database: a function of the module ``duckdb``, by whatever name it was imported."""
    tree, modules, functions = ast.parse(text), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "duckdb"}
        elif isinstance(node, ast.ImportFrom) and node.module == "duckdb":
            functions |= {alias.asname or alias.name for alias in node.names if alias.name[0].islower()}
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    of_module = {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute)
        and isinstance(call.value, ast.Name)
        and call.value.id in modules
        and call.attr[0].islower()
    }
    return of_module | {call.id for call in calls if isinstance(call, ast.Name) and call.id in functions}


def test_one_module_alone_opens_a_database():
    files = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py")]
    files = [path for path in files if not path.is_relative_to(PROJECT / RECOUNT)]

    found = {str(path.relative_to(PROJECT)): opened_in(path.read_text()) for path in files}

    assert {name: calls for name, calls in found.items() if calls} == {OPENER: {"connect"}}


@pytest.mark.parametrize(
    "text",
    [
        "import duckdb\nduckdb.connect()",
        "import duckdb as d\nd.sql('select 1')",
        "from duckdb import connect as c\nc()",
        "def f():\n    import duckdb\n    return duckdb.read_parquet('x')",
    ],
)
def test_every_way_to_open_a_database_is_found(text):
    assert opened_in(text)


@pytest.fixture(params=["engine", "gate", "csv"])
def database(request, tmp_path, monkeypatch):
    """The database of each user of DuckDB, under 100 MB, and the megabytes that it may hold."""
    monkeypatch.setenv("FIRMAMENT_MEMORY_MB", "100")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "file.txt").write_text("given")
    if request.param == "engine":
        made = open_database(spill=tmp_path / "spill", threads=1, files=[tmp_path / "given" / "file.txt"])
        yield made, 100
        made.close()
    elif request.param == "gate":
        made = gate.open_slices([tmp_path / "given" / "file.txt"], spill=tmp_path / "spill")
        yield made, 50
        made.close()
    else:
        source = request.getfixturevalue("drop").source("cdnow")
        with source._database(tmp_path / "given", tmp_path / "spill") as made:
            yield made, 75


def test_it_is_bounded_by_the_setting(database):
    opened, megabytes = database

    (limit,) = opened.execute("select value from duckdb_settings() where name = 'memory_limit'").fetchone()

    assert float(limit.removesuffix(" MiB")) == pytest.approx(megabytes * 1e6 / 2**20, abs=0.1)


def test_it_reads_what_it_was_given(database, tmp_path):
    opened, _ = database

    (content,) = opened.execute(
        "select content from read_text($path)", {"path": str(tmp_path / "given" / "file.txt")}
    ).fetchone()

    assert content == "given"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy (select 1) to '/tmp/stolen.csv'",
        "attach '/tmp/stolen.db'",
        "install httpfs",
        "load httpfs",
        "set memory_limit = '64GB'",
        "set enable_external_access = true",
    ],
)
def test_it_reads_writes_and_changes_nothing_else(database, sql):
    opened, _ = database

    with pytest.raises(duckdb.Error, match=r"Permission|disabled|locked|not found|does not exist"):
        opened.execute(sql).fetchall()
    assert not list(Path("/tmp").glob("stolen.*"))


def test_its_cursors_are_in_utc_whatever_the_machine(tmp_path):
    code = (
        "import sys; from pathlib import Path; from include.bounded_duckdb import open_database; "
        "opened = open_database(spill=Path(sys.argv[1]), threads=1); "
        "zone = \"select current_setting('TimeZone')\"; "
        "print([c.execute(zone).fetchone()[0] for c in (opened, opened.cursor())])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "['UTC', 'UTC']"
