"""The callback of DAGs: opens an incident when a task fails after its last retry, or a run is ended."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from include.firms import FirmShape
from include.incidents.causes import Cause, RunTimedOut, TaskLost, cause_of_error
from include.incidents.error_text import first_line
from include.incidents.kinds import KINDS, UNKNOWN
from include.incidents.opening import Failure, open_incident
from include.schedule import AsOfError, as_of_of_run
from include.settings import Settings

WHOLE_RUN = "the whole run"
LOST = "the task ended without an error message: killed, out of memory, or its heartbeat was lost"
RUN_REASONS = {
    "timed_out": "the run exceeded its time limit and was ended",
    "all_tasks_deadlocked": "no remaining step of the run can start",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FailureNotifier:
    """The ``on_failure_callback`` of a DAG and, by its ``default_args``, of all its tasks.

    Airflow calls it for a task when no retry is left, and for a run that failed. It opens an incident and,
    for a firm, writes the run's note. It never raises. ``firm`` is None for the installation's own DAG.

    Airflow's ``BaseNotifier`` is not its base class: that renders Jinja templates, and a message quotes
    errors, which are no templates.
    """

    firm: FirmShape | None = None

    def __call__(self, context: Mapping[str, Any]) -> None:
        """Open the incident of a failed task or run."""
        try:
            if context.get("reason") is None:
                self._task_failed(context)
            elif self.firm is not None:
                self._run_failed(context, self.firm)
        except Exception:
            log.exception("An incident could not be opened")

    def _task_failed(self, context: Mapping[str, Any]) -> None:
        task_id, error = context["ti"].task_id, context.get("exception")
        cause = cause_of_error(error if isinstance(error, BaseException) else TaskLost(), self.firm)
        if self.firm is None and cause.kind is UNKNOWN:
            cause = Cause(KINDS["upkeep_failed"], task_id)
        text = first_line(error) if isinstance(error, BaseException) else LOST
        self._open(context, cause, task_id, text)

    def _run_failed(self, context: Mapping[str, Any], firm: FirmShape) -> None:
        """Open an incident only when no task of the run could. Airflow calls this in its DAG processor."""
        if text := RUN_REASONS.get(str(context["reason"])):
            self._open(context, cause_of_error(RunTimedOut(text), firm), "", text)

    def _open(self, context: Mapping[str, Any], cause: Cause, task_id: str, text: str) -> None:
        zone = self.firm.timezone if self.firm is not None else "UTC"
        as_of = _as_of(context, zone)
        run = context.get("dag_run")
        failure = Failure(
            firm=self.firm,
            error=text,
            log_url=str(getattr(context.get("ti"), "log_url", None) or "see the run in Airflow"),
            as_of=_day(as_of) if self.firm is not None else None,
            task_id=task_id,
            run_id=str(context["run_id"]) if context.get("run_id") else None,
            is_quiet=str(getattr(run, "run_type", "")).rpartition(".")[2].lower().startswith("backfill"),
        )
        try:
            open_incident(cause, failure, Settings.read())
        finally:
            if self.firm is not None:
                _note(context, self.firm, as_of, task_id or WHOLE_RUN, text)


def _note(context: Mapping[str, Any], firm: FirmShape, as_of: str, task_id: str, error: str) -> None:
    # Not at the top: a DAG file imports this module, and the HTTP client is heavy.
    from include.run_notes import RunNote

    RunNote(f"firm_{firm.firm_key}", str(context.get("run_id")), as_of).failed(task_id, error)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _as_of(context: Mapping[str, Any], zone: str) -> str:
    try:
        return as_of_of_run(context, zone).isoformat()
    except AsOfError:
        return str(context["params"].get("as_of"))
    except (KeyError, AttributeError):  # the callback of a lost worker may have no run
        return "unknown"
