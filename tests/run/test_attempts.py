"""Which steps an automatic retry skips, and that every other run computes."""

import pytest

from include.run import Attempt, run_stage
from include.run.firm import chosen_steps
from include.version import __version__, code_version
from include.warehouse import Warehouse
from tests.run.test_pipeline import AS_OF, sales
from tests.run.test_replay import ended, forked

RUN = "scheduled__2026-11-20"
RFM = [
    "rfm_values",
    "firm_rhythm",
    "fit_rfm",
    "segments",
    "predict_rfm",
    "load_dim_customer_segment",
    "load_fact_customer_rfm",
]


@pytest.mark.parametrize(
    ("try_number", "max_tries", "may_skip"),
    [
        (1, 4, False),  # the first try
        (2, 4, True),  # an automatic retry
        (5, 4, True),
        (3, 6, False),  # cleared after two tries: max_tries is 2 + 4
        (4, 6, True),  # the first automatic retry after that
        (8, 11, False),  # cleared again, after seven tries
    ],
)
def test_only_an_automatic_retry_may_skip(try_number: int, max_tries: int, may_skip: bool):
    attempt = Attempt.of_task(RUN, try_number=try_number, max_tries=max_tries, retries=4)

    assert attempt == Attempt(RUN, try_number, may_skip)


@pytest.fixture
def acme(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))
    run_stage(chosen_steps(("rfm",)), "acme", AS_OF, attempt=Attempt(RUN))
    return shop


def rfm(attempt: Attempt, **how: object) -> dict[str, bool]:
    """Run the stage; which of its steps were skipped."""
    outcomes = run_stage(chosen_steps(("rfm",), only=["rfm"]), "acme", AS_OF, attempt=attempt, **how)
    return {outcome.step: outcome.is_skipped for outcome in outcomes}


def skipped(attempt: Attempt, **how: object) -> list[str]:
    return [step for step, is_skipped in rfm(attempt, **how).items() if is_skipped]


DATASETS = [name for name in RFM if not name.startswith("load")]


def test_a_retry_skips_what_the_run_has_done_and_checks_the_loads(acme):
    before = acme.facts("acme")

    found = rfm(Attempt(RUN, 2, may_skip=True))

    assert [name for name, is_skipped in found.items() if is_skipped] == DATASETS
    assert list(found) == RFM
    assert acme.facts("acme") == before


def test_a_cleared_task_and_a_full_run_compute_everything(acme):
    assert skipped(Attempt(RUN, 3)) == []
    assert skipped(Attempt(RUN, 2, may_skip=True), full=True) == []


def test_another_run_of_the_same_day_computes_everything(acme):
    assert skipped(Attempt("manual__2026-11-21", 2, may_skip=True)) == []


def test_a_changed_setting_is_computed_with(acme):
    acme.add("acme", rfm={"quantiles": [0.1, 0.4, 0.6, 0.8]})

    assert skipped(Attempt(RUN, 2, may_skip=True)) == []


def test_another_version_of_the_code_computes_everything(acme):
    acme.query("update control.step_runs set code_version = 'other' returning step")

    assert skipped(Attempt(RUN, 2, may_skip=True)) == []


def test_a_run_and_its_steps_name_the_version(acme):
    runs = acme.query("select distinct code_version from control.runs")
    steps = acme.query("select distinct code_version from control.step_runs")

    assert (runs, steps) == ([(code_version(),)], [(code_version(),)])
    assert code_version().startswith(f"{__version__}+")


def test_a_changed_input_is_computed_with_from_there_on(acme):
    first = ["customer_days", "customer_summary"]
    acme.sell("acme", [*sales(25), ("late", AS_OF.replace(day=1), "c001", 500)])
    run_stage(
        chosen_steps(("rfm",), only=["extract", "validate", *first]), "acme", AS_OF, attempt=Attempt("other")
    )

    assert skipped(Attempt(RUN, 2, may_skip=True)) == []


def test_what_was_written_anew_since_is_computed_again(acme):
    run_stage(chosen_steps(("rfm",), only=["fit_rfm"]), "acme", AS_OF, attempt=Attempt("other"))

    assert skipped(Attempt(RUN, 2, may_skip=True)) == ["rfm_values", "firm_rhythm", "segments"]


@pytest.mark.parametrize(
    "fault", ["handoff.before_commit:2", "warehouse.before_commit:1", "step.before_finish:3"]
)
def test_a_stage_that_was_killed_and_retried_leaves_what_a_clean_run_leaves(shop, fault: str):
    for key in ("clean", "killed"):
        shop.add(key)
        shop.sell(key, sales(25))
    steps = chosen_steps(("rfm",))
    run_stage(steps, "clean", AS_OF, attempt=Attempt(RUN))
    run_stage([step for step in steps if step.stage != "rfm"], "killed", AS_OF, attempt=Attempt(RUN))
    stage = [step for step in steps if step.stage == "rfm"]

    status = ended(
        forked(lambda: run_stage(stage, "killed", AS_OF, attempt=Attempt(RUN)), fault=f"{fault}:kill9")
    )
    outcomes = run_stage(stage, "killed", AS_OF, attempt=Attempt(RUN, 2, may_skip=True))

    assert status == -9
    assert any(outcome.is_skipped for outcome in outcomes)
    assert shop.facts("killed") == shop.facts("clean")


def test_each_step_is_on_record_with_its_run_inputs_and_output(acme):
    rfm(Attempt(RUN, 2, may_skip=True))

    with Warehouse(acme.dsn) as warehouse:
        rows = warehouse.session.rows(
            "select * from control.step_runs where step = 'predict_rfm' order by step_run_id"
        )
    first, second = rows

    assert (first["stage"], first["airflow_run_id"], first["attempt"]) == ("rfm", RUN, 1)
    assert [reference.partition("#")[0] for reference in first["input_manifests"]] == [
        f"acme/{name}/as_of={AS_OF}" for name in ("customer_summary", "rfm_cuts", "segments")
    ]
    assert first["output_manifest"].startswith(f"acme/rfm/as_of={AS_OF}#")
    assert first["row_count"] > 0
    assert first["peak_mb"] > 40
    assert first["cpu_seconds"] > 0
    assert first["started_at"] < first["finished_at"]
    assert (first["status"], second["status"]) == ("done", "skipped")
    assert second["output_manifest"] == first["output_manifest"]


def test_a_load_says_what_it_read_and_what_the_gate_found(acme):
    outcomes = run_stage(chosen_steps(("rfm",), only=["rfm"]), "acme", AS_OF, attempt=Attempt(RUN, 2))

    outcome = next(one for one in outcomes if one.step == "load_fact_customer_rfm")
    (manifest,) = outcome.inputs
    assert manifest.startswith(f"acme/rfm/as_of={AS_OF}#")
    with Warehouse(acme.dsn) as warehouse:
        (found,) = warehouse.session.rows("select count(*) as checks from control.quality")
        assert outcome.quality == {"quality": "passed", "checks": found["checks"], "warnings": 0}
        assert found["checks"] > 0
        warehouse.session.connection.execute(
            "update control.quality set passed = false, is_critical = false where quality_id = 1"
        )
        assert warehouse.records.quality.result_of_day("acme", AS_OF)["quality"] == "warnings"
        warehouse.session.connection.execute("update control.quality set is_critical = true")
        assert warehouse.records.quality.result_of_day("acme", AS_OF)["quality"] == "failed"
        assert warehouse.records.quality.result_of_day("other", AS_OF)["checks"] == 0


def test_what_was_not_there_is_an_input_too(shop):
    shop.add("acme", modules=["insight"])
    shop.sell("acme", sales(25))
    run_stage(chosen_steps(("insight",)), "acme", AS_OF, attempt=Attempt(RUN))

    with Warehouse(shop.dsn) as warehouse:
        (row,) = warehouse.session.rows("select * from control.step_runs where step = 'firm_measures'")

    # The modules rfm, churn and ltv are off, so their datasets are not asked for.
    assert [reference.partition("/")[2].partition("/")[0] for reference in row["input_manifests"]] == [
        "customer_days",
        "customer_summary",
    ]


def test_a_resumed_run_reads_a_source_that_was_corrected_after_bad_data(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))
    steps = chosen_steps((), only=["extract"])
    run_stage(steps, "acme", AS_OF, attempt=Attempt(RUN))
    shop.sell("acme", [*sales(25), ("new", AS_OF.replace(day=1), "c001", 500)])

    outcomes = run_stage(steps, "acme", AS_OF, attempt=Attempt(RUN, 2, may_skip=True))

    # The source is no dataset: that it is unchanged cannot be known without reading it.
    assert [outcome.step for outcome in outcomes if outcome.is_skipped] == []
    assert next(one.rows for one in outcomes if one.step == "extract_transactions") > 0
