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


def session(leader: int) -> list[int]:
    """The living processes of the session that ``leader`` leads or led."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat and stat[3] == str(leader) and stat[0] != "Z":
            members.append(int(folder.name))
    return sorted(members)


def end_session(leader: int, *, patience: float) -> bool:
    """End a session: SIGTERM to its leader, SIGKILL to what is left after ``patience`` seconds.

    Only the leader is told first, so that a service may end its own children in order.
    True when nothing had to be killed.
    """
    _signal(leader, signal.SIGTERM)
    if _wait_for_end(leader, patience):
        return True
    for _ in range(20):  # a child may fork between the listing and the signal
        for pid in session(leader) or ([leader] if is_alive(leader) else []):
            _signal(pid, signal.SIGKILL)
        if _wait_for_end(leader, 1):
            break
    return False


def _wait_for_end(leader: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while session(leader) or is_alive(leader):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


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
