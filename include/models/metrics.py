"""Values of the firm's metrics: the glossary's unit and formula, and null where the history is too short."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from statistics import NormalDist

import pyarrow as pa

from include import metrics
from include.models.firm import FirmSettings

AT_RISK_CONFIDENCE = 0.90
UNKNOWN_CALIBRATION_ERROR = 0.10  # of a model that has measured none

Measure = tuple[Decimal | None, Decimal | None]


def compute(measures: pa.Table, churn_model: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of firm_metrics: one per metric of the glossary and member."""
    del as_of  # the measures were taken as of it
    found: dict[tuple[str, str], Measure] = {
        (row["metric"], row["member"]): (row["numerator"], row["denominator"]) for row in measures.to_pylist()
    }
    found.update(_interval_at_risk(found, calibration_error(churn_model)))
    history = float(found.get(("history_days", ""), (None, None))[0] or 0)
    known = {metric.name: metric for metric in metrics.GLOSSARY if metric.grain != "customer"}
    rows = [
        _row(known[name], member, measure, is_long_enough=_is_enough(known[name], history, firm))
        for (name, member), measure in sorted(found.items())
        if name in known
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def calibration_error(churn_model: pa.Table) -> float:
    """The selected churn model's expected calibration error on customers it was not trained on, 0 to 1."""
    bodies = dict(zip(churn_model["part"].to_pylist(), churn_model["body"].to_pylist(), strict=True))
    rows = json.loads(bodies.get("metrics", "[]"))
    errors = [
        row["ece"]
        for row in rows
        if row.get("is_champion") and row.get("population") == "all" and row.get("ece") is not None
    ]
    return max(errors, default=UNKNOWN_CALIBRATION_ERROR)


def _interval_at_risk(
    found: Mapping[tuple[str, str], Measure], calibration_error: float
) -> dict[tuple[str, str], Measure]:
    """Interval of spend_at_risk: independent customers, and a level that is off by the calibration error."""
    names = ("spend_at_risk", "spend_at_risk_deviation", "active_spend")
    total, deviation, spend = (found.get((name, ""), (None, None))[0] for name in names)
    if total is None or deviation is None or spend is None:
        bounds: tuple[Decimal | None, Decimal | None] = (None, None)
    else:
        z = NormalDist().inv_cdf(0.5 + AT_RISK_CONFIDENCE / 2)
        half = Decimal(z * float(deviation) + calibration_error * float(spend)).quantize(Decimal("0.0001"))
        bounds = (max(total - half, Decimal(0)), min(total + half, max(spend, total)))
    low, high = bounds
    return {("spend_at_risk_low", ""): (low, None), ("spend_at_risk_high", ""): (high, None)}


def _is_enough(metric: metrics.Metric, history: float, firm: FirmSettings) -> bool:
    return history >= metric.needed_days(firm.churn_threshold_days)


def _row(metric: metrics.Metric, member: str, measure: Measure, *, is_long_enough: bool) -> dict[str, object]:
    numerator, denominator = measure
    value = None
    if numerator is not None and is_long_enough:
        if not metric.is_ratio:
            value = numerator
        elif denominator is not None and denominator > 0:
            share = numerator / denominator * (100 if metric.unit == "percent" else 1)
            value = share.quantize(Decimal("0.0001"))
    return {
        "metric": metric.name,
        "member": member,
        "unit": metric.unit,
        "numerator": numerator,
        "denominator": denominator,
        "metric_value": value,
        "definition": metric.formula,
    }


_TOTAL = pa.decimal128(38, 4)
_SCHEMA = pa.schema(
    {
        "metric": pa.string(),
        "member": pa.string(),
        "unit": pa.string(),
        "numerator": _TOTAL,
        "denominator": _TOTAL,
        "metric_value": _TOTAL,
        "definition": pa.string(),
    }
)
