"""Run a stage: its steps in order, in one process, with one connection and one set of verified files."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from include.engines import open_engine
from include.faults import point
from include.firms import Firm, parse_firm
from include.handoff import Handoff
from include.private_files import close_home, private_folder, private_umask
from include.run import promotion
from include.run.attempts import Attempt, done_before, inputs_of, settings_digest
from include.run.context import Context
from include.run.memory import Meter
from include.settings import Settings
from include.steps import STEPS, Step
from include.version import code_version
from include.warehouse import Warehouse

WRITERS = {step.writes.name: step.name for step in STEPS if step.writes}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a quota, a limit of the process

log = logging.getLogger(__name__)


class NoRoomError(RuntimeError):
    """The disk is full: a step cannot write its scratch files."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one step: rows written, wall and CPU seconds, peak memory, a note.

    A load of a fact also has the references of the manifests that it read, and what the quality gate found.
    """

    step: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    note: str = ""
    is_skipped: bool = False
    inputs: tuple[str, ...] = ()
    quality: dict[str, Any] = field(default_factory=dict)


def run_step(
    step: Step,
    firm_key: str,
    as_of: date,
    *,
    full: bool = False,
    check_all: bool = False,
    attempt: Attempt | None = None,
) -> Outcome:
    """Run one step of a firm as of a day; record its outcome; raise the error that ended it."""
    (outcome,) = run_stage((step,), firm_key, as_of, full=full, check_all=check_all, attempt=attempt)
    return outcome


def run_stage(
    steps: Sequence[Step],
    firm_key: str,
    as_of: date,
    *,
    full: bool = False,
    check_all: bool = False,
    attempt: Attempt | None = None,
    before: Callable[[Step], None] = lambda step: None,
    after: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run the steps of a stage in order and stop at the first that fails, whose error is raised.

    Each step draws its own token, commits by itself and is recorded in ``control.step_runs``. With
    ``check_all`` a validate step runs the whole suite on every slice, also on those that have passed.
    """
    settings = Settings.read()
    attempt = attempt or Attempt(run_id=f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}")
    outcomes = []
    close_home(settings.home)
    with Warehouse(settings.warehouse_dsn()) as warehouse, _folder(settings.home / "scratch") as scratch:
        runner = _Runner(firm_key, as_of, full, attempt, settings, warehouse, scratch, check_all=check_all)
        for step in steps:
            before(step)
            outcomes.append(runner.run(step))
            after(outcomes[-1])
    return outcomes


class _Runner:
    """State shared by a stage's steps. The first step reads the firm, so that a bad row fails there."""

    def __init__(
        self,
        firm_key: str,
        as_of: date,
        full: bool,
        attempt: Attempt,
        settings: Settings,
        warehouse: Warehouse,
        scratch: Path,
        *,
        check_all: bool,
    ) -> None:
        self.check_all = check_all
        self.firm_key, self.as_of, self.full, self.attempt = firm_key, as_of, full, attempt
        self.settings, self.warehouse, self.scratch = settings, warehouse, scratch
        self.handoff = Handoff(settings.root, scratch=scratch, writers=WRITERS, verify_once=True)
        self._firm: Firm | None = None
        self._firm_row: dict[str, Any] = {}
        self._quality: dict[str, Any] | None = None
        self._earlier = (
            warehouse.runs.last_done(firm_key, as_of, attempt.run_id) if attempt.may_skip and not full else {}
        )

    def run(self, step: Step) -> Outcome:
        """Run one step, or skip it; record how it ended."""
        meter, started_at = Meter(), datetime.now(UTC)
        token = self.warehouse.runs.draw_token(self.firm_key, step.name, self.as_of.isoformat())
        log.info("%s: start of %s, firm %s, as_of %s, token %d", step.stage, step.name, self.firm_key,
                 self.as_of, token)  # fmt: skip
        record: dict[str, Any] = {
            "stage": step.stage or None,
            "token": token,
            "airflow_run_id": self.attempt.run_id,
            "attempt": self.attempt.number,
            "code_version": code_version(),
            "started_at": started_at,
        }

        def finish(status: str, rows: int, note: str) -> Outcome:
            outcome = Outcome(
                step.name, rows, meter.seconds, meter.cpu_seconds, meter.peak_mb, note, status == "skipped",
                *(self._landed(record) if status == "done" and step.table else ()),
            )  # fmt: skip
            self.warehouse.runs.finish_step(
                self.firm_key,
                self.as_of,
                step.name,
                status=status,
                row_count=rows,
                seconds=outcome.seconds,
                cpu_seconds=outcome.cpu_seconds,
                peak_mb=outcome.peak_mb,
                message=note,
                **record,
            )
            return outcome

        try:
            rows, note, status = self._work(step, token, record)
            point("step.before_finish")
        except BaseException as error:
            finish("failed", 0, type(error).__name__)
            self._explain(step, error)
            raise
        outcome = finish(status, rows, note)
        log.info(
            "%s: %s of %s, %d rows, %.1f s, %.1f CPU s, %.0f MB%s",
            step.stage, status, step.name, rows, outcome.seconds, outcome.cpu_seconds, outcome.peak_mb,
            f"; {note}" if note else "",
        )  # fmt: skip
        return outcome

    def _work(self, step: Step, token: int, record: dict[str, Any]) -> tuple[int, str, str]:
        firm = self.firm
        with (
            _folder(self.scratch) as folder,
            closing(
                open_engine(
                    firm.engine,
                    memory_mb=self.settings.memory_mb,
                    threads=os.cpu_count() or 1,
                    scratch=folder,
                )
            ) as engine,
        ):
            context = Context(
                step, firm, self.as_of, token, self.full, self.handoff, self.warehouse.records,
                self.warehouse.loader, engine, folder, self.settings, check_all=self.check_all,
            )  # fmt: skip
            decision = promotion.decision(context) if step.model in promotion.GATED else None
            record["settings_sha256"] = settings_digest(self._firm_row, decision)
            earlier = self._earlier.get(step.name) if step.kind.may_skip else None
            if done_before(
                earlier,
                self.handoff,
                settings_sha256=record["settings_sha256"],
                code_version=record["code_version"],
            ):
                record["input_manifests"] = earlier["input_manifests"]  # type: ignore[index]
                record["output_manifest"] = earlier["output_manifest"]  # type: ignore[index]
                return earlier["row_count"] or 0, "done by an earlier attempt", "skipped"  # type: ignore[index]
            self.handoff.consulted.clear()
            point("step.before_work")
            rows, note = function_of(step)(context)
            record["input_manifests"] = inputs_of(self.handoff, context)
            if step.writes is not None:
                written = self.handoff.manifest(context.slot(step.writes))
                record["output_manifest"] = written.reference if written else None
        return rows, note, "done"

    def _landed(self, record: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """What a load read, and what the quality gate found for the day."""
        if self._quality is None:
            self._quality = self.warehouse.records.quality.result_of_day(self.firm_key, self.as_of)
        return tuple(record["input_manifests"]), self._quality

    @property
    def firm(self) -> Firm:
        """The firm, read once; FirmError when its row cannot be used."""
        if self._firm is None:
            firm = parse_firm(self.warehouse.firms.firm_row(self.firm_key))
            self._firm_row = firm.model_dump(mode="json", by_alias=True, exclude={"alerts"})
            self.warehouse.runs.start_run(self.firm_key, self.as_of, self._firm_row, code_version())
            self._firm = firm
        return self._firm

    def _explain(self, step: Step, error: BaseException) -> None:
        """Raise NoRoomError, which says how to fix it, if the disk is full; otherwise do nothing."""
        if isinstance(error, OSError) and error.errno in FULL:
            raise NoRoomError(
                f"{step.name} of {self.firm_key}: {os.strerror(error.errno).lower()} in "
                f"{self.scratch.parent}; free space there, or set FIRMAMENT_HOME to a larger disk, and rerun "
                "the step"
            ) from error


def function_of(step: Step) -> Callable[[Context], tuple[int, str]]:
    """The function that runs a step, by the step's kind."""
    module, _, name = step.kind.runs.partition(":")
    function: Callable[[Context], tuple[int, str]] = getattr(import_module(module), name)
    return function


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    with private_umask(), TemporaryDirectory(dir=private_folder(parent)) as folder:
        yield Path(folder)
