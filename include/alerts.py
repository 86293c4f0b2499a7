"""One message for each cause when a step fails for good, by Airflow's own notifiers.

The targets are Airflow connection ids in the firm's row, else ``[firmament] alert_webhook``,
``alert_slack``, ``alert_smtp`` and ``alert_email_to`` of Airflow's configuration
(``AIRFLOW__FIRMAMENT__ALERT_WEBHOOK``, or ``FIRMAMENT_ALERT_WEBHOOK``). A target that is down is logged and
keeps neither the other targets nor the run waiting.
"""

from __future__ import annotations

import hashlib
import html
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from include.firms import Alerts, FirmShape
from include.runbook import rerun_command
from include.schedule import AsOfError, as_of_of_run
from include.settings import Settings

if TYPE_CHECKING:
    from include.warehouse.outbox import Outbox

SECONDS = 10  # what a target gets to answer in
LONGEST_LINE = 300
VANISHED = "the task ended without an error of its own: killed, out of memory, or its heartbeat was lost"
RUN_REASONS = {
    "timed_out": "the run took longer than it may, and was ended",
    "all_tasks_deadlocked": "no step of the run can start any more",
}

MASKS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?<=://)[^\s/@]+@", "***@"),
        (r"(?i)\b(password|passwd|secret|token|api_?key)(\W{1,3})[^\s,;&]+", r"\1\2***"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "(e-mail)"),
        (r"\+?\d[\d ()./]{7,}\d", "(number)"),
    )
)

log = logging.getLogger(__name__)

Callback = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Failure:
    """What somebody who is woken needs to know. ``cause`` is one for all steps that failed of one thing."""

    firm_key: str
    step: str
    as_of: str
    error: str
    log_url: str
    rerun: str
    cause: str

    @property
    def title(self) -> str:
        """The one line that a list of messages shows."""
        return f"Firmament: {self.firm_key} failed at {self.step}, as of {self.as_of}"

    @property
    def text(self) -> str:
        """The whole message, as plain text."""
        return f"{self.title}\n{self.error}\nLog: {self.log_url}\nRerun: {self.rerun}"


def alert_of_task(firm: FirmShape) -> Callback:
    """The ``on_failure_callback`` of a firm's tasks: called when no retry is left, not for skipped ones."""

    def failed(context: Mapping[str, Any]) -> None:
        as_of = _as_of(context, firm.timezone)
        step = context["ti"].task_id
        rerun = rerun_command(firm.firm_key, as_of, from_step=step)
        tell(_failure(context, firm.firm_key, step, as_of, _error(context), rerun), firm.alerts)

    return _safely(failed)


def alert_of_run(firm: FirmShape) -> Callback:
    """The ``on_failure_callback`` of a firm's DAG: speaks only when no task of the run could."""

    def failed(context: Mapping[str, Any]) -> None:
        if reason := RUN_REASONS.get(str(context.get("reason"))):
            as_of = _as_of(context, firm.timezone)
            rerun = rerun_command(firm.firm_key, as_of)
            tell(_failure(context, firm.firm_key, "the whole run", as_of, reason, rerun), firm.alerts)

    return _safely(failed)


def alert_of_upkeep(context: Mapping[str, Any]) -> None:
    """The ``on_failure_callback`` of the installation's own tasks."""

    def failed(context: Mapping[str, Any]) -> None:
        rerun = f"airflow dags trigger {context['ti'].dag_id}"
        failure = _failure(context, "upkeep", context["ti"].task_id, "now", _error(context), rerun)
        tell(failure, Alerts())

    _safely(failed)(context)


def first_line(error: BaseException) -> str:
    """What a message may quote of an error: one line, without secrets, contact data or row values."""
    told = _told(error).strip()
    line = f"{type(error).__name__}: {told.splitlines()[0]}" if told else type(error).__name__
    for pattern, instead in MASKS:
        line = pattern.sub(instead, line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


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


def send(failure: Failure, alerts: Alerts) -> list[str]:
    """Send a message to each target, the firm's or the installation's; the names of those that took it."""
    sent = []
    for name, conn_id, notifier in _notifiers(failure, targets(alerts)):
        try:
            # Not by calling the notifier, which would take the text for a Jinja template.
            notifier().notify({})
            sent.append(name)
        except Exception as error:
            # The error's own text may hold the target's address, and a webhook's address is a secret.
            log.warning(
                "Alert of %s was not sent by %s (%s); try `airflow connections test %s`",
                failure.firm_key,
                name,
                type(error).__name__,
                conn_id,
            )
    if not sent:
        log.warning("Nobody was told: %s", failure.text)
    return sent


def targets(alerts: Alerts) -> Alerts:
    """The firm's own targets or, when it names none, the installation's."""
    if alerts.webhook or alerts.slack or alerts.smtp:
        return alerts
    email_to = (_default("email_to") or "").replace(",", " ").split()
    return Alerts(
        webhook=_default("webhook"),
        slack=_default("slack"),
        smtp=_default("smtp"),
        email_to=tuple(email_to),
    )


def _failure(
    context: Mapping[str, Any], firm_key: str, step: str, as_of: str, error: str, rerun: str
) -> Failure:
    run = context.get("dag_run")
    # Once the run has been cleared, the same error is news again.
    attempt = f"{context.get('run_id')} {getattr(run, 'clear_number', 0)}"
    log_url = getattr(context.get("ti"), "log_url", None) or "see the run in Airflow"
    return Failure(firm_key, step, as_of, error, str(log_url), rerun, cause_of(firm_key, attempt, error))


def cause_of(*parts: str) -> str:
    """The id of a cause: messages that bear the same one tell the same thing."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _error(context: Mapping[str, Any]) -> str:
    error = context.get("exception")
    return first_line(error) if isinstance(error, BaseException) else VANISHED


def _safely(callback: Callback) -> Callback:
    def call(context: Mapping[str, Any]) -> None:
        try:
            callback(context)
        except Exception:
            log.exception("An alert could not be made")

    return call


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


def _told(error: BaseException) -> str:
    """The error's text; of a database's error, also inside another, the code and primary message alone."""
    told = str(error)
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        code, diagnosis = getattr(cause, "sqlstate", None), getattr(cause, "diag", None)
        if code and diagnosis is not None and str(cause) in told:
            primary = str(getattr(diagnosis, "message_primary", None) or "")
            if str(code).startswith("22"):  # bad values are quoted even in the primary message
                from include.warehouse.errors import without_value

                primary = without_value(primary)
            # The rest, detail and context, quotes rows.
            told = told.replace(str(cause), f"{code} {primary}".strip())
        cause = cause.__cause__ or cause.__context__
    return told


def _notifiers(failure: Failure, alerts: Alerts) -> list[tuple[str, str, Callable[[], Any]]]:
    """A way to make each notifier: making one may fail too, and must not stop the next."""

    def webhook() -> Any:
        from airflow.providers.http.notifications.http import HttpNotifier

        return HttpNotifier(
            http_conn_id=str(alerts.webhook),
            json={
                "text": failure.text,
                "firm": failure.firm_key,
                "step": failure.step,
                "as_of": failure.as_of,
                "error": failure.error,
                "log_url": failure.log_url,
                "rerun": failure.rerun,
                "id": failure.cause,
            },
            extra_options={"timeout": SECONDS, "allow_redirects": False},
        )

    def slack() -> Any:
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

        # Slack reads <!channel> in a text as a call to everybody.
        return SlackWebhookNotifier(
            slack_webhook_conn_id=str(alerts.slack),
            text=html.escape(failure.text, quote=False),
            timeout=SECONDS,
            unfurl_links=False,
        )

    def smtp() -> Any:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(
            smtp_conn_id=alerts.smtp,
            to=list(alerts.email_to),
            subject=failure.title,
            html_content=f"<pre>{html.escape(failure.text)}</pre>",
        )

    ways: list[tuple[str, str | None, Callable[[], Any]]] = [
        ("webhook", alerts.webhook, webhook),
        ("slack", alerts.slack, slack),
        ("smtp", alerts.smtp, smtp),
    ]
    return [(name, conn_id, way) for name, conn_id, way in ways if conn_id]


def _default(name: str) -> str | None:
    if value := os.environ.get(f"FIRMAMENT_ALERT_{name.upper()}"):
        return value
    from airflow.sdk.configuration import conf

    value = conf.get("firmament", f"alert_{name}", fallback=None)
    return str(value) if value else None
