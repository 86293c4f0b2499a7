"""The targets of messages, and the one place that delivers: by Airflow's own hooks.

Targets are the Airflow connection ids in the firm's row, else ``[firmament] alert_webhook``,
``alert_slack``, ``alert_smtp`` and ``alert_email_to`` of Airflow's configuration
(``AIRFLOW__FIRMAMENT__ALERT_WEBHOOK``, or ``FIRMAMENT_ALERT_WEBHOOK``).

A message is repeated until its target accepts it. If the sending process dies between the target's answer
and the note of it, the target gets the message again: with the same id, so that it can tell.
"""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from include.connections import prepare_airflow
from include.firms import Alerts
from include.incidents.message import message_of
from include.settings import Settings

SECONDS = 10  # time-out of one delivery

log = logging.getLogger(__name__)


def deliver_due(settings: Settings) -> int:
    """Send the messages that are due; how many were accepted. A target that fails is tried again later."""
    # Not at the top: DAG files import this package, and the database driver is slow to import.
    from include.warehouse.incident_messages import IncidentMessages
    from include.warehouse.incident_rows import IncidentRows

    dsn, accepted = settings.warehouse_dsn(), 0
    with IncidentMessages(dsn) as outbox, IncidentRows(dsn) as rows:
        while (message := outbox.claim_message()) is not None:
            number, target, body = message["incident_id"], message["target_name"], message["body"]
            if body is None:
                entries = rows.entries(number, target=target)
                incident = rows.incident(number)
                assert incident is not None
                body = message_of(incident, entries, message_kind=message["message_kind"])
                body["id"] = f"{number}.{message['message_id']}"
                outbox.keep_body(message["message_id"], body, firm_count=len(body["firms"]) or 1)
            if send(body, target):
                outbox.mark_sent(message["message_id"])
                accepted += 1
            else:
                outbox.postpone(message["message_id"], message["tries"])
    return accepted


def send(body: Mapping[str, Any], target: str) -> bool:
    """Send a message to one target; whether the target accepted it."""
    name, _, address = target.partition(" ")
    conn_id, _, email_to = address.partition(" ")
    prepare_airflow()
    try:
        WAYS[name](body, conn_id, email_to)
    except Exception as error:
        # The error's own text may contain the target's URL, and a webhook's URL is a secret.
        log.warning(
            "Message %s was not accepted by %s (%s); try `python -m include airflow connections test %s`",
            body.get("id", ""),
            name,
            type(error).__name__,
            conn_id,
        )
        return False
    return True


def targets_of(alerts: Alerts) -> list[str]:
    """The names of the firm's own targets or, if it has none, of the installation's."""
    alerts = targets(alerts)
    names = [f"{kind} {conn_id}" for kind in ("webhook", "slack") if (conn_id := getattr(alerts, kind))]
    return [*names, f"smtp {alerts.smtp} {','.join(alerts.email_to)}"] if alerts.smtp else names


def targets(alerts: Alerts) -> Alerts:
    """The firm's own targets or, if it has none, the installation's."""
    if alerts.webhook or alerts.slack or alerts.smtp:
        return alerts
    email_to = (_default("email_to") or "").replace(",", " ").split()
    return Alerts(
        webhook=_default("webhook"),
        slack=_default("slack"),
        smtp=_default("smtp"),
        email_to=tuple(email_to),
    )


def _webhook(body: Mapping[str, Any], conn_id: str, _: str) -> None:
    # Airflow's HttpNotifier takes a redirect, which it does not follow, for a success.
    from airflow.providers.http.hooks.http import HttpHook

    answer = HttpHook("POST", http_conn_id=conn_id).run(
        json=dict(body), extra_options={"timeout": SECONDS, "allow_redirects": False}
    )
    if not 200 <= answer.status_code < 300:
        raise ConnectionError(f"answered {answer.status_code}")


def _slack(body: Mapping[str, Any], conn_id: str, _: str) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    # Not through the notifier's call, which renders the text as a Jinja template.
    SlackWebhookNotifier(
        slack_webhook_conn_id=conn_id,
        # Slack notifies a whole channel for <!channel> in a text.
        text=html.escape(body["text"], quote=False),
        timeout=SECONDS,
        unfurl_links=False,
    ).notify({})


def _smtp(body: Mapping[str, Any], conn_id: str, email_to: str) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    SmtpNotifier(
        smtp_conn_id=conn_id,
        to=email_to.split(","),
        subject=body["title"],
        html_content=f"<pre>{html.escape(body['text'])}</pre>",
    ).notify({})


WAYS: dict[str, Callable[[Mapping[str, Any], str, str], None]] = {
    "webhook": _webhook,
    "slack": _slack,
    "smtp": _smtp,
}


def _default(name: str) -> str | None:
    if value := os.environ.get(f"FIRMAMENT_ALERT_{name.upper()}"):
        return value
    prepare_airflow()
    from airflow.sdk.configuration import conf

    value = conf.get("firmament", f"alert_{name}", fallback=None)
    return str(value) if value else None
