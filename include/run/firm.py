"""A firm's stages in order, without Airflow: each stage in a process of its own."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Collection
from datetime import date
from multiprocessing.connection import Connection

from include.faults import die_with_parent
from include.run.attempts import Attempt
from include.run.stage import Outcome, run_stage
from include.steps import Step, find_step, steps_for


class StepFailedError(RuntimeError):
    """A step failed; the message gives the step, the reason, and the command that continues the run."""


def chosen_steps(
    modules: tuple[str, ...], *, from_step: str | None = None, only: Collection[str] = ()
) -> tuple[Step, ...]:
    """The firm's steps in order: all, those from one on, or those named. KeyError for an unknown name.

    A name is a step's, a stage's or that of a task of a compact DAG; ``from_step`` with one of the latter
    two begins at its first step.
    """
    steps = steps_for(modules)
    groups = {name for step in steps for name in step.names[1:]}
    for name in (*only, *([from_step] if from_step else [])):
        if name not in groups:
            find_step(name, steps)
    if from_step:
        first = next(i for i, step in enumerate(steps) if from_step in step.names)
        steps = steps[first:]
    return tuple(step for step in steps if not only or not set(step.names).isdisjoint(only))


def run_firm(
    firm_key: str,
    as_of: date,
    steps: tuple[Step, ...],
    *,
    full: bool = False,
    attempt: Attempt | None = None,
    before: Callable[[Step], None] = lambda step: None,
    during: Callable[[str], None] = lambda message: None,
    after: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run steps one after another and stop at the first that fails, with StepFailedError.

    ``during`` receives what a long step logs of its progress.
    """
    outcomes: list[Outcome] = []

    def ended(outcome: Outcome) -> None:
        outcomes.append(outcome)
        after(outcome)

    for _, stage in itertools.groupby(steps, key=lambda step: step.stage):
        _in_a_child(
            tuple(stage), firm_key, as_of, full=full, attempt=attempt, before=before, during=during,
            after=ended,
        )  # fmt: skip
    return outcomes


def _in_a_child(
    steps: tuple[Step, ...],
    firm_key: str,
    as_of: date,
    *,
    full: bool,
    attempt: Attempt | None,
    before: Callable[[Step], None],
    during: Callable[[str], None],
    after: Callable[[Outcome], None],
) -> None:
    """Run a stage in a child process and pass on what it sends."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_child, args=(steps, firm_key, as_of, full, attempt, send))
    sys.stdout.flush()
    sys.stderr.flush()
    child.start()
    send.close()
    step, failure, is_done = steps[0], "", False
    try:
        while not is_done:
            kind, answer = receive.recv()
            if kind == "step":
                step = next(one for one in steps if one.name == answer)
                before(step)
            elif kind == "log":
                during(answer)
            elif kind == "outcome":
                after(answer)
            else:
                failure, is_done = answer, True
    except EOFError:
        pass  # the child was killed
    except BaseException:
        child.terminate()
        raise
    finally:
        child.join()
        receive.close()
    again = f"python -m include run {firm_key} --as-of {as_of} --resume"
    if failure:
        raise StepFailedError(f"{step.name}: {failure}\nAfter fixing it, continue with: {again}")
    if not is_done:
        raise StepFailedError(f"{step.name}: its process ended with {child.exitcode}; continue with: {again}")


def _child(
    steps: tuple[Step, ...], firm_key: str, as_of: date, full: bool, attempt: Attempt | None, send: Connection
) -> None:
    """Run the stage. Send each step's name, log lines and outcome, and at the end the error's text."""
    ours = logging.getLogger("include")
    ours.addHandler(_SendLog(send))
    ours.setLevel(logging.INFO)
    failure = ""
    try:
        die_with_parent()
        run_stage(
            steps,
            firm_key,
            as_of,
            full=full,
            attempt=attempt,
            before=lambda step: send.send(("step", step.name)),
            after=lambda outcome: send.send(("outcome", outcome)),
        )
    except BaseException as error:
        if os.environ.get("FIRMAMENT_DEBUG"):
            traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    send.send(("end", failure))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # no exit handlers: they belong to the parent


class _SendLog(logging.Handler):
    """Sends each log line to the parent process."""

    def __init__(self, send: Connection) -> None:
        super().__init__(logging.INFO)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line; print a warning at once, since the next line replaces this one on the terminal."""
        if record.levelno >= logging.WARNING:
            print(record.getMessage(), file=sys.stderr)
        self._send.send(("log", record.getMessage()))
