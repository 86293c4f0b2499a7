import copy
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.alerts import (
    VANISHED,
    Failure,
    FailureNotifier,
    cause_of,
    first_line,
    send,
    send_again,
    send_once,
    targets,
)
from include.firms import Alerts, FirmShape
from include.quality import QualityError
from include.service_accounts import RUNS
from include.warehouse.alerts import AlertQueue
from tests.airflow_server import airflow_server
from tests.sinks import Hook, Mailbox, mail_server, web_hook


@pytest.fixture(autouse=True)
def _airflow(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    # Nobody listens there: an alert must not need the warehouse.
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", f"postgresql://u:p@127.0.0.1:{free_port()}/none")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with web_hook() as hook:
        monkeypatch.setenv("AIRFLOW_CONN_OPS_HOOK", connection("http", host=hook.url))
        yield hook


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with web_hook() as hook:
        monkeypatch.setenv("AIRFLOW_CONN_OPS_SLACK", connection("slackwebhook", password=hook.url))
        yield hook


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "firmament@example.com"}
        uri = connection("smtp", host="127.0.0.1", port=mailbox.port, extra=json.dumps(extra))
        monkeypatch.setenv("AIRFLOW_CONN_OPS_MAIL", uri)
        yield mailbox


@pytest.fixture
def queue(migrated_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlertQueue]:
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    with AlertQueue(migrated_dsn) as queue:
        yield queue


def connection(kind: str, **parts: object) -> str:
    return json.dumps({"conn_type": kind, **parts})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def firm(**alerts: object) -> FirmShape:
    return FirmShape(
        firm_key="acme",
        name="Acme {{ 7 * 6 }}",
        timezone="Europe/London",
        working_day_period=1,
        source_kind="csv",
        pool="source_csv",
        alerts=Alerts(**alerts),
    )


def failure(error: str = "SourceError: the table is gone", **changes: str) -> Failure:
    parts = {
        "firm_key": "acme",
        "step": "extract_customers",
        "as_of": "2026-11-21",
        "error": error,
        "log_url": "http://localhost/dags/firm_acme",
        "rerun": "python -m include run acme --as-of 2026-11-21 --resume",
    }
    parts |= changes
    return Failure(**{"cause": cause_of(*parts.values()), **parts})


def context(
    error: BaseException | None,
    *,
    step: str = "extract_customers",
    cleared: int = 0,
    reason: str | None = None,
) -> dict[str, object]:
    run = SimpleNamespace(
        run_after=datetime(2026, 11, 21, 6, tzinfo=UTC),
        data_interval_end=datetime(2026, 11, 21, 5, tzinfo=UTC),
        run_type="scheduled",
        clear_number=cleared,
    )
    instance = SimpleNamespace(task_id=step, dag_id="firm_acme", log_url=f"http://localhost/{step}")
    return {
        "dag_run": run,
        "run_id": "scheduled__2026-11-20",
        "params": {"as_of": None},
        "ti": instance,
        "exception": error,
        "reason": reason,
    }


def test_a_message_names_firm_step_as_of_error_log_and_rerun(hook: Hook) -> None:
    failed = FailureNotifier(firm(webhook="ops_hook"))

    failed(context(RuntimeError("the table is gone\nand more")))

    assert hook.texts == [
        "Firmament: acme failed at extract_customers, as of 2026-11-21\n"
        "RuntimeError: the table is gone\n"
        "Log: http://localhost/extract_customers\n"
        "Rerun: python -m include run acme --as-of 2026-11-21 --resume"
    ]
    assert hook.received[0]["step"] == "extract_customers"


def test_slack_alerts_use_airflows_notifier(slack: Hook) -> None:
    sent = send(failure("ValueError: <!channel> & {{ 7 * 6 }}"), Alerts(slack="ops_slack"))

    assert sent == ["slack"]
    assert "ValueError: &lt;!channel&gt; &amp; {{ 7 * 6 }}" in slack.texts[0]


def test_mail_alerts_use_airflows_notifier(mailbox: Mailbox) -> None:
    alerts = Alerts(smtp="ops_mail", email_to=("a@example.com", "b@example.com"))

    sent = send(failure("ValueError: <b>{{ 7 * 6 }}</b>"), alerts)

    (mail,) = mailbox.received
    assert sent == ["smtp"]
    assert mail["Subject"] == "Firmament: acme failed at extract_customers, as of 2026-11-21"
    assert mail["To"] == "a@example.com, b@example.com"
    assert "&lt;b&gt;{{ 7 * 6 }}&lt;/b&gt;" in mail.get_body(("html",)).get_content()


def test_an_alert_goes_to_every_target_of_the_firm(hook: Hook, slack: Hook, mailbox: Mailbox) -> None:
    alerts = Alerts(webhook="ops_hook", slack="ops_slack", smtp="ops_mail", email_to=("a@example.com",))

    sent = send(failure(), alerts)

    assert sent == ["webhook", "slack", "smtp"]
    assert [len(hook.received), len(slack.received), len(mailbox.received)] == [1, 1, 1]


def test_an_unreachable_target_does_not_delay_the_others(
    slack: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = f"http://127.0.0.1:{free_port()}/services/T00/very-secret"
    monkeypatch.setenv("AIRFLOW_CONN_OPS_HOOK", connection("http", host=secret))
    started = time.monotonic()

    with caplog.at_level(logging.WARNING, logger="include.alerts"):
        sent = send(failure(), Alerts(webhook="ops_hook", slack="ops_slack"))

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("include.alerts")]
    assert sent == ["slack"]
    assert "was not sent by webhook (ConnectionError)" in ours[0]
    assert "very-secret" not in "".join(ours)
    assert time.monotonic() - started < 15


def test_a_target_that_refuses_is_logged(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    hook.status = 500

    with caplog.at_level(logging.WARNING, logger="include.alerts"):
        sent = send(failure(), Alerts(webhook="ops_hook"))

    assert sent == []
    assert "No target accepted the alert" in caplog.text


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.status = 307

    send(failure(), Alerts(webhook="ops_hook"))

    assert len(hook.received) == 1


def test_a_missing_connection_is_logged_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    FailureNotifier(firm(webhook="nowhere"))(context(RuntimeError("boom")))

    assert "nowhere" in caplog.text


def test_a_firm_without_targets_uses_the_installations(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")

    FailureNotifier(firm())(context(RuntimeError("boom")))

    assert len(hook.received) == 1


def test_the_installations_targets_may_be_set_in_airflow_cfg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__FIRMAMENT__ALERT_SMTP", "ops_mail")
    monkeypatch.setenv("AIRFLOW__FIRMAMENT__ALERT_EMAIL_TO", "a@example.com, b@example.com")

    found = targets(Alerts())

    assert found == Alerts(smtp="ops_mail", email_to=("a@example.com", "b@example.com"))
    assert targets(Alerts(slack="own")) == Alerts(slack="own")


def test_a_killed_task_sends_an_alert_without_an_error_text(hook: Hook) -> None:
    FailureNotifier(firm(webhook="ops_hook"))(context(None))

    assert VANISHED in hook.texts[0]


def test_a_failed_run_sends_an_alert_only_if_no_task_did(hook: Hook) -> None:
    failed = FailureNotifier(firm(webhook="ops_hook"))

    failed(context(None, reason="task_failure"))
    failed(context(None, reason="timed_out"))

    assert len(hook.received) == 1
    assert "acme failed at the whole run" in hook.texts[0]
    assert hook.received[0]["rerun"] == "python -m include run acme --as-of 2026-11-21"


def test_a_failed_run_opens_the_warehouse_only_for_a_message_to_be_sent_again(
    hook: Hook, queue: AlertQueue
) -> None:
    failed = FailureNotifier(firm(webhook="ops_hook"))

    failed(context(None, reason="timed_out"))
    taken = queue.rows("select step from control.alerts")
    hook.status = 500
    failed(context(None, reason="all_tasks_deadlocked"))

    assert taken == []
    assert queue.rows("select step, sent_at from control.alerts") == [
        {"step": "the whole run", "sent_at": None}
    ]


def test_a_notifier_that_was_copied_with_the_default_args_is_the_same(hook: Hook) -> None:
    notifier = FailureNotifier(firm(webhook="ops_hook"))

    assert copy.deepcopy(notifier) == notifier


def test_the_run_gets_a_note_of_the_stage_that_failed(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    with airflow_server() as (url, answers, asked):
        patch = "PATCH /api/v2/dags/firm_acme/dagRuns/scheduled__2026-11-20?update_mask=note"
        answers[patch] = [(200, {})]
        monkeypatch.setenv("AIRFLOW_CONN_FIRMAMENT_AIRFLOW", RUNS.as_connection(url, "secret"))

        FailureNotifier(firm(webhook="ops_hook"))(
            context(RuntimeError("the table is gone\nmore"), step="rfm")
        )

    assert asked[-1][:2] == (
        patch,
        {"note": "as_of 2026-11-21 · failed at rfm: RuntimeError: the table is gone"},
    )


def test_upkeep_alerts_go_to_the_installations_targets(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")

    FailureNotifier()(context(RuntimeError("boom"), step="migrate"))

    assert "upkeep failed at migrate" in hook.texts[0]


def test_one_cause_in_many_steps_is_one_message(hook: Hook, queue: AlertQueue) -> None:
    failed = FailureNotifier(firm(webhook="ops_hook"))

    for step in ("extract_customers", "extract_products", "extract_transactions"):
        failed(context(RuntimeError("the source is down"), step=step))
    failed(context(RuntimeError("the table is gone"), step="extract_loyalty_movements"))

    assert [message["error"] for message in hook.received] == [
        "RuntimeError: the source is down",
        "RuntimeError: the table is gone",
    ]


def test_a_cleared_run_that_fails_again_sends_another_alert(hook: Hook, queue: AlertQueue) -> None:
    failed = FailureNotifier(firm(webhook="ops_hook"))

    failed(context(RuntimeError("down"), cleared=0))
    failed(context(RuntimeError("down"), cleared=1))

    assert len({message["id"] for message in hook.received}) == 2


def test_an_undelivered_alert_is_sent_again(hook: Hook, queue: AlertQueue) -> None:
    hook.status = 500
    send_once(failure(), Alerts(webhook="ops_hook"))
    queue.connection.execute("update control.alerts set tried_at = tried_at - interval '3 minutes'")
    hook.status = 200

    told = send_again({"acme": Alerts(webhook="ops_hook")})

    assert told == 1
    assert [message["id"] for message in hook.received] == [failure().cause] * 2
    assert hook.texts[0] == hook.texts[1]
    assert send_again({"acme": Alerts(webhook="ops_hook")}) == 0


def test_an_alert_claimed_by_another_process_is_not_sent(queue: AlertQueue) -> None:
    row = {**vars(failure()), "as_of": None}

    assert queue.claim(row)
    assert not queue.claim(row)


def test_a_database_error_is_its_code_and_primary_message(postgres_server, warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        connection.execute("create table t (name text unique)")
        connection.execute("insert into t values ('Jane Doe')")
        with pytest.raises(psycopg.Error) as duplicate:
            connection.execute("insert into t values ('Jane Doe')")
        with pytest.raises(psycopg.Error) as mistyped:
            connection.execute("select 'Jane Doe'::int")
        wrapped = RuntimeError(f"loading t: {duplicate.value}")
        wrapped.__cause__ = duplicate.value

    lines = [first_line(error) for error in (duplicate.value, mistyped.value, wrapped)]

    assert lines[0].startswith("UniqueViolation: 23505 duplicate key value violates unique constraint")
    assert lines[1] == 'InvalidTextRepresentation: 22P02 invalid input syntax for type integer: "…"'
    assert lines[2].startswith("RuntimeError: loading t: 23505 duplicate key")
    assert "Jane" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cannot reach postgresql://bob:hunter2@db/shop", "cannot reach postgresql://***@db/shop"),
        ("login failed, password=hunter2 user=bob", "login failed, password=*** user=bob"),
        ("bad value ann.smith+x@example.co.uk in email", "bad value (e-mail) in email"),
        ("bad phone +44 20 7946 0958", "bad phone (number)"),
        ("rows 12 to 4000 as of 2026-11-21", "rows 12 to 4000 as of 2026-11-21"),
        ("", ""),
    ],
)
def test_secrets_and_contact_data_are_masked(text: str, line: str) -> None:
    assert first_line(ValueError(text)) == f"ValueError: {line}".removesuffix(": ")


def test_a_long_line_is_truncated() -> None:
    assert len(first_line(ValueError("x" * 5000))) == 300
    assert first_line(OSError("password authentication failed")) == "OSError: password authentication failed"


def test_an_alert_shows_what_failed_and_not_the_class_by_which_airflow_ends_a_task():
    with pytest.raises(AirflowFailException) as caught:
        raise AirflowFailException("transactions 2026-11: grain_unique") from QualityError("transactions")

    assert first_line(caught.value) == "transactions 2026-11: grain_unique"
    assert first_line(AirflowFailException()) == "AirflowFailException"


def test_importing_alerts_loads_no_airflow_and_no_driver() -> None:
    code = "import sys, include.alerts; print([m for m in ('airflow', 'psycopg') if m in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
