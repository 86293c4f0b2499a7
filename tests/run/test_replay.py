"""A firm of every module comes out the same, to the row: killed anywhere, run backwards, shuffled."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module

import psycopg
import pytest

from include.faults import POINTS
from include.firms import MODULES
from include.run import run_step
from include.run.firm import run_firm
from include.steps import Step, steps_for
from include.warehouse import migrate
from tests.run.conftest import Shop
from tests.run.everything import everything, same
from tests.run.test_pipeline import sales
from tests.things import ended, forked

BEFORE, AS_OF = date(2025, 2, 23), date(2025, 3, 1)
SALES = sales(25)
STEPS = steps_for(MODULES)

HEAVY = (
    "great_expectations",
    "sklearn.isotonic",
    "include.models.churn",
    "include.models.ltv",
    "include.training.churn",
    "include.training.ltv",
)

# What a step of each kind passes on its way. A wish that did not fire fails the test.
WRITES = ("handoff.after_part:1", "handoff.before_commit:1", "handoff.after_commit:1")
COMMITS = ("warehouse.before_commit:1", "warehouse.after_commit:1")
PASSED: dict[str, tuple[str, ...]] = {
    # Two months and the index that names them.
    "extract": ("handoff.after_part:2", "extract.after_month:1", "extract.after_month:2", *WRITES),
    "validate": ("handoff.after_fetch:1",),
    "query": ("handoff.after_fetch:1", *WRITES),
    "features": ("handoff.after_part:1", "handoff.after_commit:1"),
    "sample": WRITES,
    "fit": WRITES,
    "compute": WRITES,
    "predict": WRITES,
    "load": ("warehouse.before_copy:1", *COMMITS),
    "score": COMMITS,
    "publish": ("publish.after_table:1", "publish.before_commit:1", "publish.after_commit:1"),
}
ALWAYS = ("step.before_work:1", "step.before_finish:1")
# Models are trained once an anchor, on the first day; the rest is killed on the second, beside what stands.
KILLED: dict[date, set[str]] = {
    BEFORE: {"value_histories", "fit_churn", "load_churn_models"},
    AS_OF: {
        "extract_transactions", "validate_transactions", "customer_summary", "customer_features",
        "predict_ltv", "load_fact_sales", "load_fact_customer_ltv", "firm_insight", "score_churn", "publish",
    },
}  # fmt: skip
# Points of other work, which other tests kill: each call to a store, the collector, erasing, the outbox.
ELSEWHERE = ("store.", "handoff.before_delete", "erase.", "outbox.")


class Replays:
    """Firms of every module that sell the same, each of which may be run in another way."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def add(self, key: str, rows: list[tuple]) -> None:
        with psycopg.connect(self.shop.dsn) as connection:
            connection.execute(f"create schema crm_{key}")
        self.shop.add(
            key,
            name="Acme",
            modules=list(MODULES),
            churn_threshold_days=5,
            lookback_days=35,  # so that the second day reads two months
            publish={"conn_id": "own", "schema": f"crm_{key}"},
        )
        self.shop.sell(key, rows)

    def run(self, key: str, as_of: date) -> None:
        run_firm(key, as_of, STEPS)

    def seen(self, key: str) -> dict[str, list[str]]:
        return everything(self.shop.dsn, key)


@pytest.fixture(scope="module")
def replays(tmp_path_factory, module_warehouse_dsn) -> Iterator[Replays]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Great Expectations' own
        for heavy in HEAVY:
            import_module(heavy)  # the steps' processes are forked from this one and need not import it again
    migrate(module_warehouse_dsn)
    home = tmp_path_factory.mktemp("replay")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", module_warehouse_dsn)
        patch.setenv("AIRFLOW_CONN_OWN", module_warehouse_dsn)
        yield Replays(Shop(home, module_warehouse_dsn))


@pytest.fixture(scope="module")
def clean(replays: Replays) -> dict[str, list[str]]:
    """What undisturbed runs of two days leave."""
    replays.add("clean", SALES)
    for day in (BEFORE, AS_OF):
        replays.run("clean", day)
    return replays.seen("clean")


def test_a_step_of_any_kind_killed_anywhere_is_made_good_by_its_retry(replays, clean):
    replays.add("killed", SALES)

    halves = [
        (step.name, wish)
        for day in (BEFORE, AS_OF)
        for step in STEPS
        for wish in killed_and_run_again(replays, step, day, is_killed=step.name in KILLED[day])
    ]

    assert halves == []
    same(replays.seen("killed"), clean)


def killed_and_run_again(replays: Replays, step: Step, day: date, *, is_killed: bool) -> list[str]:
    """Kill a step wherever it can be, then let it run; the kills after which its tables were half done."""
    if not is_killed:
        run_firm("killed", day, (step,))
        return []
    is_seen = step.kind_name in ("load", "score", "publish")
    seen = [replays.seen("killed")] if is_seen else []
    wishes = (*PASSED[step.kind_name], *ALWAYS)
    for wish in wishes:
        status = ended(forked(lambda: run_step(step, "killed", day), fault=f"{wish}:kill9"))
        assert status == -9, f"{step.name}: {wish} did not fire"
        seen += [replays.seen("killed")] if is_seen else []
    run_firm("killed", day, (step,))
    whole = [*seen[:1], *([replays.seen("killed")] if is_seen else [])]
    return [wish for wish, found in zip(wishes, seen[1:], strict=False) if found not in whole]


def test_every_point_is_killed_at_in_a_step_of_every_kind():
    kinds = {step.kind_name for step in STEPS}
    killed = set().union(*KILLED.values())
    points = {wish.partition(":")[0] for wishes in (*PASSED.values(), ALWAYS) for wish in wishes}

    assert set(PASSED) == kinds
    assert {step.kind_name for step in STEPS if step.name in killed} == kinds
    assert {point for point in POINTS if not point.startswith(ELSEWHERE)} == points


def test_neither_the_order_of_days_nor_of_rows_nor_what_comes_later_shows(replays, clean):
    later = [(f"later{n}", AS_OF + timedelta(days=n), f"c{n:03}", 999) for n in range(9)]
    rows = [*SALES, *later]
    random.Random(5).shuffle(rows)
    replays.add("back", rows)

    for day in (AS_OF, BEFORE):
        replays.run("back", day)

    same(replays.seen("back"), clean)
