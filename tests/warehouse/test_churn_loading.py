"""Churn in a real server: models on record, anchors loaded once, predictions scored in the end."""

from datetime import date

import pytest

from include.warehouse import LoadRefused
from tests.warehouse.churn_rows import artefact, at_risk, model
from tests.warehouse.shop import returned, sale

ANCHOR, LATER = date(2026, 3, 1), date(2026, 6, 1)
AS_OF, END = date(2026, 3, 10), date(2026, 4, 9)


def risk(shop, as_of, *rows, **more):
    return shop.load("fact_customer_churn_risk", as_of.isoformat(), rows, **more)


def score(shop):
    return shop.warehouse.loader.score("churn", firm_key="acme", step="score_churn")


def test_a_model_is_on_record_with_what_it_knew(shop):
    dead = {"check": "future_information", "observed": float("nan"), "passed": False, "message": "NaN"}
    alive = {"check": "shuffled_labels", "observed": 0.5, "passed": True, "message": "fine"}
    dead["allowed"] = alive["allowed"] = 0.1

    version = model(shop, ANCHOR, canaries=[dead, alive])

    assert shop.ask(
        "select model_version, anchor, method, horizon_days, training_cutoffs, training_customers, "
        "sentinel_checks, sentinel_checks_passed, manifest_sha256, is_standing, trained_at is not null "
        "from control.models"
    ) == [
        (version, ANCHOR, "bgnbd", 30, [date(2026, 1, 1), date(2026, 2, 1)], [10, 12], 2, 1, "sha 1", True,
         True)
    ]  # fmt: skip


def test_a_model_trained_again_is_current_and_the_earlier_one_stays_on_record(shop):
    first = model(shop, ANCHOR)

    second = model(shop, ANCHOR, reason="More was known.")

    assert sorted(shop.ask("select model_version, is_standing from control.models")) == sorted(
        [(first, False), (second, True)]
    )


def test_an_anchor_is_loaded_once_whatever_days_run_after_it(shop):
    rows, _ = artefact(ANCHOR)

    first = shop.load("churn_models", str(ANCHOR), rows, as_of=AS_OF, manifest=1, sha256="same")
    second = shop.load("churn_models", str(ANCHOR), rows, as_of=END, manifest=1, sha256="same")

    assert (first.rows, first.skipped_slices, second.rows, second.skipped_slices) == (len(rows), 0, 0, 1)


def test_an_anchor_after_as_of_is_not_loaded(shop):
    rows, _ = artefact(LATER)

    with pytest.raises(ValueError, match="on or after its day"):
        shop.load("churn_models", str(LATER), rows, as_of=AS_OF)


def test_a_tampered_model_is_refused(shop):
    rows, _ = artefact(ANCHOR)
    rows[0]["body"] += " "

    with pytest.raises(LoadRefused, match="hash of the part differs from its content"):
        shop.load("churn_models", str(ANCHOR), rows)


def test_risk_from_a_model_that_is_not_on_record_is_refused(shop):
    with pytest.raises(LoadRefused, match=r"model_version is not in control\.models.*churn-none"):
        risk(shop, AS_OF, at_risk("ann", AS_OF, "churn-none"))


def test_risk_from_a_model_that_knows_the_future_is_refused(shop):
    version = model(shop, LATER)

    with pytest.raises(LoadRefused, match="the model was trained after as_of"):
        risk(shop, AS_OF, at_risk("ann", AS_OF, version))


def test_rules_give_no_probability(shop):
    version = model(shop, ANCHOR, method="rules")

    risk(shop, AS_OF, at_risk("ann", AS_OF, version, probability=None))

    assert shop.ask("select churn_probability, horizon_days from analytics.fact_customer_churn_risk") == [
        (None, 30)
    ]


def test_a_customer_without_a_score_has_the_reason_and_is_not_compared(shop):
    version = model(shop, ANCHOR)
    new = dict.fromkeys(
        ("churn_risk_score", "churn_risk_category", "churn_risk_band", "predicted_churn_date",
         "days_until_predicted_churn", "intervention_priority", "recommended_action",
         "recommended_action_text", "churn_probability")
    )  # fmt: skip
    shop.sales("2026-03", sale("1", AS_OF, "ann"), as_of=END)
    risk(
        shop,
        AS_OF,
        at_risk("ann", AS_OF, version),
        at_risk("bob", AS_OF, version) | new | {"no_score_reason": "too_new"},
    )

    score(shop)

    assert shop.ask(
        "select churn_risk_category, no_score_reason from analytics.fact_customer_churn_risk order by 1"
    ) == [("Low", None), (None, "too_new")]
    assert shop.ask("select customers from analytics.fact_scorecard where decile = 0") == [(1,)]


def test_metrics_importances_and_checks_replace_their_anchor(shop):
    feature = {"factor": "overdue", "gain": 1.0, "splits": 2}
    measured = {"candidate": "bgnbd", "population": "all", "is_champion": True, "cutoff": "2026-02-01"}
    measured |= dict.fromkeys(("customers", "churned", "true_positives", "false_positives"), 4)
    measured |= {"false_negatives": 0, "true_negatives": 0, "brier": 0.2, "threshold": 0.5}
    canary = {"check": "shuffled_labels", "observed": 0.5, "allowed": 0.1, "passed": True, "message": "fine"}

    for names in (("a", "b"), ("c", "d")):
        used = [{**feature, "feature": name, "mean_contribution": n} for n, name in enumerate(names)]
        version = model(shop, ANCHOR, canaries=[canary], importances=used, metrics=[measured])

    assert shop.ask(
        "select anchor, model_version, feature, place from analytics.churn_feature_importances order by place"
    ) == [(ANCHOR, version, "d", 1), (ANCHOR, version, "c", 2)]
    assert shop.ask(
        "select model_version, candidate, is_champion, cutoff, horizon_days, brier, auc "
        "from analytics.churn_performance_metrics"
    ) == [(version, "bgnbd", True, date(2026, 2, 1), 30, 0.2, None)]
    assert shop.ask("select model_version, check_name, observed from control.model_checks") == [
        (version, "shuffled_labels", 0.5)
    ]
    assert shop.ask("select candidates -> 0 ->> 'brier' from control.models where is_standing") == [("0.2",)]


def predicted(shop):
    """Four customers predicted; bob alone buys in the window."""
    version = model(shop, ANCHOR)
    shop.sales(
        "2026-03", sale("1", date(2026, 3, 1), "ann"), returned("2", date(2026, 3, 20), "ann"), as_of=END
    )
    shop.sales("2026-04", sale("3", date(2026, 4, 8), "bob"), sale("4", END, "cid"), as_of=END)
    chances = {"ann": 0.9, "bob": 0.2, "cid": 0.8, "dan": 0.2}
    risk(shop, AS_OF, *(at_risk(name, AS_OF, version, probability=p) for name, p in chances.items()))


def test_a_prediction_is_compared_with_what_happened_in_its_window(shop):
    predicted(shop)

    score(shop)

    # ann's return and cid's purchase on the day the window ends are no purchases in it.
    (row,) = shop.ask(
        "select customers, round(predicted_mean::numeric, 4)::float, realised_mean, realised_total, "
        "round(auc::numeric, 4)::float, round(brier::numeric, 4)::float, "
        "round(calibration_error::numeric, 4)::float, matured_on "
        "from analytics.fact_scorecard where decile = 0"
    )
    # Brier: (.1^2 + .2^2 + .2^2 + .8^2) / 4; bins: |.4 - 1|, |.8 - 1|, |.9 - 1|, over 4 customers.
    assert row == (4, 0.525, 0.75, 3.0, 0.8333, 0.1825, 0.225, END)


def test_equal_predictions_share_a_decile(shop):
    predicted(shop)

    score(shop)

    rows = shop.ask(
        "select decile, customers, realised_mean from analytics.fact_scorecard "
        "where decile > 0 order by decile"
    )
    assert rows == [(3, 2, 0.5), (7, 1, 1.0), (9, 1, 1.0)]


def test_a_basket_that_began_before_the_snapshot_is_no_purchase_after_it(shop):
    version = model(shop, ANCHOR)
    began = sale("1", date(2026, 3, 9), "ann")
    shop.sales("2026-03", began, sale("1", AS_OF, "ann", line_id="2"), sale("2", AS_OF, "bob"), as_of=END)
    shop.sales("2026-04", as_of=END)
    risk(shop, AS_OF, at_risk("ann", AS_OF, version), at_risk("bob", AS_OF, version))

    score(shop)

    assert shop.ask("select realised_total from analytics.fact_scorecard where decile = 0") == [(1.0,)]


def test_a_window_that_has_not_passed_is_not_scored(shop):
    version = model(shop, ANCHOR)
    shop.sales("2026-03", sale("1", AS_OF), as_of=date(2026, 4, 8))
    risk(shop, AS_OF, at_risk("ann", AS_OF, version))

    assert score(shop) == 0


def test_a_scorecard_stays_until_a_correction_changes_what_it_was_made_from(shop):
    predicted(shop)
    first = score(shop)
    again = score(shop)

    shop.sales("2026-04", as_of=date(2026, 4, 30))

    assert (first, again, score(shop)) == (4, 0, 4)
    assert shop.ask("select realised_total from analytics.fact_scorecard where decile = 0") == [(4.0,)]


def test_rules_are_scored_by_their_order_alone(shop):
    version = model(shop, ANCHOR, method="rules")
    shop.sales("2026-03", sale("1", AS_OF, "ann"), as_of=END)
    ann = at_risk("ann", AS_OF, version, probability=None, churn_risk_score=10)
    risk(shop, AS_OF, ann, at_risk("bob", AS_OF, version, probability=None, churn_risk_score=90))

    score(shop)

    assert shop.ask(
        "select auc, predicted_mean, brier, calibration_error from analytics.fact_scorecard where decile = 0"
    ) == [(1.0, None, None, None)]
