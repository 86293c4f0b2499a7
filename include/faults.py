"""Fault points, where a test may make this process fail; and steps that end with their supervisor.

``FIRMAMENT_FAULT=name:n:action`` makes the n-th visit to a point do ``action``; without it a point
costs one look at a variable. Every point is in ``POINTS``, so that a test can prove that each one fires.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import sys
import time
from types import FrameType

VARIABLE = "FIRMAMENT_FAULT"
ACTIONS = ("kill9", "raise", "hang", "enospc", "slow", "stop")
SLOW_SECONDS = 2.0

POINTS = {
    "step.before_work": "A step has its token and has read nothing yet.",
    "step.before_finish": "A step has done all its work; that it ended is not written down.",
    "store.before_call": "Before each call to the handoff store.",
    "store.after_call": "After each call to the handoff store, before its answer is used.",
    "handoff.after_part": "A part file has landed.",
    "handoff.before_commit": "All parts have landed and are durable; no manifest names them.",
    "handoff.after_commit": "The manifest is in the store; the writer has not heard of it.",
    "handoff.after_fetch": "A reader has a verified part.",
    "handoff.before_delete": "The collector is about to delete a file.",
    "extract.after_month": "One month has been read and committed.",
    "warehouse.before_copy": "A load's transaction is open and its staging table is empty.",
    "warehouse.before_commit": "A load is staged, checked and about to commit.",
    "warehouse.after_commit": "A load has committed; the loader has not heard of it.",
    "publish.after_table": "One table of the firm's own database is written; nothing is committed.",
    "publish.before_commit": "All of the firm's tables are written and about to be committed.",
    "publish.after_commit": "The firm's tables are committed; the writer has not heard of it.",
    "erase.after_suppression": "A customer's suppression hash is recorded; nothing else has been erased.",
    "erase.after_slice": "One slice of the handoffs has been searched, and written anew if it had to be.",
    "erase.before_commit": "The customer is out of every table and about to be committed.",
    "erase.after_commit": "The warehouse has forgotten the customer; nothing was searched yet.",
    "outbox.before_commit": "Changes are enqueued and about to be committed.",
    "outbox.before_mark": "A webhook has answered; the answer is not recorded.",
}

_visits: dict[str, int] = {}


class InjectedFault(RuntimeError):  # noqa: N818 - the glossary's word
    """A fault that a test asked for."""


class Stopped(SystemExit):
    """SIGTERM reached this step: end now, with the exit status a shell expects."""


def point(name: str) -> None:
    """Fail here when ``FIRMAMENT_FAULT`` says so."""
    wish = os.environ.get(VARIABLE)
    if not wish:
        return
    if name not in POINTS:
        raise KeyError(f"no fault point {name!r}; add it to POINTS in include/faults.py")
    target, count, action = _parse(wish)
    if target != name:
        return
    _visits[name] = _visits.get(name, 0) + 1
    if _visits[name] == count:
        _act(name, action)


def _parse(wish: str) -> tuple[str, int, str]:
    try:
        name, count, action = wish.split(":")
        if name in POINTS and int(count) > 0 and action in ACTIONS:
            return name, int(count), action
    except ValueError:
        pass
    raise ValueError(
        f"{VARIABLE}={wish!r} is not NAME:N:ACTION with a name of {sorted(POINTS)}, "
        f"N from 1 and an action of {list(ACTIONS)}"
    )


def _act(name: str, action: str) -> None:
    print(f"fault: {action} at {name}", file=sys.stderr, flush=True)
    if action == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise InjectedFault(f"injected at {name}")
    elif action == "enospc":
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (injected at {name})")
    elif action == "stop":  # until somebody sends SIGCONT: a zombie
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "slow":
        time.sleep(SLOW_SECONDS)
    elif action == "hang":
        while True:
            time.sleep(3600)


def die_with_parent(parent: int | None = None) -> None:
    """Let the kernel kill this process when the one that started it ends, and let SIGTERM raise ``Stopped``.

    Airflow's own kill does not stop a task: a supervisor that dies leaves its child working, and
    SIGTERM is swallowed. ``parent`` is the pid expected as parent (who may have died already).
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl(PR_SET_PDEATHSIG): {os.strerror(number)}")
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    with contextlib.suppress(ValueError):  # only the main thread may set handlers
        signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(128 + number)
