"""Values of the firm's metrics: shares, history, and the interval of the money at risk."""

import json
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest

from include.datasets.churn import CHURN_MODEL
from include.datasets.insight import FIRM_MEASURES, FIRM_METRICS
from include.models import metrics

FIRM = SimpleNamespace(churn_threshold_days=90)


def values(rows, *, ece=None):
    """metric_value by metric, of rows (metric, numerator[, denominator])."""
    measures = pa.Table.from_pylist(
        [
            {"metric": name, "member": "", "numerator": _money(numerator), "denominator": _money(*rest)}
            for name, numerator, *rest in rows
        ],
        schema=FIRM_MEASURES.schema,
    )
    body = json.dumps([{"is_champion": True, "population": "all", "ece": ece}])
    parts = [{"part": "metrics", "body": body, "sha256": ""}] if ece is not None else []
    model = pa.Table.from_pylist(parts, schema=CHURN_MODEL.schema)
    table = metrics.compute(measures, model, firm=FIRM, as_of=None)
    FIRM_METRICS.conform(table.to_batches()[0])
    return {row["metric"]: row["metric_value"] for row in table.to_pylist()}


def _money(value=None):
    return None if value is None else Decimal(str(value))


def test_a_share_is_in_percent_and_null_without_a_denominator():
    found = values([("one_time_share", 1, 3), ("active_share", 0, 0), ("history_days", 900)])

    assert found["one_time_share"] == Decimal("33.3333")
    assert found["active_share"] is None


@pytest.mark.parametrize(
    ("metric", "days"),
    [("active_customers", 90), ("new_customers", 180), ("retained_customers", 180), ("revenue_year", 365),
     ("spend_at_risk", 365), ("customers", 0)],
)  # fmt: skip
def test_a_metric_has_no_value_before_its_history_is_there(metric, days):
    enough = values([(metric, 5), ("history_days", days)])
    short = values([(metric, 5), ("history_days", days - 1)])

    assert enough[metric] == 5
    assert short[metric] is None or days == 0


def test_change_needs_both_years_whole():
    rows = [("revenue_change", -10, 100)]

    assert values([*rows, ("history_days", 730)])["revenue_change"] == -10
    assert values([*rows, ("history_days", 729)])["revenue_change"] is None


def test_money_at_risk_is_off_by_chance_and_by_the_models_calibration():
    rows = [("spend_at_risk", 500), ("spend_at_risk_deviation", 40), ("active_spend", 2000),
            ("history_days", 400)]  # fmt: skip

    sure, unsure, unknown = values(rows, ece=0), values(rows, ece=0.05), values(rows)

    assert sure["spend_at_risk_low"] == pytest.approx(Decimal("434.2"), abs=Decimal("0.1"))
    assert unsure["spend_at_risk_high"] == pytest.approx(Decimal("665.8"), abs=Decimal("0.1"))
    assert unknown["spend_at_risk_low"] == pytest.approx(Decimal("234.2"), abs=Decimal("0.1"))


def test_where_rules_score_there_is_no_money_at_risk():
    found = values([("spend_at_risk", None), ("spend_at_risk_deviation", None), ("active_spend", 2000),
                    ("history_days", 400)])  # fmt: skip

    assert (found["spend_at_risk"], found["spend_at_risk_low"]) == (None, None)
