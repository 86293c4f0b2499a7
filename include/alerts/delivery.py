"""The targets of an alert, and its delivery by Airflow's own notifiers.

Targets are the Airflow connection ids in the firm's row, else ``[firmament] alert_webhook``,
``alert_slack``, ``alert_smtp`` and ``alert_email_to`` of Airflow's configuration
(``AIRFLOW__FIRMAMENT__ALERT_WEBHOOK``, or ``FIRMAMENT_ALERT_WEBHOOK``).
"""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Callable
from typing import Any

from include.alerts.message import Failure
from include.connections import prepare_airflow
from include.firms import Alerts

SECONDS = 10  # time-out of one delivery

log = logging.getLogger(__name__)


def send(failure: Failure, alerts: Alerts) -> list[str]:
    """Send an alert to each target, the firm's or the installation's; the names of those that accepted it."""
    sent = []
    prepare_airflow()
    for name, conn_id, notifier in _notifiers(failure, targets(alerts)):
        try:
            # Not through the notifier's call, which renders the text as a Jinja template.
            notifier().notify({})
            sent.append(name)
        except Exception as error:
            # The error's own text may contain the target's URL, and a webhook's URL is a secret.
            log.warning(
                "Alert of %s was not sent by %s (%s); try `airflow connections test %s`",
                failure.firm_key,
                name,
                type(error).__name__,
                conn_id,
            )
    if not sent:
        log.warning("No target accepted the alert: %s", failure.text)
    return sent


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


def _notifiers(failure: Failure, alerts: Alerts) -> list[tuple[str, str, Callable[[], Any]]]:
    """Factories of the notifiers: creating one can fail, which must not stop the next."""

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

        # Slack notifies a whole channel for <!channel> in a text.
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
