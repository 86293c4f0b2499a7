from pathlib import Path
from typing import Any

import pytest

from include.airflow_version import has_partitions
from include.facts import asset_name, asset_uri, facts_of
from include.firms import MODULES, FirmShape
from include.registry import last_good, write_registry
from include.settings import PROJECT
from include.shards import shard_of
from include.steps import stage_upstream, stages_for
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


SHARDS = [f"firms_{number}_of_8.py" for number in range(1, 9)]
FIRMS = (
    firm("daily", owner="shop team", schedule_hour=3, schedule_minute=47, timezone="America/New_York"),
    firm("weekly", working_day_period=7),
    firm("thrice", working_day_period=3, schedule_minute=20, timezone="Australia/Lord_Howe"),
    firm("inactive", working_day_period=0),
    firm("paused", is_paused=True),
    firm("bare", modules=()),
    firm("small", dag_shape="compact"),
    firm("urgent", dag_shape="compact", alerts={"tier": "critical"}),
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
    expected = {f"firm_{one.firm_key}" for one in FIRMS} | {
        "firmament_upkeep",
        "firmament_backfill",
        "firmament_heartbeat",
    }

    assert set(parsed["dags"]) == expected
    assert parsed["errors"] == {}


def test_importing_the_dag_files_connects_to_nothing_and_loads_nothing_heavy(parsed: dict[str, Any]) -> None:
    # The probe refuses every connection while it imports; a refusal would be an import error.
    assert parsed["errors"] == {}
    assert parsed["heavy_before"] == []
    assert parsed["heavy"] == []


def task_ids(stage) -> set[str]:
    if not stage.is_split:
        return {stage.name}
    return {f"{stage.name}.{step.name.removeprefix(stage.name + '_')}" for step in stage.steps}


def test_each_stage_is_a_task_after_the_stages_it_waits_for(parsed: dict[str, Any]) -> None:
    stages = stages_for(MODULES)
    waits = stage_upstream(stages)

    found = tasks(parsed, "daily")

    edges = {(one, other) for one, task in found.items() for other in task.get("downstream_task_ids", [])}
    assert set(found) == set().union(*map(task_ids, stages))
    assert edges == {
        (above, below)
        for stage in stages
        for other in stages
        if other.name in waits[stage.name]
        for above in task_ids(other)
        for below in task_ids(stage)
    }


def test_a_compact_firm_has_three_tasks_one_after_the_other(parsed: dict[str, Any]) -> None:
    found = tasks(parsed, "small")

    below = {name: task.get("downstream_task_ids", []) for name, task in found.items()}
    assert below == {"extract": ["compute"], "compute": ["load"], "load": []}
    assert [found[name].get("pool") for name in below] == ["source_csv", *["firmament_warehouse"] * 2]
    assert {name: task["retries"] for name, task in found.items()} == {"extract": 4, "compute": 4, "load": 4}
    assert found["compute"]["execution_timeout"] == 360 * 60
    for name, task in found.items():
        assert f"python -m include run small --as-of DATE --from {name}" in task["doc_md"]


def test_a_firm_with_default_modules_has_at_most_sixteen_tasks(parsed: dict[str, Any]) -> None:
    assert 10 < len(tasks(parsed, "daily")) <= 16


def test_each_fact_is_an_asset_of_the_stage_that_loads_it(parsed: dict[str, Any]) -> None:
    found = tasks(parsed, "daily")

    outlets = {
        name: [(one["__var"]["name"], one["__var"]["uri"]) for one in task.get("outlets", [])]
        for name, task in found.items()
    }

    stages = {name: stage for stage in stages_for(MODULES) for name in task_ids(stage)}
    assert outlets == {
        name: [(asset_name(table), asset_uri(table)) for table in facts_of(stage.steps)]
        for name, stage in stages.items()
    }
    tables = {table for stage in stages.values() for table in facts_of(stage.steps)}
    assert {"fact_sales", "fact_customer_rfm", "fact_customer_churn_risk", "fact_scorecard"} <= tables


def test_every_task_links_the_runbook_and_the_last_ones_the_report(parsed: dict[str, Any]) -> None:
    waited_for = set().union(*stage_upstream(stages_for(MODULES)).values())

    for name, task in tasks(parsed, "daily").items():
        is_leaf = name.partition(".")[0] not in waited_for
        expected = {"Runbook": "_link_RunbookLink"} | ({"Report": "_link_ReportLink"} if is_leaf else {})
        assert task["_operator_extra_links"] == expected, name


def test_the_example_of_a_consumer_is_there_where_the_demo_has_run(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    file = "example_after_facts.py"

    without = parse(registry, file=file, FIRMAMENT_HOME=str(tmp_path))
    (tmp_path / "demo").mkdir()
    found = parse(registry, file=file, FIRMAMENT_HOME=str(tmp_path))

    assert (without["dags"], without["errors"], found["errors"]) == ({}, {}, {})
    timetable = found["dags"]["example_after_facts"]["dag"]["timetable"]
    if has_partitions():
        assert timetable["__type"] == "airflow.timetables.simple.PartitionedAssetTimetable"
    assert asset_uri("fact_customer_rfm") in str(timetable)
    assert not {"pydantic", "firm_dag"} & set(without["imported"])


def test_upkeep_does_every_chore_once_the_schema_is_current(parsed: dict[str, Any]) -> None:
    found = {
        one["__var"]["task_id"]: one["__var"] for one in parsed["dags"]["firmament_upkeep"]["dag"]["tasks"]
    }

    chores = {
        "sync_firms",
        "collect",
        "check_snapshots",
        "check_late_rows",
        "check_drift",
        "check_incidents",
        "deliver_changes",
        "publish_benchmarks",
    }
    assert set(found) == chores | {"check_schema"}
    assert set(found["check_schema"]["downstream_task_ids"]) == chores


def test_a_backfill_runs_in_a_pool_of_its_own_after_everything_else(parsed: dict[str, Any]) -> None:
    found = [one["__var"]["task_id"] for one in parsed["dags"]["firmament_backfill"]["dag"]["tasks"]]
    daily = tasks(parsed, "daily")

    assert sorted(found) == ["firms", "plan", "report"]
    assert parsed["dags"]["firmament_backfill"]["dag"]["max_active_runs"] == 1
    assert "firmament_backfill" not in {task["pool"] for task in daily.values()}
    assert min(task["priority_weight"] for task in daily.values()) > 1


def test_a_module_that_is_off_has_no_tasks(parsed: dict[str, Any]) -> None:
    assert set(tasks(parsed, "bare")) == set().union(*map(task_ids, stages_for(())))
    assert len(tasks(parsed, "bare")) < len(tasks(parsed, "daily"))


def test_the_schedule_is_by_intervals_at_the_firms_own_hour(parsed: dict[str, Any]) -> None:
    found = {one.firm_key: dag(parsed, one.firm_key)["timetable"] for one in FIRMS}

    cron = "airflow.timetables.interval.CronDataIntervalTimetable"
    none = "airflow.timetables.simple.NullTimetable"
    assert found["daily"] == {
        "__type": cron,
        "__var": {"expression": "47 3 * * *", "timezone": "America/New_York"},
    }
    assert found["weekly"]["__var"]["expression"] == "0 5 * * 1"
    assert found["thrice"] == {
        "__type": "firmament_plugin.EveryDays",
        "__var": {"days": 3, "hour": 5, "minute": 20, "zone": "Australia/Lord_Howe"},
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

    assert found["dag_display_name"] == "Daily (daily)"
    assert found["tags"] == ["csv", "firm:daily", "firmament"]
    assert {task["owner"] for task in tasks(parsed, "daily").values()} == {"shop team"}


def test_as_of_may_only_be_a_date_or_nothing(parsed: dict[str, Any]) -> None:
    ((name, param),) = dag(parsed, "daily")["params"]

    assert name == "as_of"
    assert param["default"] is None
    assert param["schema"]["__var"]["type"] == ["null", "string"]
    assert param["schema"]["__var"]["format"] == "date"


def test_retries_timeouts_and_pools_fit_the_stage(parsed: dict[str, Any]) -> None:
    found = tasks(parsed, "daily")

    for stage in stages_for(MODULES):
        for name in task_ids(stage):
            task = found[name]
            assert task["retries"] == max(step.kind.retries for step in stage.steps) >= 2
            assert task["pool"] == ("source_csv" if stage.name == "extract" else "firmament_warehouse")
            assert task["retry_exponential_backoff"] == 2
    assert found["extract.customers"]["execution_timeout"] == 180 * 60
    assert found["churn_train"]["execution_timeout"] == (180 + 60 + 60) * 60
    assert found["extract.customers"]["retry_delay"] > found["rfm"]["retry_delay"]


def test_one_firm_leaves_room_and_those_that_have_begun_end_before_others_begin(
    parsed: dict[str, Any],
) -> None:
    found = tasks(parsed, "daily")
    weights = {name: task["priority_weight"] for name, task in found.items()}

    assert dag(parsed, "daily")["max_active_tasks"] == 4
    assert {task["weight_rule"] for task in found.values()} == {"absolute"}
    for name, task in found.items():
        assert all(weights[below] > weights[name] for below in task.get("downstream_task_ids", []))
    assert 100 < min(weights.values()) <= max(weights.values()) < 200
    assert {task["priority_weight"] for task in tasks(parsed, "urgent").values()} == {201, 202, 203}


def test_every_task_says_what_it_does_and_how_to_rerun_it(parsed: dict[str, Any]) -> None:
    for name, task in tasks(parsed, "daily").items():
        page = task["doc_md"]
        for part in ("**Reads**", "**Writes**", "**grain**", "**First thing to check**", "*Clear*"):
            assert part in page, (name, part)
        begin = name.replace(".", "_")
        assert f"python -m include run daily --as-of DATE --from {begin}" in page
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

    file = f"firms_{shard_of('weekly', 8)}_of_8.py"
    found = parse(registry, file=file, _AIRFLOW_PARSING_CONTEXT_DAG_ID="firm_weekly")

    assert set(found["dags"]) == {"firm_weekly"}


def test_a_corrupt_registry_is_shown_and_the_last_good_dags_stay(
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

    assert set(found["dags"]) == {"firmament_upkeep", "firmament_backfill", "firmament_heartbeat"}
    assert set(found["errors"]) == {*SHARDS, "registry_check.py"}


def test_every_shard_has_a_file_and_every_firm_one_shard(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    keys = [f"f{number:03d}" for number in range(60)]
    write_registry(registry, [firm(key, modules=()) for key in keys])

    found = [set(parse(registry, file=file)["dags"]) for file in SHARDS]

    assert sorted(path.name for path in (PROJECT / "dags").glob("firms_*.py")) == SHARDS
    assert sorted(name for names in found for name in names) == [f"firm_{key}" for key in keys]
    assert all(found)


def test_the_file_of_an_empty_shard_imports_next_to_nothing(parse: Parse, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    write_registry(registry, [firm("acme")])
    empty = next(file for number, file in enumerate(SHARDS, 1) if number != shard_of("acme", 8))

    found = parse(registry, file=empty)

    assert (found["dags"], found["errors"]) == ({}, {})
    assert not {"pydantic", "include.firms", "firm_dag"} & set(found["imported"])


def test_a_shard_of_a_thousand_firms_is_parsed_well_within_airflows_limits(
    parse: Parse, tmp_path: Path
) -> None:
    registry = tmp_path / "registry.json"
    keys = [f"f{number:04d}" for number in range(1000)]
    write_registry(registry, [firm(key) for key in keys])

    found = parse(registry, file=SHARDS[0])

    # Processor seconds, as the machine may be busy. Airflow's own limits are 30 s an import and 50 s a file.
    assert len(found["dags"]) == sum(shard_of(key, 8) == 1 for key in keys)
    assert found["seconds"]["build"] + found["seconds"]["serialize"] < 8
