"""The watcher on a real warehouse, a real web hook, and a server that answers as Airflow does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.incidents.delivery import deliver_due
from include.pools import OWN
from include.registry import write_registry
from include.service_accounts import RUNS
from include.settings import Settings
from include.warehouse.heartbeats import Heartbeats
from include.watcher import Watcher, report_silence
from include.watcher.airflow_checks import OWN_DAGS
from tests.airflow_server import Answers, airflow_server
from tests.incidents.conftest import connection, firm
from tests.sinks import Hook, web_hook

HEALTH = "GET /api/v2/monitor/health"
DAGS = "GET /api/v2/dags?tags=firmament&order_by=dag_id&limit=100&offset=0"
ERRORS = "GET /api/v2/importErrors"
POOLS = "GET /api/v2/pools?limit=100&offset=0&order_by=id"
QUEUE = "GET /api/v2/dags/~/dagRuns/~/taskInstances?state=queued&order_by=run_after&limit=100&offset=0"
RUNNING = "GET /api/v2/dags/~/dagRuns?state=running&limit=100&offset=0"


def ago(**since: float) -> str:
    """The instant so long before now. It is taken in a test: the suite may be collected long before."""
    return (datetime.now(UTC) - timedelta(**since)).isoformat()


def dag(name: str, *, is_paused: bool = False, parsed_minutes_ago: float = 0) -> dict[str, Any]:
    return {"dag_id": name, "is_paused": is_paused, "last_parsed_time": ago(minutes=parsed_minutes_ago)}


def health(**states: str) -> dict[str, Any]:
    parts = dict.fromkeys(("metadatabase", "scheduler", "dag_processor"), "healthy") | states
    return {name: {"status": state} for name, state in parts.items()}


def dags(*found: dict[str, Any]) -> dict[str, Any]:
    return {"dags": found, "total_entries": len(found)}


def own() -> list[dict[str, Any]]:
    return [dag(name) for name in OWN_DAGS]


def queue(*found: dict[str, Any], of: int | None = None) -> dict[str, Any]:
    return {"task_instances": found, "total_entries": len(found) if of is None else of}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with web_hook() as hook:
        monkeypatch.setenv("AIRFLOW_CONN_OPS_HOOK", connection("http", host=hook.url))
        monkeypatch.setenv("FIRMAMENT_ALERT_WEBHOOK", "ops_hook")
        yield hook


@pytest.fixture
def answers(
    hook: Hook, migrated_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Answers]:
    """What Airflow answers: all is well with one firm, which has no schedule."""
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    acme = firm("acme").model_copy(update={"working_day_period": 0})
    write_registry(Settings.read().registry, [acme])
    with airflow_server() as (url, answers, _):
        monkeypatch.setenv(RUNS.variable, RUNS.as_connection(url, "secret"))
        pools = [{"name": name} for name in ("source_csv", *OWN)]
        answers |= {
            HEALTH: [(200, health())],
            DAGS: [(200, dags(dag("firm_acme"), *own()))],
            ERRORS: [(200, {"import_errors": []})],
            POOLS: [(200, {"pools": pools, "total_entries": 3})],
            QUEUE: [(200, queue())],
            RUNNING: [(200, {"dag_runs": [], "total_entries": 0})],
        }
        monkeypatch.setattr("include.watcher.airflow_checks.quote", lambda *_, **__: "then")
        answers[QUEUED] = [(200, {"dag_runs": [], "total_entries": 0})]
        yield answers


QUEUED = "GET /api/v2/dags/~/dagRuns?state=queued&run_after_lte=then&order_by=run_after&limit=100"
TASK = {"dag_id": "firm_acme", "task_id": "rfm"}
RUN = {"dag_id": "firm_acme", "dag_run_id": "backfill__1", "run_after": "2026-11-20T05:00:00Z"}

FAULTS: dict[str, tuple[str, Callable[[], Any], str]] = {
    "service_down": (HEALTH, lambda: health(scheduler="unhealthy"), "scheduler"),
    "dags_missing": (DAGS, lambda: dags(*own()), "dags"),
    "parse_old": (
        DAGS,
        lambda: dags(*(dag(one, parsed_minutes_ago=20) for one in ("firm_acme", *OWN_DAGS))),
        "dag-processor",
    ),
    "dag_paused": (DAGS, lambda: dags(dag("firm_acme", is_paused=True), *own()), "acme"),
    "import_error": (
        ERRORS,
        lambda: {
            "import_errors": [{"filename": "registry_check.py", "stack_trace": "x\nFirmError: damaged"}]
        },
        "registry_check.py",
    ),
    "pool_missing": (
        POOLS,
        lambda: {"pools": [{"name": name} for name in OWN], "total_entries": 2},
        "source_csv",
    ),
    "tasks_queued": (
        QUEUE,
        lambda: queue({**TASK, "queued_when": ago(minutes=40)}),
        "queue",
    ),
    "run_stuck": (
        QUEUED,
        lambda: {"dag_runs": [{**RUN, "queued_at": ago(hours=3)}], "total_entries": 1},
        "acme",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_airflow_is_one_message_and_one_when_it_is_over(
    answers: Answers, hook: Hook, kind: str
) -> None:
    call, fault, resource = FAULTS[kind]
    well = answers[call]
    watcher = Watcher(Settings.read())
    watcher.one_pass()
    answers[call] = [(200, fault())]

    first = [one.kind for one in watcher.one_pass()]
    at_once = list(hook.received)
    for _ in range(3):
        watcher.one_pass()
    answers[call] = well
    after = watcher.one_pass()
    settle()

    assert (first, at_once, after) == ([kind], [], [])
    assert [(one["event"], one["kind"], one["resource"]) for one in hook.received] == [
        ("opened", kind, resource), ("closed", kind, resource),
    ]  # fmt: skip
    assert hook.received[0]["command"].startswith("python -m include")


def settle() -> None:
    """Let the wait of the first message be over: the watcher's heartbeat made it wait for more firms."""
    from include.warehouse.session import Session

    with Session(Settings.read().warehouse_dsn()) as warehouse:
        warehouse.connection.execute("update control.incident_messages set due_at = clock_timestamp()")
    deliver_due(Settings.read())


def test_a_queued_task_is_found_behind_a_hundred_others_and_in_upkeep(answers: Answers) -> None:
    other = {"dag_id": "of_another_team", "task_id": "x", "queued_when": ago(hours=9)}
    young = {**TASK, "queued_when": ago(minutes=1)}
    late = {"dag_id": "firmament_upkeep", "task_id": "sync_firms", "queued_when": ago(minutes=40)}
    old = {**TASK, "queued_when": ago(minutes=40)}
    answers[QUEUE] = [(200, queue(*[other] * 50, *[young] * 50, of=103))]
    answers[QUEUE.replace("offset=0", "offset=100")] = [
        (200, queue(late, old, {**old, "task_id": "ltv"}, of=103))
    ]

    found = Watcher(Settings.read()).one_pass()

    assert [(one.kind, one.firm and one.firm.firm_key, one.says.partition(" is")[0]) for one in found] == [
        ("tasks_queued", None, "sync_firms of firmament_upkeep"),
        ("tasks_queued", "acme", "rfm of firm_acme"),
    ]


def test_an_airflow_that_does_not_answer_is_a_service_that_is_down(
    answers: Answers, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS.variable, RUNS.as_connection("http://127.0.0.1:9", "secret"))
    watcher = Watcher(Settings.read())

    found = [watcher.one_pass() for _ in range(2)][-1]
    settle()

    assert [(one.kind, one.resource) for one in found] == [("service_down", "api-server")]
    assert [one["resource"] for one in hook.received] == ["api-server"]


def test_a_firm_that_misses_its_deadline_is_found(answers: Answers, hook: Hook) -> None:
    late = firm("acme", deadline_hours=1, webhook="ops_hook")
    write_registry(Settings.read().registry, [late])
    from include.warehouse.session import Session

    with Session(Settings.read().warehouse_dsn()) as warehouse:
        warehouse.connection.execute(
            "insert into control.firms (firm_key, name, timezone, currency, updated_at) "
            "values ('acme', 'Acme', 'Europe/London', 'GBP', '2026-01-01')"
        )
    Watcher(Settings.read()).one_pass()
    settle()

    assert [(one["kind"], one["firms"]) for one in hook.received] == [("deadline_missed", ["acme"])]


def test_a_disk_that_is_nearly_full_is_found(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(total=100 * 1024**3, free=1024**3)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    found = Watcher(Settings.read()).one_pass()

    assert [(one.kind, one.says.partition(" are free")[0]) for one in found] == [
        ("disk_low", "1,024 MB (1.0 %)")
    ]


def test_a_warehouse_that_is_down_is_one_message_and_is_over_when_it_is_back(
    answers: Answers, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = os.environ["FIRMAMENT_WAREHOUSE_DSN"]
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", "postgresql://u:p@127.0.0.1:9/none")
    for _ in range(3):
        Watcher(Settings.read()).one_pass()
    down = [one["kind"] for one in hook.received]

    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", up)
    for _ in range(2):
        Watcher(Settings.read()).one_pass()
    settle()

    assert down == ["warehouse_unreachable"]
    assert [(one["event"], one["kind"]) for one in hook.received] == [
        ("opened", "warehouse_unreachable"), ("closed", "warehouse_unreachable"),
    ]  # fmt: skip


def test_a_silent_watcher_is_reported_after_three_minutes_and_one_that_never_ran_is_not(
    answers: Answers, hook: Hook
) -> None:
    settings = Settings.read()
    never = report_silence(settings)
    with Heartbeats(settings.warehouse_dsn()) as heartbeats:
        heartbeats.beat("watcher")
        fresh = report_silence(settings)
        heartbeats.connection.execute(
            "update control.heartbeats set beat_at = beat_at - interval '4 minutes'"
        )
        silent = report_silence(settings)
        heartbeats.beat("watcher")
        back = report_silence(settings)

    assert (never, fresh, silent, back) == ([], [], ["the last heartbeat is 4 minutes old"], [])
    settle()
    assert [(one["event"], one["kind"]) for one in hook.received] == [
        ("opened", "watcher_silent"), ("closed", "watcher_silent"),
    ]  # fmt: skip


def test_each_pass_pings_the_outside_url(
    answers: Answers, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with airflow_server() as (url, pings, asked):
        pings["GET /ping"] = [(200, {})]
        monkeypatch.setenv("FIRMAMENT_PING_URL", f"{url}/ping")
        watcher = Watcher(Settings.read())
        for _ in range(2):
            watcher.one_pass()

    assert [call for call, *_ in asked] == ["GET /ping"] * 2


def test_the_line_of_cron_prints_what_is_wrong_and_imports_no_airflow(answers: Answers) -> None:
    answers[HEALTH] = [(200, health(dag_processor="unhealthy"))]
    code = (
        "import sys; sys.argv = ['watcher', '--once']\n"
        "from include.watcher.__main__ import main\n"
        "code = main(); print('airflow' in sys.modules, file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1:] == ["False"], done.stderr
    assert "service_down dag-processor: Airflow reports dag_processor unhealthy" in done.stdout
    assert done.returncode == 1


def test_the_connection_of_the_service_account_is_read_without_airflow(answers: Answers) -> None:
    from include.connections import connection_in_environment

    fields = connection_in_environment(RUNS.conn_id)

    assert fields is not None
    assert fields["login"] == json.loads(os.environ[RUNS.variable])["login"]
