"""Checks of a running Airflow through its REST API, signed in as the account that writes notes of runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from include.airflow_api import AirflowApi, AirflowError
from include.connections import MissingConnectionError
from include.firms import FirmShape
from include.pools import wanted_pools
from include.service_accounts import RUNS, sign_in
from include.settings import SettingsError
from include.watcher.finding import Finding

TIMEOUT_SECONDS = 10.0
PARSE_AGE = timedelta(minutes=10)
QUEUE_AGE = timedelta(minutes=15)
STUCK_AGE = timedelta(hours=2)
OWN_DAGS = ("firmament_upkeep", "firmament_heartbeat", "firmament_backfill")
SHOWN = 5
SERVICES = {"metadatabase": "database", "scheduler": "scheduler", "dag_processor": "dag-processor"}
AIRFLOW_KINDS = (
    "service_down", "dags_missing", "import_error", "parse_old", "tasks_queued", "run_stuck", "pool_missing",
    "dag_paused",
)  # fmt: skip

log = logging.getLogger(__name__)
Firms = Mapping[str, FirmShape]


def airflow_findings(firms: Firms, *, now: datetime) -> list[Finding]:
    """What is wrong with Airflow; nothing when this installation has no connection for its API."""
    try:
        api = sign_in(RUNS, timeout=TIMEOUT_SECONDS)
    except MissingConnectionError:
        return []
    except (AirflowError, SettingsError, OSError) as error:
        return [Finding("service_down", "api-server", f"the API server does not answer: {error}")]
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(api, firms, now)
        except AirflowError as error:
            log.warning("Airflow refused a check of the watcher: %s", error)
        except OSError as error:
            found.append(Finding("service_down", "api-server", f"the API server does not answer: {error}"))
            break
    return found


def _services(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    for name, part in api.call("GET", "/api/v2/monitor/health").items():
        if name in SERVICES and part["status"] != "healthy":
            beat = part.get(f"latest_{name}_heartbeat")
            says = f"Airflow reports {name} {part['status']}, last heartbeat {beat or 'never'}"
            yield Finding("service_down", SERVICES[name], says)


def _dags(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    """DAGs of the registry that Airflow does not show, and DAGs that are paused in Airflow alone."""
    shown = {dag["dag_id"]: dag for dag in _pages(api, "/api/v2/dags?tags=firmament&order_by=dag_id", "dags")}
    wanted = {f"firm_{key}" for key in firms} | set(OWN_DAGS)
    if missing := sorted(wanted - shown.keys()):
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        says = f"{len(missing)} of {len(wanted)} DAGs are missing: {', '.join(missing[:SHOWN])}{more}"
        yield Finding("dags_missing", "dags", says)
    if parsed := [dag["last_parsed_time"] for dag in shown.values() if dag["last_parsed_time"]]:
        age = now - max(datetime.fromisoformat(text) for text in parsed)
        if age > PARSE_AGE:
            says = f"the last DAG file was parsed {int(age.total_seconds() // 60)} minutes ago"
            yield Finding("parse_old", "dag-processor", says)
    for key, firm in firms.items():
        dag = shown.get(f"firm_{key}")
        if dag is not None and dag["is_paused"] and not firm.is_paused:
            yield Finding("dag_paused", key, "the DAG is paused in Airflow, the firm is not", firm=firm)


def _import_errors(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    for text in api.import_errors():
        name, _, error = text.partition(": ")
        yield Finding("import_error", name, error or text)


def _pools(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    for name in sorted(wanted_pools(firms.values()) - api.pools()):
        yield Finding("pool_missing", name, f"Airflow has no pool {name}; its tasks wait for ever")


def _queue(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    """Tasks of ours that are queued for long: one finding per firm, or per DAG of the installation."""
    path = "/api/v2/dags/~/dagRuns/~/taskInstances?state=queued&order_by=run_after"
    seen = set()
    for task in _pages(api, path, "task_instances"):
        since, dag_id = task["queued_when"], task["dag_id"]
        firm = firms.get(dag_id.removeprefix("firm_"))
        is_ours = firm is not None or dag_id in OWN_DAGS
        is_old = since and now - datetime.fromisoformat(since) > QUEUE_AGE
        if is_old and is_ours and dag_id not in seen:
            seen.add(dag_id)
            says = f"{task['task_id']} of {dag_id} is queued since {since}"
            yield Finding("tasks_queued", "queue", says, firm=firm)


def _runs(api: AirflowApi, firms: Firms, now: datetime) -> Iterator[Finding]:
    """Runs that are queued for long while no other run of their DAG is active."""
    before = quote((now - STUCK_AGE).isoformat(), safe="")
    path = f"/api/v2/dags/~/dagRuns?state=queued&run_after_lte={before}&order_by=run_after&limit=100"
    queued = [run for run in api.call("GET", path)["dag_runs"] if _queued_for_long(run, now)]
    if not queued:
        return
    running = {run["dag_id"] for run in _pages(api, "/api/v2/dags/~/dagRuns?state=running", "dag_runs")}
    for run in queued:
        firm = firms.get(run["dag_id"].removeprefix("firm_"))
        if firm is not None and run["dag_id"] not in running:
            says = f"run {run['dag_run_id']} is queued since {run['queued_at']}"
            end = run.get("data_interval_end") or run["run_after"]
            yield Finding("run_stuck", firm.firm_key, says, firm=firm, as_of=_day(end, firm))


def _queued_for_long(run: Mapping[str, Any], now: datetime) -> bool:
    since = run["queued_at"]
    return bool(since) and now - datetime.fromisoformat(since) > STUCK_AGE


def _day(instant: str, firm: FirmShape) -> Any:
    from include.periods import as_of_of_interval

    return as_of_of_interval(datetime.fromisoformat(instant), firm.timezone)


def _pages(api: AirflowApi, path: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        joint = "&" if "?" in path else "?"
        page = api.call("GET", f"{path}{joint}limit=100&offset={len(found)}")
        found += page[name]
        if not page[name] or len(found) >= page["total_entries"]:
            return found


CHECKS: tuple[Callable[[AirflowApi, Firms, datetime], Iterator[Finding]], ...] = (
    _services, _dags, _import_errors, _pools, _queue, _runs,
)  # fmt: skip
