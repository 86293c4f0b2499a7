"""The lane of a firm's steps: processes killed, a database that crashes, two writers at once.

Each line compares all facts with those of a run without faults. A fault point that never fires is a
violation.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from include import faults, postgres
from include.steps import Step
from trust.installation import (
    DAYS,
    STEPS,
    Installation,
    differing,
    ended,
    is_stopped,
    resume,
    server_with_shop,
)
from trust.scorecard import Line

SEED = 5
KILLS, CRASHES, WRITERS = 150, 10, 50
MOST_VISITS = 4  # kills per step and point, spread over its visits
ELSEWHERE = ("erase.", "outbox.", "handoff.before_delete")  # fired by tests of erasure, webhooks and upkeep
LOCKED = ("warehouse.before_copy", "warehouse.before_commit")  # a writer that stops here holds a lock

Visits = dict[tuple[date, str], dict[str, int]]


def measure(*, days: tuple[date, ...] = DAYS, share: float = 1.0) -> Iterator[Line]:
    """The lines of this lane; a ``share`` below 1 samples the kills and the writers."""
    draw = random.Random(SEED)
    with server_with_shop() as (folder, server):
        visits, wanted = counted_run(Installation(folder / "clean", server), days)
        yield from kills(Installation(folder / "killed", server), visits, wanted, draw, share)
        yield crashes(Installation(folder / "crashed", server), folder, visits, wanted, draw)
        yield writers(Installation(folder / "doubled", server), visits, wanted, draw, share)


def counted_run(clean: Installation, days: tuple[date, ...]) -> tuple[Visits, dict[str, Any]]:
    """Run all steps without a fault: visits of each point, and the facts."""
    visits = {(day, step.name): clean.visits(step, day) for day in days for step in STEPS}
    return visits, clean.facts()


def kills(
    killed: Installation, visits: Visits, wanted: Mapping[str, Any], draw: random.Random, share: float
) -> Iterator[Line]:
    """Kill each step at its fault points, one after the other, then let it finish."""
    began, count, bad, fired, notes = time.monotonic(), 0, 0, set[str](), []
    for (day, name), points in visits.items():
        step = _step(name)
        for point, most in points.items():
            for visit in sorted(draw.sample(range(1, most + 1), min(most, MOST_VISITS))):
                if draw.random() >= share:
                    continue
                count += 1
                status = ended(killed.start(step, day, fault=f"{point}:{visit}:kill9"))
                fired.add(point)
                # An attempt that finds the work of a killed one done, such as a fitted model, ends before.
                if status not in (-9, 0):
                    bad += 1
                    notes.append(f"{name}: {point}:{visit} ended with {status}")
                count -= status == 0
        if status := killed.run(step, day):
            bad += 1
            notes.append(f"{name} of {day} did not recover: {status}")
    unlike = differing(killed.facts(), dict(wanted))
    note = "; ".join([*notes[:3], *([f"facts differ: {', '.join(unlike)}"] if unlike else [])])
    yield Line(
        "kill points injected, survived",
        count,
        bad + len(unlike),
        KILLS,
        time.monotonic() - began,
        note or f"{len(fired)} points in {len(STEPS)} steps, local store, seed {SEED}",
    )
    expected = {point for point in faults.POINTS if not point.startswith(ELSEWHERE)}
    silent = sorted(expected - fired)
    yield Line(
        "points registered but never fired",
        len(expected),
        len(silent),
        len(expected),
        0.0,
        ", ".join(silent) or f"without {', '.join(ELSEWHERE)}",
    )


def crashes(
    crashed: Installation, folder: Path, visits: Visits, wanted: Mapping[str, Any], draw: random.Random
) -> Line:
    """Crash PostgreSQL while a load is stopped at a point; then run the step again."""
    began, count, bad, notes = time.monotonic(), 0, 0, []
    places = [
        (key, point)
        for key, points in visits.items()
        for point in points
        if point.startswith(("warehouse.", "publish."))
    ]
    chosen = set(draw.sample(places, min(len(places), CRASHES + 5)))
    for (day, name), points in visits.items():
        step = _step(name)
        for point in points:
            if ((day, name), point) not in chosen:
                continue
            child = crashed.start(step, day, fault=f"{point}:1:stop", log=crashed.home / "log")
            if is_stopped(child):
                count += 1
                postgres.stop(folder / "postgres", mode="immediate")
                postgres.start(folder / "postgres")
                resume(child)
            else:
                bad += 1
                notes.append(f"{name}: {point} was not reached")
        if status := crashed.run(step, day):
            bad += 1
            notes.append(f"{name} of {day} did not recover: {status}")
    unlike = differing(crashed.facts(), dict(wanted))
    notes += [f"facts differ: {', '.join(unlike)}"] if unlike else []
    return Line(
        "Postgres crashes, wrong rows",
        count,
        bad + len(unlike),
        CRASHES,
        time.monotonic() - began,
        "; ".join(notes[:3]),
    )


def writers(
    doubled: Installation, visits: Visits, wanted: Mapping[str, Any], draw: random.Random, share: float
) -> Line:
    """Stop a step at a point, let a second attempt finish, then let the first one go on."""
    began, count, bad, late, notes = time.monotonic(), 0, 0, 0, []
    for (day, name), points in visits.items():
        step = _step(name)
        usable = [point for point in points if point not in LOCKED and not point.startswith("publish.")]
        if not usable or draw.random() >= share:
            doubled.run(step, day)
            continue
        point = draw.choice(usable)
        visit = draw.randint(1, points[point])
        first = doubled.start(step, day, fault=f"{point}:{visit}:stop")
        if not is_stopped(first):
            bad += 1
            notes.append(f"{name}: {point}:{visit} was not reached")
        elif status := doubled.run(step, day):
            bad += 1
            notes.append(f"{name}: the second attempt ended with {status}")
            resume(first)
        else:
            count += 1
            late += resume(first) != 0
    unlike = differing(doubled.facts(), dict(wanted))
    notes += [f"facts differ: {', '.join(unlike)}"] if unlike else []
    return Line(
        "double writers, divergent facts",
        count,
        bad + len(unlike),
        WRITERS,
        time.monotonic() - began,
        "; ".join(notes[:3]) or f"{late} of the first attempts were refused, the others changed nothing",
    )


def _step(name: str) -> Step:
    return next(step for step in STEPS if step.name == name)
