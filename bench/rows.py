"""One row of the benchmark table, and its measurement."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One comparison.

    ``limit`` is the least ratio, or the most megabytes or seconds. ``share_of_limit`` is the used part of the
    limit: every row passes at 1 or less.
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
    """Time both sides alternately, ``rounds`` times; ``limit`` is the least ratio peer / ours.

    Ours runs once before, to load imports and tables; the peer takes seconds, so this makes no difference
    to it. The minimum ratio is that of the worst round, not a ratio of minima.
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
    """The duration of ``act`` by ``clock`` (default: wall-clock time)."""
    start = clock()
    act()
    return clock() - start


def peak_mb() -> float:
    """The peak memory of this process so far, in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike ru_maxrss, exec resets this value
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
