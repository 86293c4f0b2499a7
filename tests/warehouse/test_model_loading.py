"""Models on record: value's beside churn's, tampered ones refused, decisions in force by day."""

from datetime import date

import pytest

from include.datasets.value import VALUE_MODEL
from include.models.ltv import artefact as ltv_artefact
from include.warehouse import LoadRefused
from tests.warehouse import shop as shops
from tests.warehouse.churn_rows import model as churn_model

ANCHOR, EARLIER = date(2026, 3, 1), date(2025, 12, 1)


@pytest.fixture
def model_shop(shop, monkeypatch):
    monkeypatch.setitem(shops.TABLES, "ltv_models", VALUE_MODEL)
    return shop


def artefact(**changes):
    """A value model's rows and its version."""
    header = {
        "anchor": ANCHOR.isoformat(),
        "method": "bgnbd",
        "challenger": "trees",
        "reason": "It was best.",
        "is_sufficient": True,
        "horizon_days": 90,
        "cutoffs": ["2025-12-01", "2026-03-01"],
        "customers": 12,
        "settings": {"margin_share": 0.3},
        "level": 1.0,
    }
    tested = [
        {"candidate": name, "cutoff": "2025-12-01", "horizon_days": 90, "customers": 12,
         "metrics": {"error": error, "spearman": None}}
        for name, error in (("bgnbd", 0.5), ("trees", 0.6))
    ]  # fmt: skip
    parts = {"header": header | changes, "backtest": tested, "counts": {"r": 0.25}, "trees": "tree=0"}
    table = ltv_artefact.write(parts)
    return table.to_pylist(), ltv_artefact.read(table)["version"]


def test_a_value_model_is_on_record_with_its_parameters_and_its_backtest(model_shop):
    rows, version = artefact()

    model_shop.load("ltv_models", str(ANCHOR), rows)

    assert model_shop.ask(
        "select module, model_version, anchor, challenger, training_cutoffs, training_customers, "
        "parameters #>> '{counts,r}', parameters ->> 'level', length(parameters #>> '{trees,sha256}'), "
        "left(artefact_sha256, 12) = right(model_version, 12) from control.models"
    ) == [
        ("ltv", version, ANCHOR, "trees", [date(2025, 12, 1), ANCHOR], [12], "0.25", "1.0", 64, True)
    ]  # fmt: skip
    assert model_shop.ask(
        "select candidate, is_champion, metric, measured, model_version from analytics.value_backtest "
        "order by candidate, metric"
    ) == [
        ("bgnbd", True, "error", 0.5, version),
        ("bgnbd", True, "spearman", None, version),
        ("trees", False, "error", 0.6, version),
        ("trees", False, "spearman", None, version),
    ]


def test_a_model_without_a_window_to_test_on_is_on_record_too(model_shop):
    rows, version = artefact(horizon_days=0, cutoffs=[], method="none", challenger=None)

    model_shop.load("ltv_models", str(ANCHOR), rows)

    assert model_shop.ask("select model_version, training_cutoffs, challenger from control.models") == [
        (version, [], None)
    ]


def test_models_of_two_modules_are_kept_beside_each_other(model_shop):
    rows, value = artefact()

    churn = churn_model(model_shop, ANCHOR)
    model_shop.load("ltv_models", str(ANCHOR), rows)

    assert model_shop.ask("select model_version from control.models where is_standing order by module") == [
        (churn,),
        (value,),
    ]


def test_a_tampered_value_model_is_refused(model_shop):
    rows, _ = artefact()
    rows[-1]["body"] += " "

    with pytest.raises(LoadRefused, match="hash of the part differs from its content: 1 rows, such as trees"):
        model_shop.load("ltv_models", str(ANCHOR), rows)

    assert model_shop.ask("select 1 from control.models") == []


def test_a_decision_holds_from_its_day_and_the_last_one_counts(model_shop):
    warehouse = model_shop.warehouse

    def decide(day, anchor):
        warehouse.records.models.decide(
            "acme", "ltv", replaces_anchor=ANCHOR, from_as_of=day, anchor=anchor, decided_by="ann", why="x"
        )

    def used(day, anchor=ANCHOR):
        found = warehouse.records.models.decision("acme", "ltv", as_of=day, anchor=anchor)
        return found and found["anchor"]

    decide(date(2026, 3, 10), EARLIER)
    decide(date(2026, 3, 20), ANCHOR)

    assert [used(date(2026, 3, day)) for day in (9, 10, 19, 20)] == [None, EARLIER, EARLIER, ANCHOR]
    assert used(date(2026, 6, 2), anchor=date(2026, 6, 1)) is None
    assert warehouse.records.models.decision("acme", "churn", as_of=date(2026, 3, 15), anchor=ANCHOR) is None
