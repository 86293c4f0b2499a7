"""What the event of a fact's asset says."""

from datetime import date

from include.facts import console_url, extras_of, facts_of, partition_key, runbook_url
from include.incidents.kinds import KINDS
from include.run.stage import Outcome
from include.settings import PROJECT
from include.steps import STAGES
from include.version import code_version

STAGE = {stage.name: stage for stage in STAGES}
DAY = date(2026, 11, 20)


def outcome(step: str, rows: int, *inputs: str) -> Outcome:
    return Outcome(step, rows, 1.0, 1.0, 50.0, inputs=inputs, quality={"quality": "passed", "checks": 9})


def test_an_event_has_firm_day_rows_quality_manifest_code_and_a_link():
    outcomes = [
        outcome("predict_rfm", 7),
        outcome("load_dim_customer_segment", 11),
        outcome("load_fact_customer_rfm", 60, "acme/rfm/as_of=2026-11-20#5#ab"),
    ]

    extras = extras_of(
        STAGE["rfm"].steps, outcomes, firm_key="acme", as_of=DAY, run_id="scheduled__1", url="http://a/b"
    )

    inputs_sha256 = extras["fact_customer_rfm"].pop("inputs_sha256")
    assert len(inputs_sha256) == 64
    assert extras == {
        "fact_customer_rfm": {
            "firm": "acme",
            "as_of": "2026-11-20",
            "table": "analytics.fact_customer_rfm",
            "rows": 60,
            "quality": "passed",
            "checks": 9,
            "manifest": "acme/rfm/as_of=2026-11-20#5#ab",
            "manifest_count": 1,
            "code_version": code_version(),
            "run_id": "scheduled__1",
            "url": "http://a/b",
        }
    }


def test_a_fact_of_two_steps_has_one_event_with_the_rows_of_both():
    steps = STAGE["score"].steps
    outcomes = [outcome("score_churn", 3, "b#1#x"), outcome("score_ltv", 4, "a#1#x")]

    extras = extras_of(steps, outcomes, firm_key="acme", as_of=DAY, run_id="r", url="")

    found = extras["fact_scorecard"]
    assert (found["rows"], found["manifest"], found["manifest_count"]) == (7, "b#1#x", 2)


def test_dimensions_and_models_are_no_facts():
    assert facts_of(STAGE["rfm"].steps) == ("fact_customer_rfm",)
    assert facts_of(STAGE["churn_train"].steps) == ()


def test_addresses_hold_below_any_address_of_airflow():
    assert partition_key("acme", DAY) == "acme|2026-11-20"
    assert console_url("https://a.b/air/", "acme", DAY) == (
        "https://a.b/air/plugin/firmament?firm=acme&as_of=2026-11-20"
    )
    assert runbook_url("", "disk_full") == "/firmament/runbook#disk-full"


def test_each_kind_of_incident_has_the_section_that_a_link_names():
    text = (PROJECT / "docs" / "runbook.md").read_text()

    for name in KINDS:
        section = runbook_url("", name).partition("#")[2]
        assert f"\n## {section}\n" in text, name
