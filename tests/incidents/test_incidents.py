"""Incidents on a real warehouse and a real web hook: one message per cause, none lost, none sent twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from include.incidents import FailureNotifier
from include.incidents.causes import Cause
from include.incidents.closing import recheck
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, open_incident, report
from include.incidents.spool import recover, send_unsent
from include.registry import write_registry
from include.settings import Settings
from include.source_errors import SourceError
from include.warehouse.heartbeats import Heartbeats
from include.warehouse.incident_messages import IncidentMessages
from include.warehouse.session import Session
from tests.incidents.conftest import context, firm, make_due
from tests.sinks import Hook

DAY = date(2026, 11, 21)
DOWN = Cause(KINDS["source_unreachable"], "shop")
FULL = Cause(KINDS["disk_full"], "disk")
STOPPED = Cause(KINDS["gate_stopped"], "f000/transactions")


def fail(key: str, cause: Cause = DOWN, *, task_id: str = "extract.transactions", **alerts: object) -> None:
    failure = Failure(
        firm(key, **alerts), "SourceError: cannot connect", "http://log", DAY, task_id, f"run {key}"
    )
    open_incident(cause, failure, Settings.read())


def passed(warehouse: Session, key: str, step: str = "extract_transactions", as_of: date = DAY) -> None:
    warehouse.connection.execute(
        "insert into control.step_runs (firm_key, as_of, step, status) values (%s, %s, %s, 'done')",
        [key, as_of, step],
    )


def registered(*keys: str) -> None:
    write_registry(Settings.read().registry, [firm(key) for key in keys])


def events(hook: Hook) -> list[tuple[str, str, int]]:
    return [(one["event"], one["kind"], len(one["firms"])) for one in hook.received]


def test_two_hundred_firms_at_once_with_three_causes_are_three_messages_and_three_when_over(
    hook: Hook, warehouse: Session
) -> None:
    with Heartbeats(warehouse.dsn) as watcher:
        watcher.beat("watcher")
    causes = {"source": DOWN, "disk": FULL, "gate": STOPPED}
    keys = [f"f{number:03}" for number in range(200)]
    start = threading.Barrier(16)

    def one(worker: int) -> None:
        start.wait()
        for key in keys[worker::16]:
            for cause in causes.values():
                fail(key, cause)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(16)))
    before = list(hook.received)
    make_due(warehouse)
    opened = events(hook)
    registered(*keys)
    for key in keys:
        passed(warehouse, key)
    closed = recheck(Settings.read())
    make_due(warehouse)

    assert before == []  # the watcher is there: the first message waits for all firms
    assert sorted(opened) == [
        ("opened", "disk_full", 200), ("opened", "gate_stopped", 200), ("opened", "source_unreachable", 200),
    ]  # fmt: skip
    assert len(closed) == 3
    assert sorted(events(hook)[3:]) == [("closed", *one[1:]) for one in sorted(opened)]
    assert len({one["id"] for one in hook.received}) == 6


def test_an_incident_that_grows_tenfold_sends_one_update_and_not_at_once(
    hook: Hook, warehouse: Session
) -> None:
    for number in range(12):
        fail(f"f{number}")
    at_once = events(hook)
    make_due(warehouse)
    for number in range(12, 30):
        fail(f"f{number}")
    make_due(warehouse)

    assert at_once == [("opened", "source_unreachable", 1)]
    assert events(hook)[1:] == [("grown", "source_unreachable", 12)]
    assert "f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and 2 more" in hook.texts[1]


def test_an_incident_that_is_still_open_the_next_day_is_repeated(hook: Hook, warehouse: Session) -> None:
    fail("acme")
    warehouse.connection.execute(
        "update control.incident_messages set sent_at = sent_at - interval '21 hours'"
    )

    fail("acme")
    make_due(warehouse)

    assert [one["event"] for one in hook.received] == ["opened", "grown"]
    assert hook.texts[1].startswith("Firmament [error]: still open, source shop cannot be reached: firm acme")


def test_a_target_hears_only_of_its_own_firms(hook: Hook, slack: Hook, warehouse: Session) -> None:
    fail("acme")
    fail("boxo", slack="ops_slack")

    assert [one["firms"] for one in hook.received] == [["acme"]]
    assert "firm boxo" in slack.texts[0]
    assert "acme" not in slack.texts[0]


def test_a_message_that_a_target_refused_is_sent_again_with_its_id_and_never_twice(
    hook: Hook, warehouse: Session
) -> None:
    hook.status = 500
    fail("acme")
    for _ in range(8):  # more than half an hour of tries
        make_due(warehouse)
    registered("acme")
    passed(warehouse, "acme")
    recheck(Settings.read())
    hook.status = 200
    tries = len(hook.received)
    sent = [make_due(warehouse) for _ in range(3)]

    assert sent == [2, 0, 0]
    assert len({(one["id"], one["text"]) for one in hook.received[: tries + 1]}) == 1
    assert [one["event"] for one in hook.received[tries:]] == ["opened", "closed"]


def test_a_target_that_refuses_is_asked_less_and_less_often(hook: Hook, warehouse: Session) -> None:
    hook.status = 500
    fail("acme")
    waits = []
    for _ in range(7):
        (row,) = warehouse.rows("select due_at - clock_timestamp() as wait from control.incident_messages")
        waits.append(round(row["wait"].total_seconds()))
        make_due(warehouse)

    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_processes_that_deliver_at_once_send_each_message_once(hook: Hook, warehouse: Session) -> None:
    with Heartbeats(warehouse.dsn) as watcher:
        watcher.beat("watcher")
    for number in range(20):
        fail(f"f{number}", Cause(KINDS["gate_stopped"], f"f{number}/transactions"))
    warehouse.connection.execute("update control.incident_messages set due_at = clock_timestamp()")
    start = threading.Barrier(6)

    def deliver(_: int) -> int:
        from include.incidents.delivery import deliver_due

        start.wait()
        return deliver_due(Settings.read())

    with ThreadPoolExecutor(6) as pool:
        sent = sum(pool.map(deliver, range(6)))

    assert sent == 20
    assert len({one["id"] for one in hook.received}) == len(hook.received) == 20


def test_a_claimed_message_is_sent_by_no_other_process_until_the_claim_ends(
    hook: Hook, warehouse: Session
) -> None:
    hook.status = 500
    fail("acme")
    warehouse.connection.execute("update control.incident_messages set due_at = clock_timestamp()")
    with IncidentMessages(warehouse.dsn) as outbox:
        claimed = outbox.claim_message()
        again = outbox.claim_message()
        warehouse.connection.execute("update control.incident_messages set due_at = clock_timestamp()")
        after = outbox.claim_message()

    assert again is None
    assert claimed is not None
    assert after is not None
    assert claimed["message_id"] == after["message_id"]


def test_an_incident_closes_only_when_every_step_of_the_task_has_passed_since(
    hook: Hook, warehouse: Session
) -> None:
    registered("acme", "boxo")
    passed(warehouse, "acme")  # before the failure
    fail("acme")
    fail("boxo")
    still = recheck(Settings.read())
    passed(warehouse, "acme")
    one_left = recheck(Settings.read())
    warehouse.connection.execute(
        "insert into control.step_runs (firm_key, as_of, step, status) "
        "values ('boxo', %s, 'extract_transactions', 'failed')",
        [DAY],
    )
    failed_again = recheck(Settings.read())
    passed(warehouse, "boxo")
    closed = recheck(Settings.read())

    assert (still, one_left, failed_again, closed) == ([], [], [], [1])
    assert hook.received[-1]["event"] == "closed"


def test_a_later_snapshot_closes_an_incident_and_the_missing_one_is_named(
    hook: Hook, warehouse: Session
) -> None:
    registered("acme")
    fail("acme")
    passed(warehouse, "acme", as_of=date(2026, 11, 22))

    recheck(Settings.read())
    make_due(warehouse)

    assert (
        "Still missing: python -m include backfill acme --from 2026-11-21 --to 2026-11-21" in hook.texts[-1]
    )


def test_the_same_cause_after_an_incident_closed_is_a_new_one(hook: Hook, warehouse: Session) -> None:
    registered("acme")
    fail("acme")
    passed(warehouse, "acme")
    recheck(Settings.read())

    fail("acme")

    assert [(one["event"], one["incident"]) for one in hook.received] == [
        ("opened", 1), ("closed", 1), ("opened", 2),
    ]  # fmt: skip


def test_what_a_check_no_longer_finds_is_closed(hook: Hook, warehouse: Session) -> None:
    kind, settings = KINDS["late_rows"], Settings.read()
    found = [(key, Failure(firm(key), "late", "control.slices", DAY)) for key in ("a", "b")]

    report(kind, found, settings)
    report(kind, found[1:], settings)
    report(kind, [], settings)

    assert [(one["event"], one["firm"]) for one in hook.received] == [
        ("opened", "a"), ("opened", "b"), ("closed", "a"), ("closed", "b"),
    ]  # fmt: skip


def test_an_incident_of_upkeep_is_over_when_its_task_succeeds(
    hook: Hook, warehouse: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.incidents.beats import UpkeepBeat

    monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")
    FailureNotifier()(context(RuntimeError("boom"), step="collect"))
    still = recheck(Settings.read())

    UpkeepBeat()(context(None, step="sync_firms"))
    other = recheck(Settings.read())
    UpkeepBeat()(context(None, step="collect"))

    assert (still, other, recheck(Settings.read())) == ([], [], [1])


def test_while_the_warehouse_is_down_one_message_is_sent_and_everything_is_recorded_later(
    hook: Hook, migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = SourceError("cannot connect")
    for number in range(30):
        FailureNotifier(firm(f"f{number}", conn_id="shop"))(context(error))
    sent = list(hook.received)
    with pytest.raises(Exception, match="cannot be reached"):
        recover(Settings.read())

    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    moved = recover(Settings.read())
    with Session(migrated_dsn) as warehouse:
        make_due(warehouse)
        (row,) = warehouse.rows(
            "select count(*) as firms, max(as_of) as as_of, min(run_id) as run_id from control.incident_firms"
        )

    assert [(one["event"], one["command"]) for one in sent] == [("opened", "python -m include doctor")]
    assert "Not recorded yet: the warehouse is down" in sent[0]["text"]
    assert moved == 30
    assert row == {"firms": 30, "as_of": DAY, "run_id": "scheduled__2026-11-20"}
    assert [one["event"] for one in hook.received[1:]] == [
        "grown"
    ]  # 30 firms where the first message had one
    assert recover(Settings.read()) == 0


def test_while_warehouse_and_target_are_down_nothing_is_lost(hook: Hook) -> None:
    hook.status = 500
    FailureNotifier(firm())(context(RuntimeError("boom")))
    send_unsent(Settings.read())
    hook.status = 200

    send_unsent(Settings.read())
    send_unsent(Settings.read())

    assert len(hook.received) == 3


def test_a_failure_is_recorded_before_it_is_sent(
    hook: Hook, warehouse: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("include.incidents.delivery.send", killed)
    with pytest.raises(KeyboardInterrupt):
        fail("acme")
    monkeypatch.undo()

    rows = warehouse.rows("select message_kind, sent_at from control.incident_messages")
    assert rows == [{"message_kind": "opened", "sent_at": None}]


def test_a_cause_has_at_most_one_open_incident(warehouse: Session) -> None:
    row = (
        "insert into control.incidents (place, kind, resource_name, severity, error) "
        "values ('store', 'x', 'y', 'error', 'z')"
    )
    warehouse.connection.execute(row)

    with pytest.raises(psycopg.errors.UniqueViolation):
        warehouse.connection.execute(row)
