"""One message for each cause when a step fails for good, by Airflow's own notifiers.

A message is written down, sent by whoever wrote it down first, and sent again while no target took it. A
target that is down is logged and keeps neither the other targets nor the run waiting.
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
    from include.warehouse.outbox import Outbox

__all__ = [
    "Failure",
    "FailureNotifier",
    "cause_of",
    "first_line",
    "send",
    "send_again",
    "targets",
    "tell",
]

WHOLE_RUN = "the whole run"
VANISHED = "the task ended without an error of its own: killed, out of memory, or its heartbeat was lost"
RUN_REASONS = {
    "timed_out": "the run took longer than it may, and was ended",
    "all_tasks_deadlocked": "no step of the run can start any more",
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
            tell(_failure(context, "upkeep", step, "now", error, rerun), Alerts())
            return
        key, as_of = self.firm.firm_key, _as_of(context, self.firm.timezone)
        # After bad data the source must be read again; after anything else what is done already stays done.
        rerun = (
            rerun_command(key, as_of, from_step="extract")
            if step == "validate"
            else rerun_command(key, as_of, resume=True)
        )
        tell(_failure(context, key, step, as_of, error, rerun), self.firm.alerts)
        _note(context, self.firm, as_of, step, error)

    def _run_failed(self, context: Mapping[str, Any], firm: FirmShape) -> None:
        """Alert only when no task of the run could. Airflow calls this in its DAG processor, once a run."""
        if reason := RUN_REASONS.get(str(context["reason"])):
            as_of = _as_of(context, firm.timezone)
            rerun = rerun_command(firm.firm_key, as_of)
            failure = _failure(context, firm.firm_key, WHOLE_RUN, as_of, reason, rerun)
            # No other sender is possible, so the warehouse is opened only for a message to be sent again.
            if not send(failure, firm.alerts):
                with _outbox() as outbox:
                    outbox.undertake({**asdict(failure), "as_of": _day(failure.as_of)})
            _note(context, firm, as_of, WHOLE_RUN, reason)


def tell(failure: Failure, alerts: Alerts) -> None:
    """Write a message down and send it, unless somebody does or did that for the same cause."""
    row = {**asdict(failure), "as_of": _day(failure.as_of)}
    try:
        with _outbox() as outbox:
            ours = outbox.undertake(row)
    except Exception as error:
        # The warehouse may be the very thing that failed: better told twice than not at all.
        log.warning("Alert of %s is sent without being written down: %s", failure.firm_key, first_line(error))
        send(failure, alerts)
        return
    if ours and send(failure, alerts):
        with _outbox() as outbox:
            outbox.sent(failure.cause)


def send_again(alerts: Mapping[str, Alerts]) -> int:
    """Send what no target took in the last day, each by its firm's own targets; how many went out."""
    told = 0
    with _outbox() as outbox:
        for row in outbox.unsent(younger_than=timedelta(days=1)):
            failure = Failure(**{**row, "as_of": str(row["as_of"] or "unknown")})
            of_firm = alerts.get(failure.firm_key, Alerts())
            if outbox.undertake(row) and send(failure, of_firm):
                outbox.sent(failure.cause)
                told += 1
    return told


def _failure(
    context: Mapping[str, Any], firm_key: str, step: str, as_of: str, error: str, rerun: str
) -> Failure:
    run = context.get("dag_run")
    # Once the run has been cleared, the same error is news again.
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


def _outbox() -> Outbox:
    # Not at the top: a DAG file imports this module, and the warehouse's is heavy.
    from include.warehouse.outbox import Outbox

    return Outbox(Settings.read().warehouse_dsn())


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
    except (KeyError, AttributeError):  # a callback after a lost worker may come without its run
        return "unknown"
