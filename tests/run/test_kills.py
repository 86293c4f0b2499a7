"""A step's process is killed at a fault point; run again, the firm looks as if nothing had happened."""

import pytest

from include.firms import parse_firm
from include.run.firm import StepFailedError, chosen_steps, run_firm
from include.warehouse import Warehouse
from tests.run.test_pipeline import AS_OF, sales

POINTS = [
    "extract.after_month:1",
    "handoff.after_part:2",
    "handoff.before_commit:1",
    "handoff.after_commit:1",
    "warehouse.before_copy:1",
    "warehouse.before_commit:1",
    "warehouse.after_commit:1",
]


def run(shop, key):
    with Warehouse(shop.dsn) as warehouse:
        steps = chosen_steps(parse_firm(warehouse.firm_row(key)).modules)
    return run_firm(key, AS_OF, steps)


@pytest.fixture
def clean(shop):
    """What an undisturbed run leaves."""
    shop.add("clean")
    shop.sell("clean", sales(25))
    shop.run("clean", AS_OF)
    return shop.facts("clean")


def test_a_kill_at_any_point_leaves_nothing_half_done_and_a_rerun_heals(shop, clean, monkeypatch):
    for number, point in enumerate(POINTS):
        key = f"killed{number}"
        shop.add(key)
        shop.sell(key, sales(25))
        monkeypatch.setenv("FIRMAMENT_FAULT", f"{point}:kill9")
        with pytest.raises(StepFailedError, match=r"its process ended with -9; run it again: python -m"):
            run(shop, key)
        half = shop.facts(key)
        monkeypatch.delenv("FIRMAMENT_FAULT")

        run(shop, key)

        assert half["rfm"] in ([], clean["rfm"]), point
        assert shop.facts(key) == clean, point


def test_the_summary_gives_each_step_its_own_seconds_and_peak_memory(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))

    outcomes = run(shop, "acme")

    assert [outcome.step for outcome in outcomes][-1].startswith("load_")
    assert all(outcome.seconds > 0 and 40 < outcome.peak_mb < 1_000 for outcome in outcomes)
    assert len({round(outcome.peak_mb) for outcome in outcomes}) > 3
