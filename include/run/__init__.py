"""Running the pipeline: one step, or a firm's steps in order, for Airflow and the command line alike.

What a step does follows from its kind and its row in ``steps.py``; where its rows lie follows from
(firm, dataset, slice). So any step can be rerun alone, as often as one likes.
"""

from __future__ import annotations

import errno
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from include.engines import open_engine
from include.faults import point
from include.firms import parse_firm
from include.handoff import Handoff, code_version
from include.private_files import close_home, private_folder, private_umask
from include.run.compute import features, fit, predict, query, sample
from include.run.context import Context
from include.run.extract import extract
from include.run.load import load
from include.run.publish import publish
from include.run.score import score
from include.run.validate import validate
from include.settings import Settings
from include.steps import STEPS, Step
from include.warehouse import Warehouse

WRITERS = {step.writes.name: step.name for step in STEPS if step.writes}
KINDS: dict[str, Callable[[Context], tuple[int, str]]] = {
    "extract": extract,
    "validate": validate,
    "query": query,
    "features": features,
    "sample": sample,
    "fit": fit,
    "predict": predict,
    "load": load,
    "score": score,
    "publish": publish,
}


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk, a quota, a process's own limit


class NoRoomError(RuntimeError):
    """There is no room for what a step must write beside its datasets."""


@dataclass(frozen=True)
class Outcome:
    """What one step did: rows written, wall seconds, peak memory of its process, a line for people."""

    step: str
    rows: int
    seconds: float
    peak_mb: float
    note: str = ""


def run_step(step: Step, firm_key: str, as_of: date, *, full: bool = False) -> Outcome:
    """Run one step of a firm as of a day; record how it went; raise what went wrong."""
    settings = Settings.read()
    started = time.monotonic()
    with Warehouse(settings.warehouse_dsn()) as warehouse, _scratch(settings) as scratch:
        token = warehouse.draw_token(firm_key, step.name, as_of.isoformat())

        def finish(status: str, rows: int, message: str) -> Outcome:
            seconds, peak_mb = time.monotonic() - started, _peak_mb()
            warehouse.finish_step(
                firm_key=firm_key,
                as_of=as_of,
                step=step.name,
                token=token,
                rows=rows,
                seconds=seconds,
                peak_mb=peak_mb,
                status=status,
                message=message,
            )
            return Outcome(step.name, rows, seconds, peak_mb, message)

        try:
            firm = parse_firm(warehouse.firm_row(firm_key))
            settings_used = firm.model_dump(mode="json", by_alias=True, exclude={"alerts"})
            warehouse.start_run(firm_key, as_of, settings_used, code_version())
            engine = open_engine(
                firm.engine, memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, scratch=scratch
            )
            handoff = Handoff(settings.root, scratch=scratch, writers=WRITERS)
            context = Context(step, firm, as_of, token, full, handoff, warehouse, engine, scratch, settings)
            point("step.before_work")
            rows, note = KINDS[step.kind](context)
            point("step.before_finish")
        except BaseException as error:
            finish("failed", 0, type(error).__name__)
            if isinstance(error, OSError) and error.errno in FULL:
                raise NoRoomError(
                    f"{step.name} of {firm_key}: {os.strerror(error.errno).lower()} in {scratch.parent}; "
                    "free space there, or set FIRMAMENT_HOME to a larger disk, and rerun the step"
                ) from error
            raise
        return finish("done", rows, note)


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    close_home(settings.home)
    parent = private_folder(settings.home / "scratch")
    with private_umask(), TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def _peak_mb() -> float:
    """Peak resident memory of this process, in megabytes (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
