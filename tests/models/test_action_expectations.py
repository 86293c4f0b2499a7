"""A measured effect becomes the next expectation, as far as it is precise."""

import random
from statistics import fmean

import pytest

from include.datasets.actions import ACTION_EFFECTS
from include.firms import parse_firm
from include.models.action_expectations import Measured, expected, learned, measured
from include.models.uplift import amount_effect
from tests.models.test_action_ledger import CARD, JULY, customer
from tests.models.test_actions import computed, rule
from tests.warehouse.shop import ACME, batch


def effect(code="card", *, quarter="2025-04-01", treated=500, held=100, value=100.0, effect=10.0, error=2.0):
    return {
        "action_code": code,
        "quarter_start": JULY.fromisoformat(quarter),
        "treated_customers": treated,
        "held_out_customers": held,
        "avg_value_at_stake": value,
        "margin_effect": effect,
        "standard_error": error,
    }


def lifts(*rows):
    import pyarrow as pa

    return measured(pa.Table.from_batches([batch(ACTION_EFFECTS, rows)]))


def test_without_a_measurement_the_assumption_stays_and_has_no_error():
    assert expected(rule("card", 1, 0.08), None) == (0.08, None)


def test_a_strong_measurement_replaces_the_assumption_and_a_weak_one_does_not():
    strong = expected(rule("card", 1, 0.08), Measured(0.20, 0.005))
    weak = expected(rule("card", 1, 0.08), Measured(0.20, 0.80))

    assert strong.lift == pytest.approx(0.20, abs=0.002)
    assert weak.lift == pytest.approx(0.08, abs=0.003)
    assert strong.error < weak.error < 0.08


def test_the_posterior_is_that_of_two_normal_estimates():
    # 0.1 with variance 0.01 and 0.3 with variance 0.03: weights 3 and 1.
    found = expected(rule("card", 1, 0.1), Measured(0.3, 0.03**0.5))

    assert found.lift == pytest.approx(0.15)
    assert found.error == pytest.approx((1 / (100 + 100 / 3)) ** 0.5)


def test_quarters_are_pooled_by_their_precision():
    found = lifts(effect(error=2.0, effect=10), effect(quarter="2025-01-01", error=4.0, effect=20))

    assert found["card"].lift == pytest.approx(0.12)
    assert found["card"].error == pytest.approx((1 / (1 / 0.02**2 + 1 / 0.04**2)) ** 0.5)


@pytest.mark.parametrize(
    "change", [{"held": 29}, {"value": None}, {"value": -1.0}, {"error": None}, {"error": 0.0}]
)
def test_a_quarter_that_measures_nothing_is_left_out(change):
    assert lifts(effect(**change)) == {}


def test_an_action_that_is_measured_to_harm_is_not_planned_again():
    found, errors = learned([rule("card", 1, 0.1)], {"card": Measured(-0.2, 0.01)})

    assert (found[0].expected_lift, errors["card"] is None) == (0, False)


def test_the_plan_uses_the_expectation_and_keeps_its_error():
    firm = parse_firm(ACME | {"actions": {"holdout_share": 0, "rules": [CARD]}})

    (before,) = computed([customer("ann")], firm=firm).to_pylist()
    (after,) = computed([customer("ann")], firm=firm, effects=[effect(effect=30.0, error=0.5)]).to_pylist()

    assert (before["expected_lift"], before["lift_error"]) == (0.1, None)
    assert after["expected_lift"] == pytest.approx(0.3, abs=0.01)
    assert after["lift_error"] == pytest.approx(0.005, abs=0.001)
    assert float(after["expected_benefit_amount"]) == pytest.approx(100 * after["expected_lift"], abs=0.001)


def test_the_expectation_comes_nearer_to_the_truth_with_every_quarter():
    """A card that adds 4 % is assumed to add 20 %: simulated quarters of 3,000 treated and 1,000 held out."""
    rng = random.Random(8)
    rows = []
    errors = []
    for number in range(8):
        treated = [rng.gauss(104, 40) for _ in range(3_000)]
        held = [rng.gauss(100, 40) for _ in range(1_000)]
        found = amount_effect(treated, held)
        half_width = (found.high - found.low) / 2
        rows.append(
            effect(quarter=f"20{10 + number}-01-01", treated=3_000, held=1_000,
                   effect=fmean(treated) - fmean(held), error=half_width / 1.96)
        )  # fmt: skip
        errors.append(abs(expected(rule("card", 1, 0.2), lifts(*rows)["card"]).lift - 0.04))

    assert errors[-1] < 0.012
    assert errors[-1] < 0.2 - 0.04
