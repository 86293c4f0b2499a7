"""A firm's steps in order, without Airflow: each in a process of its own, so its peak memory is its own."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

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
    after: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run steps one after another and stop at the first that fails, with StepFailedError."""
    outcomes = []
    for step in steps:
        before(step)
        outcome = _in_a_child(step, firm_key, as_of, full=full)
        outcomes.append(outcome)
        after(outcome)
    return outcomes


def _in_a_child(step: Step, firm_key: str, as_of: date, *, full: bool) -> Outcome:
    receive, send = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _child(step, firm_key, as_of, full=full, send=send)
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    again = f"python -m include run {firm_key} --as-of {as_of} --from {step.name}"
    if not answer:
        code = os.waitstatus_to_exitcode(status)
        raise StepFailedError(f"{step.name}: its process ended with {code}; run it again: {again}")
    outcome = pickle.loads(answer)
    if isinstance(outcome, str):
        raise StepFailedError(f"{step.name}: {outcome}\nOnce mended, go on with: {again}")
    return replace(outcome, peak_mb=usage.ru_maxrss / 1024)


def _child(step: Step, firm_key: str, as_of: date, *, full: bool, send: int) -> None:
    """Run the step, send the outcome or the error's text, and end this process."""
    try:
        die_with_parent()
        answer: object = run_step(step, firm_key, as_of, full=full)
    except BaseException as error:
        if os.environ.get("FIRMAMENT_DEBUG"):
            traceback.print_exc()
        answer = f"{type(error).__name__}: {error}"
    with os.fdopen(send, "wb") as pipe:
        pickle.dump(answer, pipe)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
