"""Targets that keep what they were sent, a migrated warehouse, and the failures of firms."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.firms import Alerts, FirmShape
from include.incidents.delivery import deliver_due
from include.settings import Settings
from include.warehouse.session import Session
from tests.sinks import Hook, Mailbox, mail_server, web_hook


@pytest.fixture(autouse=True)
def _airflow(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    # No server listens there: a message must not need the warehouse.
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
def warehouse(migrated_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    with Session(migrated_dsn) as session:
        yield session


def connection(kind: str, **parts: object) -> str:
    return json.dumps({"conn_type": kind, **parts})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def firm(key: str = "acme", *, conn_id: str = "", **alerts: Any) -> FirmShape:
    kind = "postgres" if conn_id else "csv"
    return FirmShape(
        firm_key=key,
        name="Acme {{ 7 * 6 }}",
        timezone="Europe/London",
        working_day_period=1,
        source_kind=kind,
        pool=f"source_{conn_id or kind}",
        alerts=Alerts(**(alerts or {"webhook": "ops_hook"})),
    )


def context(
    error: BaseException | None,
    *,
    step: str = "extract.customers",
    reason: str | None = None,
    run_type: str = "scheduled",
) -> dict[str, object]:
    run = SimpleNamespace(
        run_after=datetime(2026, 11, 21, 6, tzinfo=UTC),
        data_interval_end=datetime(2026, 11, 21, 5, tzinfo=UTC),
        run_type=run_type,
        clear_number=0,
    )
    instance = SimpleNamespace(task_id=step, dag_id="firm_acme", log_url=f"http://localhost/{step}")
    return {
        "dag_run": run,
        "run_id": f"{run_type}__2026-11-20",
        "params": {"as_of": None},
        "ti": instance,
        "exception": error,
        "reason": reason,
    }


def make_due(warehouse: Session) -> int:
    """Let the wait of every message be over, and send what is due."""
    warehouse.connection.execute("update control.incident_messages set due_at = clock_timestamp()")
    return deliver_due(Settings.read())
