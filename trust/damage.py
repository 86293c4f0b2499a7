"""The lane of damaged handoffs and of replays in another order and another environment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from include.datasets import Dataset
from include.datasets.extracted import rejected_of
from include.handoff import Handoff, HandoffError, Slot
from include.handoff.manifest import FILE
from include.slices import Slice
from trust.installation import (
    DAYS,
    FIRM,
    STEPS,
    Installation,
    clean_run,
    differing,
    server_with_shop,
)
from trust.scorecard import Line

SEED = 7
DAMAGED, REPLAYS = 200, 10
ENVIRONMENTS = (  # time zone, locale, seed of Python's hashes, threads
    {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2"},
    {"TZ": "Pacific/Auckland", "LC_ALL": "POSIX", "PYTHONHASHSEED": "3", "OMP_NUM_THREADS": "3"},
    {"TZ": "Etc/GMT+12", "LC_ALL": "C", "PYTHONHASHSEED": "4", "OMP_NUM_THREADS": "4"},
    {"TZ": "Europe/Istanbul", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "5", "OMP_NUM_THREADS": "1"},
)


def measure(*, damaged: int = DAMAGED, replays: int = REPLAYS) -> Iterator[Line]:
    """The lines of this lane."""
    with server_with_shop() as (folder, server):
        clean = Installation(folder / "clean", server)
        wanted = clean_run(clean)
        yield damages(clean.home / "handoffs", folder / "scratch", damaged)
        began, bad, notes = time.monotonic(), 0, []
        for number in range(replays):
            replayed = Installation(folder / f"replay{number}", server)
            days = DAYS if number % 2 else DAYS[::-1]
            environ = ENVIRONMENTS[number // 2 % len(ENVIRONMENTS)]
            _replay(replayed, days, environ)
            if unlike := differing(replayed.facts(), wanted):
                bad += 1
                notes.append(f"{environ}, {', '.join(map(str, days))}: {', '.join(unlike)}")
        yield Line(
            "replay: orders tried, different hashes",
            replays,
            bad,
            REPLAYS,
            time.monotonic() - began,
            "; ".join(notes[:3]) or "two orders of days, five environments",
        )


def damages(root: Path, scratch: Path, wanted: int) -> Line:
    """Damage one file at a time and read its slot: each read must be refused."""
    began, draw = time.monotonic(), random.Random(SEED)
    kinds: tuple[Callable[[bytes, random.Random], bytes], ...] = (_flipped, _cut, _swapped)
    known = {dataset.name: dataset for dataset in _datasets()}
    slots = sorted(path.parent for path in root.rglob(FILE) if path.parent.parent.name in known)
    accepted, count = [], 0
    while count < wanted:
        folder = draw.choice(slots)
        slot = Slot(FIRM, known[folder.parent.name], Slice.of_folder(folder.name))
        if slot.dataset.by == "month" and slot.slice.month is None:
            continue  # a list of months, which has no rows
        list(Handoff(root.as_uri(), scratch=scratch).read(slot))  # undamaged, it can be read
        found = Handoff(root.as_uri(), scratch=scratch).manifest(slot)
        assert found is not None
        victim = folder / draw.choice([FILE, *(part.name for part in found.parts)])
        before = victim.read_bytes()
        after = draw.choice(kinds)(before, draw)
        if after == before:
            continue
        count += 1
        victim.chmod(0o600)
        victim.write_bytes(after)
        try:
            list(Handoff(root.as_uri(), scratch=scratch).read(slot))
            accepted.append(str(victim.relative_to(root)))
        except HandoffError:
            pass
        finally:
            victim.write_bytes(before)
    return Line(
        "corrupted bytes, silently accepted",
        count,
        len(accepted),
        DAMAGED,
        time.monotonic() - began,
        ", ".join(accepted[:3]) or f"one bit, a shorter file, or two blocks changed; seed {SEED}",
    )


def _datasets() -> Iterator[Dataset]:
    for step in STEPS:
        if step.writes is not None:
            yield step.writes
            if step.kind_name == "extract":
                yield rejected_of(step.writes)


def _flipped(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def _swapped(data: bytes, draw: random.Random) -> bytes:
    size = draw.randint(1, max(len(data) // 3, 1))
    return data[size : 2 * size] + data[:size] + data[2 * size :]


def _replay(replayed: Installation, days: tuple[date, ...], environ: dict[str, str]) -> None:
    """Run the firm for the days by the command, in an environment of its own."""
    for day in days:
        done = subprocess.run(
            [sys.executable, "-m", "include", "run", FIRM, "--as-of", day.isoformat()],
            env={**os.environ, **replayed.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"run of {day} in {environ}: {done.stderr.strip()[-400:]}")
