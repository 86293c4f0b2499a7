"""Peak memory and processor time of one step in a process that runs several; returning unused memory."""

from __future__ import annotations

import ctypes
import gc
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): resets VmHWM, the peak resident size, to the current resident size


class Meter:
    """Measures from its creation on: wall seconds, processor seconds, peak resident megabytes."""

    def __init__(self) -> None:
        """Reset the process's peak, where the kernel allows it."""
        self._can_reset = _reset_peak()
        self._wall, self._cpu = time.monotonic(), _cpu()

    @property
    def seconds(self) -> float:
        """Wall seconds so far."""
        return time.monotonic() - self._wall

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of all threads, and of children that have ended, so far."""
        return _cpu() - self._cpu

    @property
    def peak_mb(self) -> float:
        """Peak resident memory so far; of the process's whole life where the peak cannot be reset."""
        if self._can_reset:
            for line in STATUS.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def collecting_new_objects() -> Iterator[None]:
    """Let ``release_unused(is_frozen=True)`` search only objects made since its last call, in this block.

    Searching all objects, most of them of the imported modules, takes 0.1 s of CPU each time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def release_unused(*, is_frozen: bool = False) -> None:
    """Return memory that nothing uses to the system, which the allocators would keep for later."""
    gc.collect()
    if is_frozen:
        gc.freeze()
    pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc
    except (AttributeError, OSError):
        return


def _reset_peak() -> bool:
    try:
        CLEAR.write_text(RESET_PEAK)
    except OSError:
        return False
    return STATUS.exists()


def _cpu() -> float:
    times = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in times)
