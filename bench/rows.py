"""One row of the benchmark table, and how its figures are taken."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One comparison.

    ``limit`` is what the row must hold: a ratio to reach, or else megabytes or seconds not to exceed.
    ``share_of_limit`` is how much of that allowance is used, so that 1 or less passes in every row.
    """

    name: str
    ours_s: float | None = None
    peer: str | None = None
    peer_s: float | None = None
    ratio_median: float | None = None
    ratio_min: float | None = None
    peak_mb: float | None = None
    limit: float | None = None
    share_of_limit: float | None = None


def pair(
    name: str,
    ours: Callable[[], object],
    peer_name: str,
    peer: Callable[[], object],
    *,
    rounds: int,
    limit: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Row:
    """Time both sides in turn, ``rounds`` times; ``limit`` is the least ratio peer / ours.

    Ours is warmed once, its imports and tables loaded; the peer, which takes seconds, is not helped by that.
    The minimum ratio is the worst round, not a ratio of minima.
    """
    ours()
    times = [(seconds(ours, clock), seconds(peer, clock)) for _ in range(rounds)]
    ratios = [theirs / mine for mine, theirs in times]
    median = statistics.median(ratios)
    return Row(
        name=name,
        ours_s=statistics.median(mine for mine, _ in times),
        peer=peer_name,
        peer_s=statistics.median(theirs for _, theirs in times),
        ratio_median=median,
        ratio_min=min(ratios),
        limit=limit,
        share_of_limit=limit / median if limit else None,
    )


def seconds(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long ``act`` takes by ``clock``, the wall's unless told."""
    start = clock()
    act()
    return clock() - start


def peak_mb() -> float:
    """The most memory this process has held so far, in megabytes of a million bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike ru_maxrss this starts afresh at exec
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
