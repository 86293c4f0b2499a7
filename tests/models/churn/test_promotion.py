"""A churn model as promotion candidate: its backtest error, and whether a leakage check failed."""

from datetime import date

from include.datasets.churn import CHURN_TRAINING
from include.models.churn import artefact as churn_artefact
from include.models.churn import promotion
from include.models.promotion import evaluate

NEW, OLD = date(2025, 7, 1), date(2025, 4, 1)
NOBODY = CHURN_TRAINING.schema.empty_table()


def candidate(anchor, *, is_sufficient=True, passed=True, method="bgnbd"):
    metrics = [
        {"candidate": name, "population": population, "is_champion": name == "bgnbd", "brier": brier}
        for name, population, brier in (
            ("recency", "all", 0.3), ("bgnbd", "repeat_buyers", 0.1), ("bgnbd", "all", 0.2)
        )
    ]  # fmt: skip
    header = {"anchor": anchor.isoformat(), "method": method, "is_sufficient": is_sufficient}
    checks = [
        {"check": "shuffled_labels", "passed": True},
        {"check": "future_information", "passed": passed},
    ]
    model = churn_artefact.write({"header": header, "metrics": metrics, "sentinel": checks})
    return promotion.candidate(model, NOBODY, anchor=NEW, firm=None)


def test_the_anchors_model_is_measured_by_its_backtest_on_all_customers():
    found = candidate(NEW)

    assert (found.anchor, found.error, found.is_sound, found.is_blocked) == (NEW, 0.2, True, False)


def test_a_failed_leakage_check_blocks_the_model_and_the_earlier_one_scores():
    blocked = candidate(NEW, is_sufficient=False, passed=False, method="rules")

    result = evaluate(blocked, [candidate(OLD)], error_name=promotion.ERROR)

    assert blocked.is_blocked
    assert result.anchor == OLD
    assert "a leakage check failed" in result.reason


def test_rules_due_to_too_little_data_are_not_a_blocked_model():
    found = candidate(NEW, is_sufficient=False, method="rules")

    assert (found.is_sound, found.is_blocked, found.error) == (False, False, None)


def test_an_earlier_model_without_a_window_has_no_error():
    assert candidate(OLD).error is None
