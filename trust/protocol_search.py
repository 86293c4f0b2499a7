"""The lane of the handoff protocol: search schedules for violations, and check that it finds planted bugs."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator

from trust import planted, schedules
from trust.scorecard import Line
from trust.world import Violation

SCHEDULES = 100_000
SEEDS_A_BUG = 30_000
BLOCK = 500


def measure(*, schedules_wanted: int = SCHEDULES, first_seed: int = 0) -> Iterator[Line]:
    """The lines of this lane."""
    began = time.monotonic()
    failures = search(first_seed, schedules_wanted)
    note = f"seeds {first_seed} to {first_seed + schedules_wanted - 1}"
    if failures:
        note = f"{failures[0][1]}; steps: python -m trust --seed {failures[0][0]}"
    yield Line(
        "protocol schedules searched, violations",
        schedules_wanted,
        len(failures),
        SCHEDULES,
        time.monotonic() - began,
        note,
    )
    began = time.monotonic()
    found = {bug: planted.caught(bug, range(SEEDS_A_BUG)) for bug in planted.BUGS}
    missed = [bug for bug, catch in found.items() if catch is None]
    slowest = max((catch[0] + 1 for catch in found.values() if catch), default=0)
    yield Line(
        "planted protocol bugs caught by that search",
        len(found),
        len(missed),
        len(planted.BUGS),
        time.monotonic() - began,
        f"missed: {', '.join(missed)}" if missed else f"each within {slowest:,} schedules",
    )


def search(first: int, count: int) -> list[tuple[int, str]]:
    """The seeds from ``first`` on whose schedule breaks an invariant; runs on all processors."""
    blocks = [range(seed, min(seed + BLOCK, first + count)) for seed in range(first, first + count, BLOCK)]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        return [failure for failures in pool.imap(_play, blocks) for failure in failures]


def steps_of(seed: int) -> list[str]:
    """The steps of one schedule, one per line."""
    trace: list[str] = []
    try:
        schedules.run(seed, trace=trace)
    except Violation as violation:
        trace.append(f"VIOLATION {violation}")
    return trace


def _play(seeds: range) -> list[tuple[int, str]]:
    failures = []
    for seed in seeds:
        try:
            schedules.run(seed)
        except Violation as violation:
            failures.append((seed, str(violation)))
    return failures
