"""The view of drift, row for row on a hand-made shop."""

from datetime import date

import pytest

from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.shop import sale

ANCHOR, OLD, NEW = date(2026, 3, 1), date(2026, 3, 10), date(2026, 5, 10)


def moved(shop, as_of, version, **psi):
    rows = [
        {"variable_name": name, "is_score": name == "chance", "psi": value,
         "training_customers": 10, "customers": 12}
        for name, value in psi.items()
    ]  # fmt: skip
    shop.warehouse.records.models.record_drift("acme", "churn", as_of, version, rows)


def test_drift_is_shown_by_snapshot_with_the_outcome_of_its_predictions(shop):
    version = model(shop, ANCHOR)
    shop.sales("2026-03", sale("1", OLD, "ann"), as_of=NEW)
    shop.sales("2026-04", as_of=NEW)
    shop.load(
        "fact_customer_churn_risk",
        str(OLD),
        [at_risk("ann", OLD, version, probability=0.3), at_risk("bob", OLD, version, probability=0.4)],
    )
    shop.warehouse.loader.score("churn", firm_key="acme", step="score_churn")
    moved(shop, OLD, version, chance=0.05, orders=0.1, age=0.25)
    moved(shop, NEW, version, chance=0.3, orders=0.01, age=0.01)

    rows = shop.ask(
        "select as_of, model_version, anchor, score_psi, most_shifted_feature, feature_psi, has_shifted, "
        "matured_on, predicted_mean, realised_mean, calibration_drift from control.vw_model_drift order by 1"
    )

    assert rows == [
        (OLD, version, ANCHOR, 0.05, "age", 0.25, False, date(2026, 4, 9), pytest.approx(0.35), 0.5,
         pytest.approx(0.15)),
        (NEW, version, ANCHOR, 0.3, "age", 0.01, True, None, None, None, None),
    ]  # fmt: skip


def test_a_snapshot_scored_again_replaces_its_drift(shop):
    version = model(shop, ANCHOR)
    moved(shop, OLD, version, chance=0.9, orders=0.9)

    moved(shop, OLD, version, chance=0.1)

    assert shop.ask("select variable_name, psi from control.model_drift") == [("chance", 0.1)]
