"""A scheduled, a backfill's and a manual run of one day at once: who is overtaken stops, nothing differs."""

import os

from include.run import run_step
from include.steps import steps_for
from tests.run.test_pipeline import AS_OF, sales
from tests.things import ended, forked

RUNS = 3
GATES = ("validate_customers", "validate_products", "validate_transactions", "validate_loyalty_movements")
STEPS = tuple(step for step in steps_for(("rfm",)) if step.name not in GATES)


def test_three_runs_of_one_day_at_once_leave_what_one_leaves(shop):
    for key in ("alone", "thrice"):
        shop.add(key)
        shop.sell(key, sales(25))
    shop.run("alone", AS_OF, only=[step.name for step in STEPS])
    start, go = os.pipe()

    def run() -> None:
        os.read(start, 1)
        for step in STEPS:
            run_step(step, "thrice", AS_OF, full=True)

    children = [forked(run) for _ in range(RUNS)]
    os.write(go, b"!" * RUNS)
    statuses = [ended(child) for child in children]

    # 3 is a run that was fenced; whoever fenced it went on.
    assert 0 in statuses
    assert set(statuses) <= {0, 3}
    assert shop.facts("thrice") == shop.facts("alone")
    assert len(shop.facts("alone")["rfm"]) == 25
