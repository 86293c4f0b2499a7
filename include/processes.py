"""Processes that outlive the command that started them: are they alive, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
KILL_SECONDS = 5.0  # for the kernel to end what got SIGKILL
TICKS = os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        # Containers often have no init that reaps, and signal 0 reaches a zombie.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # another user's


def started_at(pid: int) -> str:
    """When the kernel started the process: with the pid it tells a process from its successor.

    In clock ticks since boot: the time of day that psutil gives moves with the clock.
    """
    try:
        return str(round((psutil.Process(pid).create_time() - psutil.boot_time()) * TICKS))
    except psutil.Error:  # ended meanwhile
        return ""


def folder_of(pid: int) -> Path | None:
    """The working directory of a process; None when it has ended, PermissionError when another user's."""
    try:
        return Path(psutil.Process(pid).cwd())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied as error:
        raise PermissionError(str(error)) from None


def family(leader: int) -> dict[int, str]:
    """The living processes of a session and all their descendants: pid to start."""
    parents: dict[int, int] = {}
    for process in psutil.process_iter(["ppid", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            parents[process.pid] = process.info["ppid"]
    members = {pid for pid in parents if leader in (pid, _session(pid))}
    children = members
    while children:  # some took a session of their own
        children = {pid for pid, parent in parents.items() if parent in children} - members
        members |= children
    return {pid: start for pid in members if (start := started_at(pid))}


def end_sessions(leaders: list[int], *, patience: float) -> set[int]:
    """End sessions and all that came of them; the leaders for which something had to be killed.

    SIGTERM goes to the leaders alone, so that a service may end its own children in order; what is
    left after ``patience`` seconds, anywhere in the family, gets SIGKILL.
    """
    known: dict[int, dict[int, str]] = {leader: family(leader) for leader in leaders}
    for leader in leaders:
        _signal(leader, signal.SIGTERM)
    killed: set[int] = set()
    deadline, give_up = time.monotonic() + patience, float("inf")
    while any(living := [_living(leader, known) for leader in leaders]):
        if time.monotonic() > give_up:
            raise TimeoutError(f"still alive after SIGKILL: {sorted(set().union(*living))}")
        if time.monotonic() > deadline:
            for leader in leaders:
                for pid in _living(leader, known):
                    killed.add(leader)
                    _signal(pid, signal.SIGKILL)
            # From the first kill on: on a busy machine, listing the processes may take long.
            give_up = min(give_up, time.monotonic() + max(patience, KILL_SECONDS))
        time.sleep(POLL_SECONDS)
    return killed


def _living(leader: int, known: dict[int, dict[int, str]]) -> list[int]:
    """Who is left of a family, with those born since; an orphan is remembered by its birth."""
    known[leader] |= family(leader)
    return [pid for pid, start in known[leader].items() if is_alive(pid) and started_at(pid) == start]


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:  # ended meanwhile
        return None
