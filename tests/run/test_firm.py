"""Which steps of a firm a run takes, and what it tells on the way, at the end, and to a machine."""

import json

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.run.firm import StepFailedError, chosen_steps, run_firm
from include.steps import steps_for
from tests.run.test_pipeline import AS_OF, sales

MODULES = ("rfm", "ltv")
ONLY = ("extract_transactions", "extract_products", "customer_days")


@pytest.fixture
def acme(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))
    return shop


def run(*arguments: str):
    return CliRunner().invoke(app, ["run", "acme", "--as-of", str(AS_OF), *arguments])


def test_each_step_has_its_own_seconds_and_peak_memory(acme):
    steps = chosen_steps(("rfm",), only=ONLY)

    outcomes = run_firm("acme", AS_OF, steps)

    assert {outcome.step for outcome in outcomes} == set(ONLY)
    assert all(outcome.seconds > 0 and 40 < outcome.peak_mb < 1_000 for outcome in outcomes)
    assert len({outcome.peak_mb for outcome in outcomes}) > 1


def test_a_long_step_shows_its_progress(acme):
    said = []

    run_firm("acme", AS_OF, chosen_steps((), only=["extract_transactions"]), during=said.append)

    lines = len(sales(25))
    progress = [text for text in said if " months, " in text]
    assert [text.partition(", ")[0] for text in progress] == [
        "transactions of 2024-12: 1 of 3 months",
        "transactions of 2025-01: 2 of 3 months",
        "transactions of 2025-02: 3 of 3 months",
    ]
    assert progress[-1].endswith(f"{lines} rows")
    assert said[0].startswith("extract: start of extract_transactions, firm acme, as_of ")
    assert f"extract: done of extract_transactions, {lines} rows" in said[-1]


def test_a_step_whose_process_was_killed_is_named_with_the_command_that_goes_on(acme, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_FAULT", "extract.after_month:1:kill9")
    steps = chosen_steps((), only=["extract_transactions"])

    with pytest.raises(StepFailedError, match=r"transactions: its process ended with -9; .* --resume"):
        run_firm("acme", AS_OF, steps)


def test_the_summary_is_there_for_people_and_for_machines(acme):
    report = acme.home / "report.json"

    said = run("--only", ",".join(ONLY), "--json", str(report))

    told = json.loads(report.read_text())
    assert said.exit_code == 0, said.output
    assert all(name in said.output for name in (*ONLY, "peak MB", "read 3 of 3 months"))
    assert (told["firm"], told["as_of"], told["status"], told["error"]) == ("acme", str(AS_OF), "done", None)
    assert [set(step) for step in told["steps"]] == [
        {"step", "rows", "seconds", "cpu_seconds", "peak_mb", "note", "is_skipped", "inputs", "quality"}
    ] * 3
    assert told["peak_mb"] == round(max(step["peak_mb"] for step in told["steps"]), 1)
    assert sum(step["rows"] for step in told["steps"] if step["step"] == ONLY[0]) == len(sales(25))


def test_a_run_that_fails_says_where_and_how_to_go_on_to_people_and_machines(acme):
    report = acme.home / "report.json"
    run("--only", "extract_transactions")
    (acme.home / "drops" / "acme" / "sales.csv").write_text("order,line\n1,1\n")

    said = run("--only", ",".join(ONLY), "--full", "--json", str(report))

    told = json.loads(report.read_text())
    assert said.exit_code == 1
    assert told["status"] == "failed"
    assert told["error"].startswith("extract_transactions: SourceRowError: ")
    assert "sales.csv" in told["error"]
    assert f"python -m include run acme --as-of {AS_OF} --resume" in " ".join(said.output.split())


def names(**chosen: object) -> list[str]:
    return [step.name for step in chosen_steps(MODULES, **chosen)]


def test_a_run_may_take_some_steps_or_begin_at_one():
    every = [step.name for step in steps_for(MODULES)]

    assert names() == every
    assert names(from_step="fit_rfm") == every[every.index("fit_rfm") :]
    assert names(from_step="value") == every[every.index("value_histories") :]
    assert names(only=("rfm",)) == [step.name for step in steps_for(MODULES) if step.stage == "rfm"]
    assert names(only=("load_fact_sales", "extract_products")) == [
        name for name in every if name in ("load_fact_sales", "extract_products")
    ]


@pytest.mark.parametrize("chosen", [{"from_step": "fit_churn"}, {"only": ("no_such_step",)}])
def test_a_step_that_the_firm_has_not_is_named(chosen):
    with pytest.raises(KeyError, match=r"no step '(fit_churn|no_such_step)'"):
        names(**chosen)
