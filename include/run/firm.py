"""A firm's steps in order, without Airflow: each in a process of its own, so its peak memory is its own."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import date
from io import RawIOBase
from typing import Any

from include.faults import die_with_parent
from include.run import Outcome, run_step
from include.steps import Step, find_step, steps_for


class StepFailedError(RuntimeError):
    """A step failed; the message says which, why, and how to run it again."""


def chosen_steps(
    modules: tuple[str, ...], *, from_step: str | None = None, only: Collection[str] = ()
) -> tuple[Step, ...]:
    """The firm's steps in order: all, those from one on, or those named. KeyError for an unknown name."""
    steps = steps_for(modules)
    for name in (*only, *([from_step] if from_step else [])):
        find_step(name, steps)
    if from_step:
        names = [step.name for step in steps]
        steps = steps[names.index(from_step) :]
    return tuple(step for step in steps if not only or step.name in only)


def run_firm(
    firm_key: str,
    as_of: date,
    steps: tuple[Step, ...],
    *,
    full: bool = False,
    before: Callable[[Step], None] = lambda step: None,
    during: Callable[[str], None] = lambda said: None,
    after: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run steps one after another and stop at the first that fails, with StepFailedError.

    ``during`` hears what a long step logs of its progress.
    """
    outcomes = []
    for step in steps:
        before(step)
        outcome = _in_a_child(step, firm_key, as_of, full=full, during=during)
        outcomes.append(outcome)
        after(outcome)
    return outcomes


def _in_a_child(
    step: Step, firm_key: str, as_of: date, *, full: bool, during: Callable[[str], None]
) -> Outcome:
    receive, send = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _child(step, firm_key, as_of, full=full, send=send)
    os.close(send)
    kind: str = ""
    answer: Any = None
    with os.fdopen(receive, "rb") as pipe, suppress(EOFError, pickle.UnpicklingError):
        while True:
            kind, answer = pickle.load(pipe)
            if kind == "said":
                during(answer)
    _, status, usage = os.wait4(child, 0)
    again = f"python -m include run {firm_key} --as-of {as_of} --from {step.name}"
    if kind == "failed":
        raise StepFailedError(f"{step.name}: {answer}\nOnce mended, go on with: {again}")
    if kind != "done":
        code = os.waitstatus_to_exitcode(status)
        raise StepFailedError(f"{step.name}: its process ended with {code}; run it again: {again}")
    outcome: Outcome = answer
    return replace(outcome, peak_mb=usage.ru_maxrss / 1024)


def _child(step: Step, firm_key: str, as_of: date, *, full: bool, send: int) -> None:
    """Run the step, send what it says and then the outcome or the error's text, and end this process."""
    with os.fdopen(send, "wb", buffering=0) as pipe:
        logging.getLogger("include").addHandler(_Telling(pipe))
        logging.getLogger("include").setLevel(logging.INFO)
        try:
            die_with_parent()
            answer: tuple[str, object] = ("done", run_step(step, firm_key, as_of, full=full))
        except BaseException as error:
            if os.environ.get("FIRMAMENT_DEBUG"):
                traceback.print_exc()
            answer = ("failed", f"{type(error).__name__}: {error}")
        pipe.write(pickle.dumps(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _Telling(logging.Handler):
    """Sends what a step logs to whoever waits for it."""

    def __init__(self, pipe: RawIOBase) -> None:
        super().__init__(logging.INFO)
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line; a warning is shown at once, since the next line takes this one's place."""
        if record.levelno >= logging.WARNING:
            print(record.getMessage(), file=sys.stderr)
        self._pipe.write(pickle.dumps(("said", record.getMessage())))
