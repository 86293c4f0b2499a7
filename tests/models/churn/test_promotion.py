"""What a churn model brings to the gate: its trial's error, and whether the sentinel blocks it."""

from datetime import date

from include.datasets.churn import CHURN_TRAINING
from include.models.churn import artefact as churn_artefact
from include.models.churn import promotion
from include.models.gate import judge

NEW, OLD = date(2025, 7, 1), date(2025, 4, 1)
NOBODY = CHURN_TRAINING.schema.empty_table()


def at_the_gate(anchor, *, is_sufficient=True, passed=True, method="bgnbd"):
    metrics = [
        {"candidate": name, "population": population, "is_champion": name == "bgnbd", "brier": brier}
        for name, population, brier in (
            ("recency", "all", 0.3), ("bgnbd", "repeat_buyers", 0.1), ("bgnbd", "all", 0.2)
        )
    ]  # fmt: skip
    header = {"anchor": anchor.isoformat(), "method": method, "is_sufficient": is_sufficient}
    canaries = [
        {"check": "shuffled_labels", "passed": True},
        {"check": "future_information", "passed": passed},
    ]
    model = churn_artefact.write({"header": header, "metrics": metrics, "sentinel": canaries})
    return promotion.contender(model, NOBODY, anchor=NEW, firm=None)


def test_an_anchors_own_model_is_measured_by_its_champions_trial_on_all_customers():
    found = at_the_gate(NEW)

    assert (found.anchor, found.error, found.is_sound, found.is_blocked) == (NEW, 0.2, True, False)


def test_a_dead_canary_blocks_the_model_and_the_earlier_one_keeps_scoring():
    blocked = at_the_gate(NEW, is_sufficient=False, passed=False, method="rules")

    verdict = judge(blocked, [at_the_gate(OLD)], error_name=promotion.ERROR)

    assert blocked.is_blocked
    assert verdict.anchor == OLD
    assert "the leak sentinel blocks it" in verdict.reason


def test_rules_for_want_of_data_are_no_model_that_is_blocked():
    found = at_the_gate(NEW, is_sufficient=False, method="rules")

    assert (found.is_sound, found.is_blocked, found.error) == (False, False, None)


def test_an_earlier_model_without_a_window_has_no_error():
    assert at_the_gate(OLD).error is None
