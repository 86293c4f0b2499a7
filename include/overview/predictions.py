"""What the models predict, summed up: value and its concentration, chances of leaving, planned actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.computed import CUSTOMER_SUMMARY, RFM
from include.datasets.extracted import CUSTOMERS
from include.datasets.value import LTV
from include.overview.facts import ChanceBand, Part, PlannedAction
from include.overview.figures import Figure
from include.report.reading import Reading

Row = dict[str, Any]
Figures = dict[str, Figure]
MIN_CONCENTRATION = 40  # a twentieth is at least two customers


def parts_of(reading: Reading, figures: Figures) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Twentieths of the customers by predicted value and by past sales, and the share of the top tenth."""
    reading.has(LTV)
    found: dict[str, list[Part]] = {"value_1_year": [], "net_sales": []}
    for row in reading.query("page_concentration", CUSTOMER_SUMMARY, LTV):
        found[row["measure"]].append(Part(row["part"], int(row["customers"]), row["amount"]))
    for measure, parts in found.items():
        total = sum((part.amount for part in parts), Decimal(0))
        top = parts[:2]
        held = sum((part.amount for part in top), Decimal(0))
        # More than the total, where returns make the others negative, is no share.
        if sum(part.customers for part in parts) >= MIN_CONCENTRATION and total > 0 and held <= total:
            figures[f"top_{measure}"] = Figure(float(held / total), "share")
            figures[f"top_{measure}_customers"] = Figure(sum(part.customers for part in top), "count")
    return tuple(found["value_1_year"]), tuple(found["net_sales"])


def value_of(reading: Reading, figures: Figures) -> None:
    """Totals of the predicted value with 80 % intervals.

    A total's interval is its expectation -/+ z times sqrt(sum of the customers' variances + (parameter error
    times expectation)^2), as in ``include/models/ltv/intervals.py``.
    """
    if not reading.has(LTV):
        return
    (row,) = reading.query("page_value", LTV, CHURN_RISK)
    if not row["value_customers"] or row["expected_spend_1_year"] is None:
        return
    spend, value = row["expected_spend_1_year"], row["value_1_year"]
    figures["value_customers"] = Figure(int(row["value_customers"]), "count")
    if missing := int(figures["customers"].number) - int(row["value_customers"]):
        figures["value_missing"] = Figure(missing, "count")
    figures["expected_spend"] = Figure(spend, "money")
    figures["expected_value"] = Figure(value, "money")
    horizon = row["expected_spend_horizon"]
    # The two are separate models: a season may put more into 180 days than the year's model expects in 365.
    if row["horizon_days"] and horizon is not None and row["horizon_days"] < 365 and horizon <= spend:
        figures["horizon_days"] = Figure(int(row["horizon_days"]), "days")
        figures["horizon_spend"] = Figure(row["expected_spend_horizon"], "money")
    name = "source_margin" if row["margin_source"] == "source" else "assumed_margin"
    if name == "assumed_margin":
        figures[name] = Figure(reading.firm.ltv.margin_share, "share")
    else:
        figures[name] = Figure(1, "count")
    if row["mean_outside_customers"]:
        figures["mean_outside"] = Figure(int(row["mean_outside_customers"]), "count")
    per_spend = float(value) / float(spend) if spend else 0.0
    _interval(figures, "expected_spend", float(spend), row["spend_variance_1_year"], row, scale=1.0)
    _interval(figures, "expected_value", float(value), row["spend_variance_1_year"], row, scale=per_spend)
    if row["margin_at_risk"] is not None:
        figures["at_risk"] = Figure(row["margin_at_risk"], "money")
        if value > 0:
            figures["at_risk_share"] = Figure(float(row["margin_at_risk"] / value), "share")
        at_risk = float(row["margin_at_risk"])
        _interval(figures, "at_risk", at_risk, row["spend_variance_at_risk"], row, scale=per_spend)


def _interval(
    figures: Figures, name: str, expected: float, variance: float | None, row: Row, *, scale: float
) -> None:
    """Add ``<name>_low`` and ``<name>_high``; nothing where the model gives no interval."""
    if variance is None or row["interval_z"] is None or row["parameter_error_1_year"] is None:
        return
    deviation = (scale**2 * variance + (row["parameter_error_1_year"] * expected) ** 2) ** 0.5
    half = row["interval_z"] * deviation
    figures[f"{name}_low"] = Figure(Decimal(str(max(0.0, expected - half))), "money")
    figures[f"{name}_high"] = Figure(Decimal(str(expected + half)), "money")


def chances_of(reading: Reading, figures: Figures) -> tuple[tuple[ChanceBand, ...], tuple[ChanceBand, ...]]:
    """Customers by chance of leaving, or by risk category where only rules score."""
    if not reading.has(CHURN_RISK):
        return (), ()
    days = reading.firm.churn_threshold_days
    rows = reading.query("page_chances", CHURN_RISK, RFM, LTV, churn_days=days)
    measured = [row for row in rows if row["chance_band"] is not None]
    by_band = _bands(measured, "chance_band")
    if measured:
        customers = sum(int(row["customers"]) for row in measured)
        leavers = sum(row["expected_leavers"] for row in measured)
        figures["chance_customers"] = Figure(customers, "count")
        figures["expected_leavers"] = Figure(round(leavers), "count")
        figures["mean_chance"] = Figure(leavers / customers, "tenths")
        likely = sum(band.customers for band in by_band if band.band == "4")
        figures["likely_leavers"] = Figure(likely, "count")
        gone = sum(int(row["silent_customers"]) for row in measured if row["chance_band"] == 4)
        figures["likely_gone"] = Figure(gone, "count")
        return by_band, ()
    order = ("Low", "Medium", "High", "Critical")
    rows = [row for row in rows if row["churn_risk_category"]]
    bands = sorted(_bands(rows, "churn_risk_category"), key=lambda band: order.index(band.band))
    if bands:
        figures["ranked_customers"] = Figure(sum(band.customers for band in bands), "count")
    return (), tuple(bands)


def _bands(rows: list[Row], by: str) -> tuple[ChanceBand, ...]:
    found: dict[str, ChanceBand] = {}
    for row in rows:
        name = str(row[by])
        before = found.get(name, ChanceBand(name, 0, Decimal(0), None, None))
        found[name] = ChanceBand(
            name,
            before.customers + int(row["customers"]),
            before.net_sales + (row["net_sales"] or Decimal(0)),
            _plus(before.value, row["value_1_year"]),
            _plus(before.at_risk, row["margin_at_risk"]),
        )
    return tuple(found[name] for name in sorted(found))


def _plus(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return right if left is None else left + (right or Decimal(0))


def consent_of(reading: Reading, figures: Figures) -> None:
    """Customers whose consent the file states, and those who get no action because of it."""
    reading.has(ACTIONS)
    (consent,) = reading.query("page_consent", CUSTOMERS, ACTIONS)
    for name in ("answered_customers", "excluded_customers"):
        if consent[name]:
            figures[name] = Figure(int(consent[name]), "count")


def actions_of(reading: Reading, figures: Figures) -> tuple[PlannedAction, ...]:
    """Planned actions, the highest benefit first."""
    if not reading.has(ACTIONS):
        return ()
    planned = tuple(
        PlannedAction(
            row["action_code"],
            row["explanation"],
            int(row["customers"]),
            row["cost_amount"],
            row["benefit_amount"],
            row["net_sales"],
            row["value_1_year"],
        )
        for row in reading.query("page_actions", ACTIONS, RFM, LTV)
    )
    if planned:
        figures["planned_customers"] = Figure(sum(action.customers for action in planned), "count")
        figures["planned_cost"] = Figure(sum((action.cost for action in planned), Decimal(0)), "money")
        figures["planned_benefit"] = Figure(sum((action.benefit for action in planned), Decimal(0)), "money")
    return planned
