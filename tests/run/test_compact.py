"""A firm whose DAG is compact has the same facts, records, skips and reruns as a staged one."""

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.firms import MODULES
from include.incidents.closing import step_names
from include.quality import QualityError
from include.registry import FirmShape
from include.run import Attempt, run_stage
from include.run.firm import chosen_steps
from include.steps import tasks_for
from tests.run.everything import everything, same
from tests.run.test_pipeline import AS_OF, sales
from tests.things import ended, forked

RUN = "scheduled__2025-03-01"
SHAPES = ("staged", "compact")


def tasks(shape, modules=("rfm",)):
    """What each task of the firm's DAG runs, as the DAG does."""
    return {stage.name: stage.steps for stage in tasks_for(modules, shape)}


def run_tasks(key, shape, modules=("rfm",)):
    for steps in tasks(shape, modules).values():
        run_stage(steps, key, AS_OF, attempt=Attempt(RUN))


def records(shop, key):
    """How the last attempt of each step ended."""
    return shop.query(
        "select distinct on (step) step, stage, status, row_count, message, airflow_run_id "
        "from control.step_runs where firm_key = %s order by step, step_run_id desc",
        key,
    )


@pytest.fixture
def both(shop):
    for shape in SHAPES:
        shop.add(shape, dag_shape=shape, name="Acme")
        shop.sell(shape, sales(25))
    return shop


def test_every_module_leaves_the_same_rows_and_records_in_both_shapes(both):
    for shape in SHAPES:
        both.add(shape, dag_shape=shape, name="Acme", modules=list(MODULES))
        run_tasks(shape, shape, MODULES)

    assert list(tasks("compact", MODULES)) == ["extract", "compute", "load"]
    found = everything(both.dsn, "compact")
    assert len(found["analytics.fact_customer_rfm"]) == 25
    same(found, everything(both.dsn, "staged"))
    assert len(records(both, "compact")) > 40
    assert records(both, "compact") == records(both, "staged")


@pytest.mark.parametrize("shape", SHAPES)
def test_bad_data_stops_the_firm_before_anything_is_loaded(both, shape):
    both.add(shape, dag_shape=shape, quality={"transactions": {"grain_unique": {"fail_above": -1}}})

    with pytest.raises(QualityError, match="grain_unique"):
        run_tasks(shape, shape)

    assert both.facts(shape) == {"sales": [], "rfm": []}
    ends = {step: status for step, _, status, *_ in records(both, shape)}
    assert ends["validate_transactions"] == "failed"
    assert "rfm_values" not in ends


def test_a_task_that_was_killed_skips_in_its_retry_what_it_had_done(both):
    run_tasks("staged", "staged")
    parts = tasks("compact")
    run_stage(parts["extract"], "compact", AS_OF, attempt=Attempt(RUN))
    fault = f"step.before_finish:{len(parts['compute'])}:kill9"

    status = ended(
        forked(lambda: run_stage(parts["compute"], "compact", AS_OF, attempt=Attempt(RUN)), fault=fault)
    )
    retried = run_stage(parts["compute"], "compact", AS_OF, attempt=Attempt(RUN, 2, may_skip=True))
    cleared = run_stage(parts["compute"], "compact", AS_OF, attempt=Attempt(RUN, 3))
    run_stage(parts["load"], "compact", AS_OF, attempt=Attempt(RUN))

    assert status == -9
    done = [step.name for step in parts["compute"][:-1] if step.kind.may_skip]
    assert [one.step for one in retried if one.is_skipped] == done
    assert len(done) > 5
    assert not any(one.is_skipped for one in cleared)
    assert both.facts("compact") == both.facts("staged")


def test_resume_continues_a_run_that_ended_before_its_last_task(both):
    for shape in SHAPES:
        *begun, _ = tasks(shape).values()
        for steps in begun:
            run_stage(steps, shape, AS_OF, attempt=Attempt(RUN))

        done = CliRunner().invoke(app, ["run", shape, "--as-of", str(AS_OF), "--resume"])

        assert done.exit_code == 0, done.output
    assert len(both.facts("compact")["rfm"]) == 25
    assert both.facts("compact") == both.facts("staged")
    ends = [{row[:3] for row in records(both, shape)} for shape in SHAPES]
    assert ends[0] == ends[1]
    assert {run_id for *_, run_id in records(both, "compact")} == {RUN}


@pytest.mark.parametrize("name", ["extract", "compute", "load"])
def test_commands_and_incidents_know_the_tasks_by_name(name):
    shape = FirmShape(
        firm_key="acme", name="Acme", timezone="UTC", working_day_period=1, source_kind="csv",
        pool="source_csv", modules=("rfm",), dag_shape="compact",
    )  # fmt: skip
    wanted = [step.name for step in tasks("compact")[name]]

    only = [step.name for step in chosen_steps(("rfm",), only=(name,))]

    assert sorted(step_names(shape, name)) == sorted(only) == sorted(wanted)
    assert chosen_steps(("rfm",), from_step=name)[0].name in wanted
