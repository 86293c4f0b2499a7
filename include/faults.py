"""Fault points at which a test makes this process fail, and the end of a step with its supervisor.

``FIRMAMENT_FAULT=name:n:action`` performs ``action`` at the n-th visit of the point ``name``. Without the
variable a point costs one dictionary lookup. ``POINTS`` lists all points, so a test can check that each
fires.
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
    "step.before_work": "A step has its token, before its first read.",
    "step.before_finish": "A step has done all its work; its end is not recorded yet.",
    "store.before_call": "Before each call to the handoff store.",
    "store.after_call": "After each call to the handoff store, before its result is used.",
    "handoff.after_part": "A part file is written.",
    "handoff.before_commit": "All parts are written and durable; no manifest lists them yet.",
    "handoff.after_commit": "The manifest is in the store; the writer has no confirmation yet.",
    "handoff.after_fetch": "A reader has a verified part.",
    "handoff.before_delete": "Before the garbage collector deletes a file.",
    "extract.after_month": "One month has been read and committed.",
    "warehouse.before_copy": "A load's transaction is open and its staging table is empty.",
    "warehouse.before_commit": "A load is staged and checked, before its commit.",
    "warehouse.after_commit": "A load has committed; the loader has no confirmation yet.",
    "publish.after_table": "One table of the firm's own database is written; nothing is committed.",
    "publish.before_commit": "All of the firm's tables are written, before the commit.",
    "publish.after_commit": "The firm's tables are committed; the writer has no confirmation yet.",
    "erase.after_suppression": "A customer's erasure is recorded; nothing is erased yet.",
    "erase.after_slice": "One slice of the handoffs is searched, and rewritten if it held the customer.",
    "erase.before_commit": "The customer is deleted from every table, before the commit.",
    "erase.after_commit": "The customer is erased from the warehouse; the handoffs are not searched yet.",
    "outbox.before_commit": "Changes are enqueued, before the commit.",
    "outbox.before_mark": "A webhook has answered; the answer is not recorded yet.",
}

_visits: dict[str, int] = {}


class InjectedFault(RuntimeError):  # noqa: N818 - the term of the docs
    """A fault injected by a test."""


class Stopped(SystemExit):
    """The step received SIGTERM: exit with 128 + the signal number."""


def point(name: str) -> None:
    """Perform the fault that ``FIRMAMENT_FAULT`` requests for this point, if any."""
    request = os.environ.get(VARIABLE)
    if not request:
        return
    if name not in POINTS:
        raise KeyError(f"no fault point {name!r}; add it to POINTS in include/faults.py")
    target, count, action = _parse(request)
    if target != name:
        return
    _visits[name] = _visits.get(name, 0) + 1
    if _visits[name] == count:
        _act(name, action)


def _parse(request: str) -> tuple[str, int, str]:
    try:
        name, count, action = request.split(":")
        if name in POINTS and int(count) > 0 and action in ACTIONS:
            return name, int(count), action
    except ValueError:
        pass
    raise ValueError(
        f"{VARIABLE}={request!r} is not NAME:N:ACTION with a name of {sorted(POINTS)}, "
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
    elif action == "stop":  # until SIGCONT
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "slow":
        time.sleep(SLOW_SECONDS)
    elif action == "hang":
        while True:
            time.sleep(3600)


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends, and let SIGTERM raise ``Stopped``.

    Airflow does not stop a task by itself: if its supervisor dies, the child continues, and SIGTERM is
    ignored. ``parent`` is the expected parent pid; if the parent has already ended, this process ends at
    once.
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
