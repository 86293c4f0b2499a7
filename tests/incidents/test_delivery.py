import logging
import time
from typing import Any

import pytest

from include.firms import Alerts
from include.incidents.delivery import send, targets, targets_of
from tests.incidents.conftest import connection, free_port
from tests.sinks import Hook, Mailbox

ALL = Alerts(
    webhook="ops_hook", slack="ops_slack", smtp="ops_mail", email_to=("a@example.com", "b@example.com")
)


def body(text: str = "SourceError: the table is gone") -> dict[str, Any]:
    return {"id": "7.1", "title": "Firmament [error]: acme", "text": text}


def test_slack_messages_use_airflows_notifier(slack: Hook) -> None:
    assert send(body("ValueError: <!channel> & {{ 7 * 6 }}"), "slack ops_slack")

    assert slack.texts == ["ValueError: &lt;!channel&gt; &amp; {{ 7 * 6 }}"]


def test_mails_use_airflows_notifier(mailbox: Mailbox) -> None:
    assert send(body("ValueError: <b>{{ 7 * 6 }}</b>"), "smtp ops_mail a@example.com,b@example.com")

    (mail,) = mailbox.received
    assert mail["Subject"] == "Firmament [error]: acme"
    assert mail["To"] == "a@example.com, b@example.com"
    assert "&lt;b&gt;{{ 7 * 6 }}&lt;/b&gt;" in mail.get_body(("html",)).get_content()


def test_a_firm_has_a_name_for_each_of_its_targets(hook: Hook, slack: Hook, mailbox: Mailbox) -> None:
    names = targets_of(ALL)

    assert names == ["webhook ops_hook", "slack ops_slack", "smtp ops_mail a@example.com,b@example.com"]
    assert [send(body(), name) for name in names] == [True, True, True]
    assert [len(hook.received), len(slack.received), len(mailbox.received)] == [1, 1, 1]


def test_an_unreachable_target_is_logged_without_its_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = f"http://127.0.0.1:{free_port()}/services/T00/very-secret"
    monkeypatch.setenv("AIRFLOW_CONN_OPS_HOOK", connection("http", host=secret))
    started = time.monotonic()

    with caplog.at_level(logging.WARNING, logger="include.incidents"):
        accepted = send(body(), "webhook ops_hook")

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("include.incidents")]
    assert not accepted
    assert "was not accepted by webhook (ConnectionError)" in ours[0]
    assert "very-secret" not in "".join(ours)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("status", [500, 307])
def test_a_target_that_refuses_or_redirects_has_not_accepted(hook: Hook, status: int) -> None:
    hook.status = status

    assert not send(body(), "webhook ops_hook")
    assert len(hook.received) == 1


def test_a_missing_connection_is_logged_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert not send(body(), "webhook nowhere")
    assert "nowhere" in caplog.text


def test_the_installations_targets_may_be_set_in_airflow_cfg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FIRMAMENT__ALERT_SMTP", "ops_mail")
    monkeypatch.setenv("AIRFLOW__FIRMAMENT__ALERT_EMAIL_TO", "a@example.com, b@example.com")

    found = targets(Alerts())

    assert found == Alerts(smtp="ops_mail", email_to=("a@example.com", "b@example.com"))
    assert targets(Alerts(slack="own")) == Alerts(slack="own")
