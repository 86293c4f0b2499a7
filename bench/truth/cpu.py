"""CPU of training and scoring, of this version and of 6ebb6e7: ``python -m bench.truth.cpu``.

Both sides run ``train_and_score.py`` on the same files, each in its own process with the code of its commit.
The earlier code is taken from git into a temporary folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from bench import sales
from bench.truth.bars import Bar
from bench.truth.cases import FIRMS, ZONES

PROJECT = Path(__file__).resolve().parent.parent.parent
EARLIER = "6ebb6e7"
MOST = 2.0
ROUNDS = 1
SCRIPT = Path(__file__).with_name("train_and_score.py")


class Task(NamedTuple):
    """One firm trained and scored at one anchor."""

    firm: str
    anchor: date
    churn_days: int


TASKS = (
    Task("complete_journey", date(2017, 12, 1), 30),
    Task("cdnow", date(1998, 4, 1), 90),
    Task("charity", date(2014, 1, 1), 365),
    Task("grocer", date(2025, 7, 1), 60),
)


def measure() -> Iterator[Bar]:
    """The bar, from the CPU seconds of all tasks; not measured without the earlier commit."""
    text = f"CPU of training and scoring is at most twice that of {EARLIER}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            earlier = _check_out(folder / "earlier")
        except subprocess.CalledProcessError as error:
            yield Bar(
                text,
                None,
                None,
                None,
                note=f"git cannot check out {EARLIER}: {error.stderr.decode().strip()}",
            )
            return
        cases = {}
        for task in TASKS:
            (folder / task.firm).mkdir()
            try:
                files = FIRMS[task.firm](folder / task.firm)
            except FileNotFoundError:
                continue
            cases[task.firm] = {
                side: _run(task, files, code, folder / f"{task.firm}-{side}")
                for side, code in (("now", PROJECT), ("then", earlier))
            }
            print(f"cpu {task.firm}: {_total(cases[task.firm]['now']):.1f} s, then "
                  f"{_total(cases[task.firm]['then']):.1f} s", flush=True)  # fmt: skip
    ratios = {firm: _total(of["now"]) / _total(of["then"]) for firm, of in cases.items()}
    total = sum(_total(of["now"]) for of in cases.values()) / sum(_total(of["then"]) for of in cases.values())
    note = f"all firms together; by firm {', '.join(f'{firm} {ratio:.2f}' for firm, ratio in ratios.items())}"
    yield Bar(text, total, None, total <= MOST, cases, note)


def _total(took: dict[str, float]) -> float:
    return sum(took.values())


def _check_out(folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", EARLIER, "include"], cwd=PROJECT, check=True, capture_output=True, text=False
    )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def _run(task: Task, files: sales.Files, code: Path, scratch: Path) -> dict[str, float]:
    """CPU seconds by part: of each, the lowest of the rounds."""
    found: dict[str, float] = {}
    for number in range(ROUNDS):
        asked: dict[str, Any] = {
            "files": {dataset.name: [str(path) for path in paths] for dataset, paths in files.items()},
            "anchor": task.anchor.isoformat(),
            "churn_days": task.churn_days,
            "timezone": ZONES.get(task.firm, "UTC"),
            "scratch": str(scratch / str(number)),
        }
        done = subprocess.run(
            [sys.executable, "-P", "-W", "ignore", SCRIPT, json.dumps(asked)],
            cwd=code,
            env={**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        for name, seconds in json.loads(done.stdout.splitlines()[-1]).items():
            found[name] = min(found.get(name, seconds), seconds)
    return found


if __name__ == "__main__":
    for bar in measure():
        print(json.dumps(bar._asdict(), indent=1))
