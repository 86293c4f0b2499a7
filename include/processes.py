"""Processes that outlive the command that started them: are they alive, and how they end."""

import contextlib
import os
import signal
import time
from pathlib import Path

POLL_SECONDS = 0.05


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    # Containers often have no init that reaps, and signal 0 reaches a zombie.
    return _state(pid) != "Z"


def started_at(pid: int) -> str:
    """When the kernel started the process: with the pid it tells a process from its successor."""
    stat = _stat(pid)
    return stat[19] if stat else ""


def family(leader: int) -> dict[int, str]:
    """The living processes of a session and all their descendants: pid to start."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if (stat := _stat(int(folder.name))) and stat[0] != "Z":
            stats[int(folder.name)] = stat
    members = {pid for pid, stat in stats.items() if leader in (pid, int(stat[3]))}
    children = members
    while children:  # some took a session of their own
        children = {pid for pid, stat in stats.items() if int(stat[1]) in children} - members
        members |= children
    return {pid: stats[pid][19] for pid in members}


def end_sessions(leaders: list[int], *, patience: float) -> set[int]:
    """End sessions and all that came of them; the leaders for which something had to be killed.

    SIGTERM goes to the leaders alone, so that a service may end its own children in order; what is
    left after ``patience`` seconds, anywhere in the family, gets SIGKILL.
    """
    known: dict[int, dict[int, str]] = {leader: family(leader) for leader in leaders}
    for leader in leaders:
        _signal(leader, signal.SIGTERM)
    killed = set()
    deadline = time.monotonic() + patience
    while any(living := [_living(leader, known) for leader in leaders]):
        if time.monotonic() > deadline:
            for leader in leaders:
                for pid in _living(leader, known):
                    killed.add(leader)
                    _signal(pid, signal.SIGKILL)
            if time.monotonic() > deadline + patience:
                raise TimeoutError(f"still alive after SIGKILL: {sorted(set().union(*living))}")
        time.sleep(POLL_SECONDS)
    return killed


def _living(leader: int, known: dict[int, dict[int, str]]) -> list[int]:
    """Who is left of a family, with those born since; an orphan is remembered by its birth."""
    known[leader] |= family(leader)
    return [pid for pid, start in known[leader].items() if is_alive(pid) and started_at(pid) == start]


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _state(pid: int) -> str:
    stat = _stat(pid)
    return stat[0] if stat else ""


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` after the name: state, parent, group, session, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended meanwhile, or a system without /proc
        return []
