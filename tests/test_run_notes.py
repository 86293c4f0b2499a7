"""Notes of runs, through a real HTTP server that answers as Airflow does, from a real warehouse."""

import logging

import pytest

from include.firms import FirmShape
from include.run_notes import RunNote
from include.service_accounts import RUNS
from include.steps import steps_for
from include.warehouse import Warehouse
from tests.airflow_server import airflow_server

AS_OF = "2026-11-21"
FIRM = FirmShape(
    firm_key="acme", name="Acme", timezone="UTC", working_day_period=1, source_kind="csv",
    pool="source_csv", modules=("rfm",),
)  # fmt: skip
STEPS = [step.name for step in steps_for(FIRM.modules)]
RUN = "/api/v2/dags/firm_acme/dagRuns/run%3A1"
NOTE = RunNote("firm_acme", "run:1", AS_OF)


@pytest.fixture
def airflow(monkeypatch, tmp_path, migrated_dsn):
    """A server that takes every note, and the connection to it."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    with airflow_server() as (url, answers, asked):
        answers[f"PATCH {RUN}?update_mask=note"] = [(200, {})]
        answers[f"GET {RUN}"] = [(200, {"note": None})]
        monkeypatch.setenv("AIRFLOW_CONN_FIRMAMENT_AIRFLOW", RUNS.as_connection(url, "secret"))
        yield answers, asked


def notes(asked) -> list[str]:
    return [body["note"] for call, body, _ in asked if call.startswith("PATCH")]


def ended(dsn: str, *steps: str, status: str = "done", run_id: str = "run:1") -> None:
    with Warehouse(dsn) as warehouse:
        for step in steps:
            warehouse.session.connection.execute(
                "insert into control.step_runs (firm_key, as_of, step, status, row_count, airflow_run_id) "
                "values (%s, %s, %s, %s, 23570, %s)",
                ["acme", AS_OF, step, status, run_id],
            )


def test_a_run_that_begins_says_its_as_of_and_who_writes_it_signs_in(airflow):
    _, asked = airflow

    NOTE.started()

    assert asked[0][1] == {"username": "firmament_runs", "password": "secret"}
    assert notes(asked) == ["as_of 2026-11-21 · running"]


def test_a_whole_run_says_steps_skipped_steps_and_customers(airflow, migrated_dsn):
    _, asked = airflow
    ended(migrated_dsn, *STEPS, status="failed")
    ended(migrated_dsn, *STEPS[:-2])
    ended(migrated_dsn, *STEPS[-2:], status="skipped")
    ended(migrated_dsn, *STEPS, status="failed", run_id="another")

    NOTE.ended(FIRM)

    assert notes(asked) == [f"as_of 2026-11-21 · {len(STEPS) - 2} steps done, 2 skipped · 23,570 customers"]


def test_a_run_that_goes_on_says_how_far_it_is(airflow, migrated_dsn):
    _, asked = airflow
    ended(migrated_dsn, *STEPS[:5])

    NOTE.ended(FIRM)

    assert notes(asked) == [f"as_of 2026-11-21 · running, 5 of {len(STEPS)} steps ended"]


def test_another_branch_of_a_failed_run_does_not_hide_the_failure(airflow, migrated_dsn):
    answers, asked = airflow
    ended(migrated_dsn, *STEPS[:5])
    answers[f"GET {RUN}"] = [(200, {"note": "as_of 2026-11-21 · failed at rfm: the task was killed"})]

    NOTE.ended(FIRM)
    killed = notes(asked)
    ended(migrated_dsn, STEPS[5], status="failed")
    NOTE.ended(FIRM)

    assert killed == notes(asked) == []


def test_a_step_that_ends_meanwhile_is_in_the_last_note(airflow, migrated_dsn, monkeypatch):
    _, asked = airflow
    ended(migrated_dsn, *STEPS[:-1])
    write = RunNote._write

    def slow(note, text, **how):
        """Another stage ends between the reading of the summary and its writing."""
        if not notes(asked):
            ended(migrated_dsn, STEPS[-1])
        write(note, text, **how)

    monkeypatch.setattr(RunNote, "_write", slow)

    NOTE.ended(FIRM)

    assert notes(asked)[-1] == f"as_of 2026-11-21 · {len(STEPS)} steps done · 23,570 customers"


@pytest.mark.parametrize("answer", [(401, {"detail": "no"}), (500, {"detail": "down"})])
def test_a_note_that_fails_is_a_warning(airflow, caplog, migrated_dsn, answer):
    answers, _ = airflow
    answers["POST /auth/token"] = [answer]
    ended(migrated_dsn, *STEPS)

    with caplog.at_level(logging.WARNING, logger="include.run_notes"):
        NOTE.started()
        NOTE.failed("rfm", "boom")
        NOTE.ended(FIRM)

    assert caplog.text.count("was not written") >= 3
    assert "check connection 'firmament_airflow'" in caplog.text


def test_a_warehouse_that_is_down_fails_no_stage(airflow, caplog, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", "postgresql://u:p@127.0.0.1:9/none")

    with caplog.at_level(logging.WARNING, logger="include.run_notes"):
        NOTE.ended(FIRM)

    assert "was not written (WarehouseError" in caplog.text


def test_without_the_connection_nothing_is_written_or_reported(airflow, caplog, monkeypatch):
    _, asked = airflow
    monkeypatch.delenv("AIRFLOW_CONN_FIRMAMENT_AIRFLOW")

    with caplog.at_level(logging.INFO, logger="include.run_notes"):
        NOTE.started()

    assert asked == []
    assert [record for record in caplog.records if record.name == "include.run_notes"] == []
