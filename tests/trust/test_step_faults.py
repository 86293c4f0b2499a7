"""The lanes of a firm's steps and of damaged handoffs, on a few steps; ``make trust`` runs all."""

import random
from datetime import date

import psycopg
import pytest

from trust import damage, installation, step_faults
from trust.installation import Installation, differing, server_with_shop

DAY = installation.DAYS[0]
FEW = ("extract_transactions", "extract_customers", "extract_products", "extract_loyalty_movements")
FEW += ("customer_days", "customer_summary", "load_dim_product", "load_dim_customer", "load_fact_sales")


@pytest.fixture(scope="module")
def installations():
    """A clean run of a few steps, its visits of fault points, and a maker of further installations."""
    steps = tuple(step for step in installation.STEPS if step.name in FEW)
    with pytest.MonkeyPatch.context() as patch, server_with_shop() as (folder, server):
        patch.setattr(step_faults, "STEPS", steps)
        clean = Installation(folder / "clean", server)
        visits, wanted = step_faults.counted_run(clean, (DAY,))
        yield clean, visits, wanted, lambda name: Installation(folder / name, server)


def test_killed_steps_end_with_the_facts_of_a_clean_run(installations):
    _, visits, wanted, make = installations

    killed, silent = step_faults.kills(make("killed"), visits, wanted, random.Random(1), 0.12)

    assert (killed.bad, killed.n > 5) == (0, True), killed.note
    assert "publish.before_commit" in silent.note  # no step here publishes


def test_two_writers_end_with_the_facts_of_a_clean_run(installations):
    _, visits, wanted, make = installations

    line = step_faults.writers(make("doubled"), visits, wanted, random.Random(2), 1.0)

    assert (line.bad, line.n > 3) == (0, True), line.note


def test_one_row_that_differs_is_found(installations):
    clean, _, wanted, _ = installations
    with psycopg.connect(clean.dsn) as connection:
        connection.execute(
            "delete from analytics.fact_sales "
            "where transaction_id = (select min(transaction_id) from analytics.fact_sales)"
        )

    assert differing(clean.facts(), wanted) == ["fact_sales"]


def test_damaged_handoffs_are_refused(installations, tmp_path):
    clean, *_ = installations

    line = damage.damages(clean.home / "handoffs", tmp_path, 20)

    assert (line.n, line.bad) == (20, 0), line.note


def test_a_reader_that_checks_no_hash_is_caught(installations, tmp_path, monkeypatch):
    clean, *_ = installations
    monkeypatch.setattr(damage.Handoff, "read", lambda self, slot: iter(()))

    assert damage.damages(clean.home / "handoffs", tmp_path, 20).bad == 20


def test_a_child_that_fails_says_why(installations):
    clean, *_ = installations
    step = next(step for step in step_faults.STEPS if step.name == "load_fact_sales")

    with pytest.raises(RuntimeError, match="load_fact_sales of 1999-01-01 ended with 1: "):
        clean.visits(step, date(1999, 1, 1))
