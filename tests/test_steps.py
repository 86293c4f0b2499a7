from dataclasses import replace

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.steps import STEPS, find_step, query, steps_for, upstream

MODULES = tuple(sorted({step.module for step in STEPS if step.module}))


def test_every_step_runs_after_what_it_reads_and_after_its_gate():
    done = set()
    for step in steps_for(MODULES):
        assert set(upstream(step, STEPS)) <= done
        done.add(step.name)


def test_every_reader_of_transactions_waits_for_its_gate():
    for step in STEPS:
        if TRANSACTIONS in step.reads and step.kind != "validate":
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
        steps_for((), (one, circle))


def test_every_step_is_retried_after_an_infrastructure_error():
    assert [step.name for step in STEPS if step.retries < 2] == []


def test_an_unknown_step_is_named_with_those_there_are():
    with pytest.raises(KeyError, match="no step 'rmf'; there are extract_transactions"):
        find_step("rmf")
