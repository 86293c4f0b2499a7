"""No command shows a traceback: every command with invalid arguments, and internal errors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from include.cli import app
from include.command_errors import BAD_INPUT, FAILED, INTERRUPTED, MOST_LINES, BadInputError, report
from include.firms import parse_firm
from include.warehouse import Warehouse
from include.warehouse.firm_rows import FirmRows

PROJECT = Path(__file__).parents[2]
TRACE = "Traceback (most recent call last)"
TEXTS = (
    "",
    " ",
    "nul\0inside",
    "\udcff",  # a byte that is not UTF-8, as the system hands it over
    "9" * 400,
    "1e400",
    "-1",
    "nan",
    "'; drop table x; --",
    "../../etc/passwd",
    "[bold]{}%s$(x)\x1b[31m",
    "a" * 5000,
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "acme",
)
FILES = (
    "folder",
    "missing/file.yaml",
    "unreadable",
    "latin1.yaml",
    "utf16.yaml",
    "nul.yaml",
    "deep.yaml",
    "bomb.yaml",
    "numbers.yaml",
    "tag.yaml",
    "empty",
    "list.yaml",
    "binary.parquet",
    "binary.csv.gz",
    "empty.csv",
    "binary.csv",
    "folder.csv",
)


def commands(group, path=()):
    """Every command with its path, and the kind and names of its parameters."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command.params


COMMANDS = dict(commands(get_command(app)))


@pytest.fixture(scope="module")
def world(module_migrated_dsn, tmp_path_factory):
    """A warehouse with one firm, and a folder of files that no command should be given."""
    home = tmp_path_factory.mktemp("nasty")
    (home / "drop").mkdir()
    row = {
        "firm_key": "acme",
        "name": "Acme",
        "source": {"kind": "csv", "uri": (home / "drop").as_uri(), "layout": "cdnow"},
        "timezone": "UTC",
        "currency": "EUR",
        "working_day_period": 1,
        "churn_threshold_days": 30,
    }
    with Warehouse(module_migrated_dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(row), actor="test")
    (home / "folder").mkdir()
    (home / "folder.csv").mkdir()
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    contents = {
        "unreadable": b"x",
        "latin1.yaml": "name: Caf\xe9\n".encode("latin-1"),
        "utf16.yaml": "firm_key: acme\n".encode("utf-16"),
        "nul.yaml": b"firm_key: a\0b\n",
        "deep.yaml": b"[" * 5000,
        "bomb.yaml": bomb.encode(),
        "numbers.yaml": b"firm_key: acme\nmin_spend: .inf\nmin_orders: 1e400\nretrain_months: "
        + b"9" * 6000
        + b"\nday: 2026-13-45\n",
        "tag.yaml": b"firm_key: !!python/object/apply:os.system [true]\n",
        "empty": b"",
        "list.yaml": b"- 1\n- [a]\n",
        "binary.parquet": b"PAR1" + bytes(range(256)) * 20,
        "binary.csv.gz": b"\x1f\x8b" + bytes(range(256)) * 20,
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 20,
    }
    for name, content in contents.items():
        (home / name).write_bytes(content)
    (home / "unreadable").chmod(0)
    yield home, module_migrated_dsn
    (home / "unreadable").chmod(0o600)


def invoke(words, world, monkeypatch):
    """One command in this process, in the installation of the test."""
    home, dsn = world
    monkeypatch.setenv("FIRMAMENT_HOME", str(home))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", dsn)
    monkeypatch.chdir(home)
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "100"})


def check(result, words):
    """It ended with one of the exit codes, and with a text that a person can read."""
    assert result.exit_code in (0, FAILED, BAD_INPUT), (words, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), words
    assert TRACE not in result.output, words
    assert len(result.stderr.strip().splitlines()) <= MOST_LINES, (words, result.stderr)
    assert not result.exit_code or result.output.strip(), words
    assert "The trace is in" not in result.stderr, (words, result.stderr)  # that would be a fault of ours


def arguments(params, text):
    """The text for each parameter that takes one; flags are given."""
    words = []
    for param in params:
        if param.param_type_name == "argument":
            words.append(text)
        elif getattr(param, "is_flag", False):
            words += param.opts[:1]
        elif param.required or param.name in ("as_of", "out", "report", "also", "to", "role", "columns"):
            words += [param.opts[0], text]
    return words


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_given_any_text_says_what_is_wrong_without_a_traceback(path, world, monkeypatch):
    for text in TEXTS:
        given = arguments(COMMANDS[path], text)
        words = [*path, *given]
        if not given or path == ("migrate",):
            continue

        check(invoke(words, world, monkeypatch), words)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_given_any_text_for_one_of_its_parameters_says_what_is_wrong(path, world, monkeypatch):
    sane = {"firm": "acme", "as_of": "2026-01-01", "first": "2026-01-01", "last": "2026-01-02"}
    for changed in COMMANDS[path]:
        if getattr(changed, "is_flag", False):
            continue
        for text in TEXTS[:-1]:
            words = list(path)
            for param in COMMANDS[path]:
                value = text if param is changed else sane.get(param.name, "x")
                if param is not changed and not param.required:
                    continue
                words += [value] if param.param_type_name == "argument" else [param.opts[0], value]
            if path == ("run",) and changed.name in ("report", "from_step", "only"):
                words += ["--only", "none"]

            check(invoke(words, world, monkeypatch), words)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "words",
    [
        ("try", "{}"),
        ("try", "drop/sales.csv", "--out", "{}/x"),
        ("firms", "add", "--file", "{}"),
        ("report", "acme", "--as-of", "2026-01-01", "--out", "{}"),
        ("run", "acme", "--as-of", "2026-01-01", "--only", "none", "--json", "{}"),
    ],
    ids=" ".join,
)
def test_a_file_that_cannot_be_used_is_refused_by_name(words, name, world, monkeypatch):
    given = [word.format(world[0] / name) for word in words]

    result = invoke(given, world, monkeypatch)

    check(result, given)
    assert result.exit_code == BAD_INPUT, result.output


@pytest.mark.parametrize(
    "environ",
    [
        {"FIRMAMENT_WAREHOUSE_DSN": "postgresql://ada:hunter2@127.0.0.1:1/none"},
        {"FIRMAMENT_WAREHOUSE_DSN": "not a url hunter2"},
        {"FIRMAMENT_WAREHOUSE_DSN": "", "FIRMAMENT_HOME": "/dev/null"},
        {"FIRMAMENT_MEMORY_MB": "much"},
        {"FIRMAMENT_ROOT": "ftp://somewhere"},
        {"FIRMAMENT_REGISTRY": "/dev/null/registry.json"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "words", [("firms", "list"), ("report", "acme", "--as-of", "2026-01-01"), ("doctor",)]
)
def test_a_wrong_setting_is_reported_without_a_traceback(words, environ, world, monkeypatch):
    home, dsn = world
    for name, value in {"FIRMAMENT_HOME": str(home), "FIRMAMENT_WAREHOUSE_DSN": dsn, **environ}.items():
        monkeypatch.setenv(name, value)

    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "100"})

    check(result, words)
    assert "hunter2" not in result.output


def test_an_internal_error_writes_its_traceback_to_the_logs_folder(world, monkeypatch):
    home, _ = world

    def broken(self, firm_key):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(FirmRows, "firm_row", broken)

    result = invoke(["run", "acme", "--as-of", "2026-01-01"], world, monkeypatch)

    first, second = result.stderr.strip().splitlines()
    log = Path(second.removeprefix("The trace is in "))
    assert result.exit_code == FAILED
    assert first == "python -m include failed: ZeroDivisionError: division by zero"
    assert log.parent == home / "logs"
    assert log.stat().st_mode & 0o777 == 0o600
    assert TRACE in log.read_text()


def test_without_an_installation_the_traceback_is_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("include.settings.Settings.warehouse_dsn", lambda self: 1 / 0)

    result = CliRunner().invoke(app, ["dsn"])

    (log,) = tmp_path.glob("firmament-error-*.log")
    assert result.exit_code == FAILED
    assert str(log) in result.stderr
    assert not (tmp_path / "none").exists()


def test_a_long_message_is_shortened_and_complete_in_a_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    lines = [f"row {n} is wrong" for n in range(100)]

    code = report(BadInputError("\n".join(lines)))

    shown = capsys.readouterr().err.splitlines()
    assert code == BAD_INPUT
    assert shown[:4] == lines[:4]
    assert len(shown) == MOST_LINES
    assert Path(shown[4].removeprefix("The whole message is in ")).read_text().splitlines() == lines


def test_usage_errors_exit_2_and_name_the_help(world, monkeypatch):
    for words in (["rum"], ["run"], ["run", "acme", "--as-off", "2026-01-01"], ["firms", "addd"]):
        result = invoke(words, world, monkeypatch)

        check(result, words)
        assert result.exit_code == BAD_INPUT
        assert "--help" in result.stderr


@pytest.mark.parametrize(
    "words", [("include", "firms", "list"), ("include.stack", "health"), ("include.demo",)], ids=" ".join
)
def test_ctrl_c_ends_with_130_and_no_traceback(words):
    # Settings that wait stand for any command that takes long; the rest is the real entry point.
    waiting = """
import runpy, sys, time
from include.settings import Settings
def wait(*given):
    print("waiting", flush=True)
    time.sleep(60)
Settings.read = wait
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", waiting, *words],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    started = process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=30)

    assert started == "waiting\n"
    assert process.returncode == INTERRUPTED
    assert message == "interrupted\n"


def test_text_that_the_terminal_cannot_show_is_escaped(tmp_path):
    environ = {
        **os.environ, "PYTHONIOENCODING": "ascii", "FIRMAMENT_HOME": str(tmp_path), "LC_ALL": "C"
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "include", "run", "ş…", "--as-of", "yesterday"],
        cwd=PROJECT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode in (FAILED, BAD_INPUT)
    assert TRACE not in done.stderr


def test_no_command_is_without_the_handler():
    assert isinstance(get_command(app), app.info.cls)
    assert app.pretty_exceptions_enable is False


def test_ctrl_c_during_try_leaves_no_file(tmp_path):
    # The first step waits; everything before it is the real command.
    waiting = """
import runpy, sys, time
from include.run import preview
def wait(*given, before, **named):
    print("waiting", file=sys.stderr, flush=True)
    time.sleep(60)
preview.compute = wait
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""
    sales = tmp_path / "sales.csv"
    sales.write_text("order,date,customer,total\n1,2024-01-13,a,5.00\n2,2024-02-14,b,6.00\n")
    (tmp_path / "tmp").mkdir()
    words = ["include", "try", str(sales), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-c", waiting, *words],
        cwd=PROJECT, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line == "waiting\n":
            break

    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=30)

    assert process.returncode == INTERRUPTED
    assert message == "interrupted\n"
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(path):
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})

    assert result.exit_code == 0
    assert re.search(r"Example: .*python -m include", " ".join(result.output.split()))


def test_the_help_documents_the_exit_codes():
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})

    for text in ("0: done", "1: failed", "2: ", "3: ", "130: Ctrl-C"):
        assert text in " ".join(result.output.split())
