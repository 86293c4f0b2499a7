from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from include.datasets.features import CUSTOMER_FEATURES
from include.models.churn import artefact as churn_artefact
from include.models.churn import factors as churn_factors
from include.models.churn import model as churn
from include.models.churn import risk as churn_risk
from include.models.churn import rules as churn_rules
from include.models.churn.trees import column_values
from tests.models.churn import cases

AS_OF = date(2025, 7, 1)
BASE = {
    "days_since_last_order": 10,
    "avg_days_between_orders": 20.0,
    "age_days": 400,
    "is_one_timer": False,
    "order_pace_90_of_lifetime": 1.0,
    "total_spend_90_days": 90,
    "total_spend": 400,
    "total_spend_365_days": 365,
    "engagement_score": 60.0,
    "return_rate": 0.0,
    "order_count_30_days": 2,
    "order_count_90_days": 6,
    "total_spend_30_days": 30,
    "return_count_90_days": 0,
    "avg_order_interval_change_pct": None,
}


def customers(*changes):
    """customer_features of customers who differ from a regular one as said; other features are null."""
    rows = [{"customer_id": f"c{at}", **BASE, **change} for at, change in enumerate(changes)]
    columns = {
        field.name: pa.array([_value(row.get(field.name), field.type) for row in rows], field.type)
        for field in CUSTOMER_FEATURES.schema
    }
    return pa.RecordBatch.from_pydict(columns)


def _value(value, kind):
    return Decimal(str(value)) if value is not None and pa.types.is_decimal(kind) else value


def scores(*changes):
    return churn_rules.score(churn_rules.signals(customers(*changes), horizon_days=60))


def by_rule(*changes):
    firm = cases.firm()
    model = churn.fit(cases.training.CHURN_TRAINING.schema.empty_table(), firm=firm, as_of=AS_OF)
    params = churn.prepare(model, firm=firm, as_of=AS_OF)
    return churn.predict(customers(*changes), params, firm=firm, as_of=AS_OF).to_pylist()


def test_weights_add_up_to_one():
    assert sum(signal.weight for signal in churn_rules.SIGNALS.values()) == pytest.approx(1.0)


def test_one_more_day_without_an_order_raises_the_score_a_little():
    found = scores(*({"days_since_last_order": days} for days in range(1, 2000)))

    steps = np.diff(found)

    assert (steps > 0).all()
    assert steps.max() < 2.0


def test_ninety_one_days_and_five_years_are_not_the_same():
    dormant = {"order_pace_90_of_lifetime": 0.0, "total_spend_90_days": 0, "engagement_score": 0.0}

    quarter, years = scores(
        {"days_since_last_order": 91, **dormant}, {"days_since_last_order": 1825, **dormant}
    )

    assert years > quarter + 5
    assert years > 85


def test_the_score_depends_on_the_customers_own_order_interval():
    often, seldom = scores({"avg_days_between_orders": 7.0}, {"avg_days_between_orders": 90.0})

    assert often > seldom + 10


def test_a_customer_five_days_after_an_order_is_neither_falling_nor_at_risk():
    (row,) = by_rule({"days_since_last_order": 5, "order_count_30_days": 1, "order_count_90_days": 7})

    assert row["order_frequency_trend"] == "stable"
    assert row["churn_risk_score"] < 25


@pytest.mark.parametrize(
    ("recent", "whole", "trend"),
    [
        (0, 0, "inactive"),
        (0, 9, "decreasing"),
        (1, 24, "decreasing"),
        (1, 7, "stable"),
        (3, 9, "stable"),
        (9, 12, "increasing"),
        (1, 1, "stable"),
    ],
)
def test_trend_needs_half_or_one_and_a_half_times_and_more_than_chance(recent, whole, trend):
    numbers = (np.array([float(recent)]), np.array([float(whole)]))

    found = churn_risk.trend(*numbers, *numbers)

    assert found == [trend]


def test_one_order_customers_get_a_row_and_a_reason():
    (row,) = by_rule(
        {"is_one_timer": True, "avg_days_between_orders": None, "days_since_last_order": 80, "age_days": 80}
    )

    assert row["churn_risk_score"] > 50
    assert row["churn_probability"] is None
    assert "short_history" in {row[f"top_churn_factor_{n}"] for n in (1, 2, 3)}


def described(*given, **named):
    return pa.RecordBatch.from_pydict(churn_risk.describe(*given, **named)).to_pylist()


def test_bounds_are_the_firms_and_belong_to_the_band_above():
    firm = cases.firm(category_bounds=(10, 20, 30), band_bounds=(0.1, 0.3))
    model = churn_artefact.read(
        churn.fit(cases.training.CHURN_TRAINING.schema.empty_table(), firm=firm, as_of=AS_OF)
    )

    rows = described(
        customers(*[{}] * 5),
        probability=None,
        score=np.array([9.99, 10.0, 20.0, 29.99, 30.0]),
        factors=(["overdue"], np.ones((5, 1))),
        spend_cuts=(1.0, 2.0),
        method="rules",
        version=model["version"],
        firm=firm,
        is_known=True,
        as_of=AS_OF,
    )

    assert [row["churn_risk_category"] for row in rows] == ["Low", "Medium", "High", "High", "Critical"]
    assert [row["churn_risk_band"] for row in rows] == ["low", "medium", "medium", "medium", "high"]
    assert [row["recommended_action"] for row in rows] == [
        "monitor_engagement",
        "retention_programme",
        "win_back_campaign",
        "win_back_campaign",
        "personal_outreach",
    ]


def test_the_valuable_critical_customer_comes_first_and_the_long_gone_later():
    given = customers(
        {"days_since_last_order": 40, "total_spend_365_days": 900},
        {"days_since_last_order": 40, "total_spend_365_days": 1},
        {"days_since_last_order": 400, "total_spend_365_days": 900},
    )

    rows = described(
        given,
        probability=np.array([0.9, 0.9, 0.9]),
        score=np.array([90.0, 90.0, 90.0]),
        factors=(["overdue"], np.ones((3, 1))),
        spend_cuts=(10.0, 100.0),
        method="lightgbm",
        version="v",
        firm=cases.firm(),
        is_known=True,
        as_of=AS_OF,
    )

    assert [row["intervention_priority"] for row in rows] == [1, 3, 2]


def test_texts_are_stable_and_follow_the_firms_language():
    firm = cases.firm()
    firm.language = "tr"

    texts = [text for factor in churn_factors.FACTORS for text in factor.text.values()]

    assert not any(character.isdigit() for text in texts for character in text)
    assert all(set(factor.text) == {"en", "tr"} for factor in churn_factors.FACTORS)
    assert set(churn_risk.ACTION_TEXTS) == set(churn_risk.ACTIONS)
    assert {signal.code for signal in churn_rules.SIGNALS.values()} <= set(churn_factors.TEXTS)


def test_every_feature_has_one_factor_and_every_factor_has_features():
    names = [name for name in CUSTOMER_FEATURES.schema.names if name != "customer_id"]

    codes = {churn_factors.code_of(name) for name in names}

    assert codes == set(churn_factors.TEXTS)
    with pytest.raises(KeyError, match="matches no churn factor"):
        churn_factors.code_of("shoe_size")


def test_nulls_become_nan():
    batch = customers({"avg_days_between_orders": None}, {"avg_days_between_orders": 2.5})

    values = column_values(batch, "avg_days_between_orders")

    assert np.isnan(values[0])
    assert values[1] == 2.5
