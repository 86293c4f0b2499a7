"""The lane of faults that the tests already inject: it runs them and counts their cases."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from trust.scorecard import Line

PROJECT = Path(__file__).resolve().parent.parent
FILES, FIRST_SEED = 300, 91_000
INPUTS = 150
TESTS = {  # name of the line: (cases required, files of tests)
    "runbook commands executed by tests": (
        18,
        ("tests/run/test_runbook_commands.py", "tests/test_runbook.py"),
    ),
    "causes grouped, messages stored and sent once": (
        40,
        (
            "tests/incidents/test_causes.py",
            "tests/incidents/test_incidents.py",
            "tests/incidents/test_delivery.py",
        ),
    ),
    "ambiguous commits, of stores and of the warehouse": (
        20,
        ("tests/handoff/test_faults_of_stores.py", "tests/warehouse/test_commit.py"),
    ),
    "another firm's rows, attempts to read them": (
        500,
        (
            "tests/sql/access",
            "tests/warehouse/test_beside_another_firm.py",
            "tests/console/test_isolation.py",
        ),
    ),
}


def measure() -> Iterator[Line]:
    """The lines of this lane."""
    yield random_files()
    for name, (cases, files) in TESTS.items():
        yield tests(name, cases, [file for file in files if (PROJECT / file).exists()])


def random_files(files: int = FILES) -> Line:
    """Read random sales files whose true totals are known; a wrong total without a warning is a violation."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.intake.random_files", str(files), str(FIRST_SEED)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"tests.intake.random_files: {done.stderr.strip()[-300:]}")
    *_, shares, counts = done.stdout.strip().splitlines()
    outcomes: dict[str, int] = ast.literal_eval(counts)
    return Line(
        "bad inputs, wrong totals without a warning",
        sum(outcomes.values()),
        outcomes.get("wrong", 0),
        INPUTS,
        time.monotonic() - began,
        f"{shares.partition(': ')[2]}; first seed {FIRST_SEED}",
    )


def tests(name: str, cases: int, files: list[str]) -> Line:
    """Run files of tests; each case that passes counts, each that fails is a violation."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="firmament-trust-") as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *files],
            cwd=PROJECT,
            capture_output=True,
            check=False,
        )
        found = ElementTree.parse(report).getroot().iter("testcase")
        results = [{child.tag for child in case} for case in found]
    bad = sum(bool({"failure", "error"} & tags) for tags in results)
    passed = sum(not tags & {"failure", "error", "skipped"} for tags in results)
    return Line(name, passed, bad, cases, time.monotonic() - began, f"cases of {', '.join(files)}")
