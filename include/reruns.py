"""Run the failures of an incident again: in Airflow, so that its run turns green, or in this process.

A failed run is cleared. A snapshot without a run is started with its ``as_of``; so is a run of a backfill,
because a cleared run of a cancelled backfill stays queued for ever (airflow#72337).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from include.airflow_api import AirflowApi, AirflowError
from include.firms import parse_firm
from include.incidents.kinds import Kind
from include.run.attempts import Attempt
from include.run.firm import StepFailedError, chosen_steps, run_firm
from include.service_accounts import RUNS, sign_in
from include.settings import Settings, SettingsError
from include.warehouse import Warehouse

NO_AIRFLOW = (SettingsError, AirflowError, OSError)


class Rerun(NamedTuple):
    """A snapshot to run again, its run in Airflow, and how much of it: the failed tasks, or everything."""

    firm_key: str
    as_of: date
    run_id: str | None
    is_whole: bool


def reruns_of(kind: Kind, entries: Iterable[Mapping[str, Any]]) -> list[Rerun]:
    """What to run again for the failures that are not gone: one row per firm and snapshot."""
    found = {
        (entry["firm_key"], entry["as_of"]): Rerun(
            entry["firm_key"], entry["as_of"], entry["run_id"], kind.rerun == "extract"
        )
        for entry in entries
        if kind.rerun and entry["firm_key"] and entry["as_of"] and entry["gone_at"] is None
    }
    return list(found.values())


def airflow() -> AirflowApi | None:
    """Airflow's API, signed in; None when there is no connection for it or it does not answer."""
    try:
        return sign_in(RUNS, timeout=10)
    except NO_AIRFLOW:
        return None


def rerun_in_airflow(api: AirflowApi, reruns: Iterable[Rerun]) -> Iterator[tuple[str, bool]]:
    """Clear or start each run; a line of text for each, and whether Airflow accepted it."""
    for one in reruns:
        dag_id, snapshot = f"firm_{one.firm_key}", f"{one.firm_key} as of {one.as_of}"
        try:
            if one.run_id and not one.run_id.startswith("backfill__"):
                cleared = _clear(api, dag_id, one.run_id, only_failed=not one.is_whole)
                if cleared:
                    yield (
                        f"{snapshot}: {cleared} tasks of run {one.run_id} run again{_paused(api, dag_id)}",
                        True,
                    )
                    continue
            run_id = f"rerun__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
            api.trigger(dag_id, run_id, {"as_of": one.as_of.isoformat()})
            yield f"{snapshot}: run {run_id} is started{_paused(api, dag_id)}", True
        except (AirflowError, OSError) as error:
            yield f"{snapshot}: {error}", False


def rerun_here(reruns: Iterable[Rerun]) -> Iterator[tuple[str, bool]]:
    """Run each snapshot in this process and skip what is done; a line for each, and whether it passed."""
    for one in reruns:
        snapshot = f"{one.firm_key} as of {one.as_of}"
        with Warehouse(Settings.read().warehouse_dsn()) as warehouse:
            modules = parse_firm(warehouse.firms.firm_row(one.firm_key)).modules
            last = None if one.is_whole else warehouse.runs.last_run_id(one.firm_key, one.as_of)
        attempt = Attempt(
            last or f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}", may_skip=last is not None
        )
        try:
            outcomes = run_firm(one.firm_key, one.as_of, chosen_steps(modules), attempt=attempt)
        except StepFailedError as error:
            yield f"{snapshot}: {str(error).splitlines()[0]}", False
            continue
        yield f"{snapshot}: {len(outcomes)} steps done", True


def _clear(api: AirflowApi, dag_id: str, run_id: str, *, only_failed: bool) -> int:
    """Clear a run's tasks, so that Airflow runs them again; how many. The finished run is running again."""
    body = {"dry_run": False, "dag_run_id": run_id, "only_failed": only_failed, "reset_dag_runs": True}
    return int(api.call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)["total_entries"])


def _paused(api: AirflowApi, dag_id: str) -> str:
    """What to type when Airflow would not run it, because the DAG is paused."""
    if api.call("GET", f"/api/v2/dags/{dag_id}")["is_paused"]:
        return f"; the DAG is paused: python -m include airflow dags unpause {dag_id}"
    return ""
