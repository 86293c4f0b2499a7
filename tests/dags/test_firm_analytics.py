from pathlib import Path
from typing import Any

import pytest

from include.firms import MODULES, FirmShape
from include.registry import last_good, write_registry
from include.steps import steps_for, upstream
from tests.dags.conftest import Parse


def firm(key: str, **changes: object) -> FirmShape:
    plain: dict[str, object] = {
        "firm_key": key,
        "name": key.title(),
        "timezone": "Europe/London",
        "working_day_period": 1,
        "source_kind": "csv",
        "pool": "source_csv",
    }
    return FirmShape.model_validate({**plain, **changes})


FIRMS = (
    firm("daily", owner="shop team", schedule_hour=3, timezone="America/New_York"),
    firm("weekly", working_day_period=7),
    firm("thrice", working_day_period=3, timezone="Australia/Lord_Howe"),
    firm("inactive", working_day_period=0),
    firm("paused", is_paused=True),
    firm("bare", modules=()),
)


@pytest.fixture(scope="module")
def parsed(parse: Parse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    registry = tmp_path_factory.mktemp("firms") / "registry.json"
    write_registry(registry, FIRMS)
    return parse(registry)


def dag(parsed: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = parsed["dags"][f"firm_{key}"]["dag"]
    return found


def tasks(parsed: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    defaults = parsed["dags"][f"firm_{key}"].get("client_defaults", {}).get("tasks", {})
    return {one["__var"]["task_id"]: {**defaults, **one["__var"]} for one in dag(parsed, key)["tasks"]}


def test_each_firm_has_one_dag_and_upkeep_its_own(parsed: dict[str, Any]) -> None:
    expected = {f"firm_{one.firm_key}" for one in FIRMS} | {"firmament_upkeep"}

    assert set(parsed["dags"]) == expected
    assert parsed["errors"] == {}


def test_importing_the_dag_files_connects_to_nothing_and_loads_nothing_heavy(parsed: dict[str, Any]) -> None:
    # The probe refuses every connection while it imports; a refusal would be an import error.
    assert parsed["errors"] == {}
    assert parsed["heavy_before"] == []
    assert parsed["heavy"] == []


def test_each_step_is_a_task_after_the_steps_it_waits_for(parsed: dict[str, Any]) -> None:
    steps = steps_for(MODULES)

    found = tasks(parsed, "daily")

    assert set(found) == {step.name for step in steps}
    for step in steps:
        downstream = {other.name for other in steps if step.name in upstream(other, steps)}
        assert set(found[step.name].get("downstream_task_ids", [])) == downstream


def test_upkeep_does_every_chore_once_the_schema_stands(parsed: dict[str, Any]) -> None:
    found = {
        one["__var"]["task_id"]: one["__var"] for one in parsed["dags"]["firmament_upkeep"]["dag"]["tasks"]
    }

    chores = {
        "sync_firms",
        "collect",
        "check_snapshots",
        "check_late_rows",
        "resend_alerts",
        "deliver_changes",
    }
    assert set(found) == chores | {"migrate"}
    assert set(found["migrate"]["downstream_task_ids"]) == chores


def test_a_module_that_is_off_has_no_tasks(parsed: dict[str, Any]) -> None:
    assert set(tasks(parsed, "bare")) == {step.name for step in steps_for(())}
    assert len(tasks(parsed, "bare")) < len(tasks(parsed, "daily"))


def test_the_schedule_is_by_intervals_at_the_firms_own_hour(parsed: dict[str, Any]) -> None:
    found = {one.firm_key: dag(parsed, one.firm_key)["timetable"] for one in FIRMS}

    cron = "airflow.timetables.interval.CronDataIntervalTimetable"
    none = "airflow.timetables.simple.NullTimetable"
    assert found["daily"] == {
        "__type": cron,
        "__var": {"expression": "0 3 * * *", "timezone": "America/New_York"},
    }
    assert found["weekly"]["__var"]["expression"] == "0 5 * * 1"
    assert found["thrice"] == {
        "__type": "firmament_plugin.EveryDays",
        "__var": {"days": 3, "hour": 5, "zone": "Australia/Lord_Howe"},
    }
    assert [found["inactive"]["__type"], found["paused"]["__type"]] == [none, none]


def test_a_dag_runs_by_itself_one_run_at_a_time_and_without_catching_up(parsed: dict[str, Any]) -> None:
    found = dag(parsed, "daily")

    assert found["is_paused_upon_creation"] is False
    assert found["max_active_runs"] == 1
    assert found["catchup"] is False
    assert found["dagrun_timeout"] == 20 * 3600


def test_a_dag_is_named_tagged_and_owned(parsed: dict[str, Any]) -> None:
    found = dag(parsed, "daily")

    assert found["dag_display_name"] == "Daily"
    assert found["tags"] == ["csv", "firm:daily", "firmament"]
    assert {task["owner"] for task in tasks(parsed, "daily").values()} == {"shop team"}


def test_as_of_may_only_be_a_date_or_nothing(parsed: dict[str, Any]) -> None:
    ((name, param),) = dag(parsed, "daily")["params"]

    assert name == "as_of"
    assert param["default"] is None
    assert param["schema"]["__var"]["type"] == ["null", "string"]
    assert param["schema"]["__var"]["format"] == "date"


def test_retries_timeouts_and_pools_fit_the_kind_of_step(parsed: dict[str, Any]) -> None:
    found = tasks(parsed, "daily")

    for step in steps_for(MODULES):
        task = found[step.name]
        assert task.get("retries", 0) == step.retries
        assert task["execution_timeout"] == step.timeout_minutes * 60
        assert task.get("pool") == ("source_csv" if step.kind == "extract" else None)
        assert task["retry_exponential_backoff"] == 2
    assert found["extract_customers"]["retry_delay"] > found["rfm_values"]["retry_delay"]


def test_every_task_says_what_it_does_and_how_to_rerun_it(parsed: dict[str, Any]) -> None:
    for name, task in tasks(parsed, "daily").items():
        page = task["doc_md"]
        for part in ("**Reads**", "**Writes**", "**grain**", "**First thing to check**", "*Clear*"):
            assert part in page, (name, part)
        assert f"python -m include run daily --as-of DATE --from {name}" in page
    assert "python -m include run daily --as-of DATE" in dag(parsed, "daily")["doc_md"]
    assert "airflow backfill create --dag-id firm_daily" in dag(parsed, "daily")["doc_md"]


def test_no_task_renders_what_a_person_typed(parsed: dict[str, Any]) -> None:
    for task in tasks(parsed, "daily").values():
        assert not task.get("op_args")
        assert not task.get("op_kwargs")


def test_alerts_hang_on_every_task_and_on_the_run(parsed: dict[str, Any]) -> None:
    assert all(task.get("has_on_failure_callback") for task in tasks(parsed, "daily").values())
    assert not any(task.get("has_on_retry_callback") for task in tasks(parsed, "daily").values())
    assert dag(parsed, "daily").get("has_on_failure_callback")


def test_only_the_firm_that_changed_has_another_dag(
    parse: Parse, parsed: dict[str, Any], tmp_path: Path
) -> None:
    registry = tmp_path / "registry.json"
    kept = [one for one in FIRMS if one.firm_key not in ("bare", "weekly")]
    write_registry(registry, [*kept, firm("weekly", working_day_period=7, schedule_hour=9), firm("new")])

    changed = parse(registry)

    before, after = parsed["dags"], changed["dags"]
    assert set(before) - set(after) == {"firm_bare"}
    assert set(after) - set(before) == {"firm_new"}
    assert [name for name in before if name in after and before[name] != after[name]] == ["firm_weekly"]


def test_a_worker_builds_the_one_dag_it_was_asked_for(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    write_registry(registry, FIRMS)

    found = parse(registry, file="firm_analytics.py", _AIRFLOW_PARSING_CONTEXT_DAG_ID="firm_weekly")

    assert set(found["dags"]) == {"firm_weekly"}


def test_a_corrupt_registry_is_shown_and_yesterdays_dags_stand(
    parse: Parse, parsed: dict[str, Any], tmp_path: Path
) -> None:
    registry = tmp_path / "registry.json"
    write_registry(registry, FIRMS)
    registry.write_text(registry.read_text()[:200])

    found = parse(registry)

    assert found["dags"] == parsed["dags"]
    # Airflow retires every DAG of a file with an import error, so this one has none.
    assert list(found["errors"]) == ["registry_check.py"]
    assert "python -m include firms sync" in found["errors"]["registry_check.py"]


def test_without_a_good_copy_the_corrupt_registry_stops_the_firms_alone(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    write_registry(registry, FIRMS)
    registry.write_text("")
    last_good(registry).write_text("")

    found = parse(registry)

    assert set(found["dags"]) == {"firmament_upkeep"}
    assert set(found["errors"]) == {"firm_analytics.py", "registry_check.py"}


def test_two_hundred_firms_are_parsed_well_within_airflows_limits(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    write_registry(registry, [firm(f"f{number:03d}") for number in range(200)])

    found = parse(registry, file="firm_analytics.py")

    # Seconds of this process, as the machine may be busy. Airflow's own limits are 30 s an import and 50 s
    # a file.
    assert len(found["dags"]) == 200
    assert found["seconds"]["build"] < 20
    assert found["seconds"]["build"] + found["seconds"]["serialize"] < 40
