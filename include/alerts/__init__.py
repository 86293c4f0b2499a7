"""Send one alert for each cause when a step fails after its last retry, by Airflow's own notifiers.

An alert is enqueued, sent by the process that claimed it, and sent again until a target accepts it. An
unreachable target is logged and delays neither the other targets nor the run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from include.alerts.delivery import send, targets
from include.alerts.message import Failure, cause_of, first_line
from include.firms import Alerts, FirmShape
from include.runbook import rerun_command
from include.schedule import AsOfError, as_of_of_run
from include.settings import Settings

if TYPE_CHECKING:
    from include.warehouse.alerts import AlertQueue

__all__ = [
    "Failure",
    "FailureNotifier",
    "cause_of",
    "first_line",
    "send",
    "send_again",
    "send_once",
    "targets",
]

WHOLE_RUN = "the whole run"
VANISHED = "the task ended without an error message: killed, out of memory, or its heartbeat was lost"
RUN_REASONS = {
    "timed_out": "the run exceeded its time limit and was ended",
    "all_tasks_deadlocked": "no remaining step of the run can start",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FailureNotifier:
    """The ``on_failure_callback`` of a DAG and, by its ``default_args``, of all its tasks.

    Airflow calls it for a task when no retry is left, and for a run that failed. It sends the alert and, for
    a firm, writes the run's note. It never raises. ``firm`` is None for the installation's own DAG.

    Airflow's ``BaseNotifier`` is not its base class: that renders Jinja templates, and a message quotes
    errors, which are no templates.
    """

    firm: FirmShape | None = None

    def __call__(self, context: Mapping[str, Any]) -> None:
        """Send the alert of a failed task or run."""
        try:
            if context.get("reason") is None:
                self._task_failed(context)
            elif self.firm is not None:
                self._run_failed(context, self.firm)
        except Exception:
            log.exception("An alert could not be made")

    def _task_failed(self, context: Mapping[str, Any]) -> None:
        step, error = context["ti"].task_id, _error(context)
        if self.firm is None:
            rerun = f"airflow dags trigger {context['ti'].dag_id}"
            send_once(_failure(context, "upkeep", step, "now", error, rerun), Alerts())
            return
        key, as_of = self.firm.firm_key, _as_of(context, self.firm.timezone)
        # After bad data the source must be read again; after anything else what is done already stays done.
        rerun = (
            rerun_command(key, as_of, from_step="extract")
            if step == "validate"
            else rerun_command(key, as_of, resume=True)
        )
        send_once(_failure(context, key, step, as_of, error, rerun), self.firm.alerts)
        _note(context, self.firm, as_of, step, error)

    def _run_failed(self, context: Mapping[str, Any], firm: FirmShape) -> None:
        """Alert only when no task of the run could. Airflow calls this in its DAG processor, once a run."""
        if reason := RUN_REASONS.get(str(context["reason"])):
            as_of = _as_of(context, firm.timezone)
            rerun = rerun_command(firm.firm_key, as_of)
            failure = _failure(context, firm.firm_key, WHOLE_RUN, as_of, reason, rerun)
            # No other process sends this alert, so the warehouse is opened only to enqueue a failed one.
            if not send(failure, firm.alerts):
                with _alert_queue() as queue:
                    queue.claim({**asdict(failure), "as_of": _day(failure.as_of)})
            _note(context, firm, as_of, WHOLE_RUN, reason)


def send_once(failure: Failure, alerts: Alerts) -> None:
    """Enqueue an alert and send it, unless one with the same cause was claimed or sent before."""
    row = {**asdict(failure), "as_of": _day(failure.as_of)}
    try:
        with _alert_queue() as queue:
            ours = queue.claim(row)
    except Exception as error:
        # The warehouse itself may have failed: a duplicate alert is better than none.
        log.warning("Alert of %s is sent without being enqueued: %s", failure.firm_key, first_line(error))
        send(failure, alerts)
        return
    if ours and send(failure, alerts):
        with _alert_queue() as queue:
            queue.mark_sent(failure.cause)


def send_again(alerts: Mapping[str, Alerts]) -> int:
    """Send undelivered alerts of the last day again, each to its firm's targets; how many were accepted."""
    accepted = 0
    with _alert_queue() as queue:
        for row in queue.unsent(younger_than=timedelta(days=1)):
            failure = Failure(**{**row, "as_of": str(row["as_of"] or "unknown")})
            of_firm = alerts.get(failure.firm_key, Alerts())
            if queue.claim(row) and send(failure, of_firm):
                queue.mark_sent(failure.cause)
                accepted += 1
    return accepted


def _failure(
    context: Mapping[str, Any], firm_key: str, step: str, as_of: str, error: str, rerun: str
) -> Failure:
    run = context.get("dag_run")
    # After a clear, the same error is a new cause.
    attempt = f"{context.get('run_id')} {getattr(run, 'clear_number', 0)}"
    log_url = getattr(context.get("ti"), "log_url", None) or "see the run in Airflow"
    return Failure(firm_key, step, as_of, error, str(log_url), rerun, cause_of(firm_key, attempt, error))


def _error(context: Mapping[str, Any]) -> str:
    error = context.get("exception")
    return first_line(error) if isinstance(error, BaseException) else VANISHED


def _note(context: Mapping[str, Any], firm: FirmShape, as_of: str, step: str, error: str) -> None:
    # Not at the top: a DAG file imports this module, and the HTTP client is heavy.
    from include.run_notes import RunNote

    RunNote(f"firm_{firm.firm_key}", str(context.get("run_id")), as_of).failed(step, error)


def _alert_queue() -> AlertQueue:
    # Imported here: DAG files import this module, and the warehouse module is slow to import.
    from include.warehouse.alerts import AlertQueue

    return AlertQueue(Settings.read().warehouse_dsn())


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
