from dataclasses import replace

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.pipeline import query, stage
from include.steps import STAGES, STEPS, find_step, stage_upstream, stages_for, steps_for, tasks_for, upstream

MODULES = tuple(sorted({step.module for step in STEPS if step.module}))


def test_every_step_runs_after_what_it_reads_and_after_its_gate():
    done = set()
    for step in steps_for(MODULES):
        assert set(upstream(step, STEPS)) <= done
        done.add(step.name)


def test_every_reader_of_transactions_waits_for_its_gate():
    for step in STEPS:
        if TRANSACTIONS in step.reads and step.kind_name != "validate":
            assert "validate_transactions" in upstream(step, STEPS)


def test_a_module_that_is_off_takes_its_steps_with_it():
    names = [step.name for step in steps_for(())]

    assert "predict_rfm" not in names
    assert "load_fact_sales" in names


def test_names_and_written_datasets_are_unique():
    names = [step.name for step in STEPS]
    written = [step.writes.name for step in STEPS if step.writes]

    assert len(set(names)) == len(names)
    assert len(set(written)) == len(written)


def test_what_a_step_reads_is_written_by_a_step():
    written = {step.writes.name for step in STEPS if step.writes}

    assert {dataset.name for step in STEPS for dataset in step.reads} <= written


def test_steps_that_wait_for_one_another_are_refused():
    one = find_step("customer_days")
    circle = replace(query(TRANSACTIONS, reads=(one.writes,)), name="circle")

    with pytest.raises(ValueError, match="wait for one another"):
        steps_for((), (stage("features", "Two steps in a circle.", one, circle),))


def test_stages_that_wait_for_one_another_are_refused():
    one = find_step("customer_days")
    circle = replace(query(TRANSACTIONS, reads=(one.writes,)), name="circle")

    with pytest.raises(ValueError, match=r"wait for one another: \['(one|two)', '(one|two)'"):
        stages_for((), (stage("one", "Reads two's.", one), stage("two", "Reads one's.", circle)))


@pytest.mark.parametrize("modules", [MODULES, (), ("rfm",), ("ltv", "churn"), ("acquisition", "insight")])
def test_a_step_follows_the_steps_of_earlier_stages_and_its_own_alone(modules):
    stages = stages_for(modules)
    done = set()

    for step in steps_for(modules):
        assert set(upstream(step, steps_for(modules))) <= done
        done.add(step.name)
    assert [step.stage for step in steps_for(modules)] == [
        stage.name for stage in stages for _ in stage.steps
    ]


@pytest.mark.parametrize("modules", [MODULES, (), ("rfm",), ("ltv", "churn")])
def test_no_stage_names_a_stage_that_another_implies(modules):
    direct = stage_upstream(stages_for(modules))

    def above(name):
        return set(direct[name]).union(*(above(other) for other in direct[name]))

    for names in direct.values():
        for name in names:
            assert not any(name in above(other) for other in names)


@pytest.mark.parametrize("modules", [MODULES, (), ("rfm",), ("ltv", "churn"), ("acquisition", "insight")])
def test_the_three_tasks_of_a_compact_dag_run_every_step_after_what_it_waits_for(modules):
    found = tasks_for(modules, "compact")
    done = set()

    for step in (step for task in found for step in task.steps):
        assert set(upstream(step, steps_for(modules))) <= done
        done.add(step.name)
    assert done == {step.name for step in steps_for(modules)}
    assert stage_upstream(found) == {"extract": (), "compute": ("extract",), "load": ("compute",)}


def test_no_stage_is_named_as_a_compact_task_unless_it_has_the_same_steps():
    tasks = {task.name: task.steps for task in tasks_for(MODULES, "compact")}

    shared = [stage for stage in stages_for(MODULES) if stage.name in tasks]

    assert [stage.name for stage in shared] == ["extract"]
    assert [stage.steps == tasks[stage.name] for stage in shared] == [True]


def test_every_step_names_the_stage_it_is_in():
    assert all(step.stage == stage.name for stage in STAGES for step in stage.steps)


def test_every_step_is_retried_after_an_infrastructure_error():
    assert [step.name for step in STEPS if step.kind.retries < 2] == []


def test_an_unknown_step_is_named_with_those_there_are():
    with pytest.raises(KeyError, match="no step 'rmf'; there are extract_transactions"):
        find_step("rmf")
