"""Compute the summary of a file from the handoffs of its run, with one SQL query per table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY, RFM, SEGMENTS
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import LTV
from include.intake import Answer
from include.models import segment_texts, segments
from include.models.churn.sufficiency import MIN_CUTOFFS
from include.models.firm import NO_CURRENCY
from include.models.ltv.fitting import REGULARS, UNTESTED_REPEAT_BUYERS
from include.overview import calendar, predictions
from include.overview.evidence import models_of
from include.overview.facts import Cell, Period, SegmentSize, Summary
from include.overview.figures import Figure
from include.report.reading import Reading

Row = dict[str, Any]
Figures = dict[str, Figure]
RUN = {"scores": RFM, "chances": CHURN_RISK, "values": LTV, "plan": ACTIONS}


def gather(reading: Reading, *, answer: Answer | None = None) -> Summary:
    """The summary of what the steps computed; ``answer`` says how the file was read."""
    firm = reading.firm
    figures: Figures = {
        "as_of": Figure(reading.as_of, "day"),
        "churn_days": Figure(firm.churn_threshold_days, "days"),
        "window_days": Figure(firm.rfm.window_days, "days"),
        "min_customers": Figure(firm.churn.min_customers, "count"),
        "min_repeat": Figure(firm.churn.min_repeat_buyers, "count"),
        "min_scored": Figure(firm.rfm.min_customers, "count"),
        "min_history": Figure((MIN_CUTOFFS + 1) * firm.churn_threshold_days, "days"),
        "min_events": Figure(firm.churn.min_events, "count"),
        "min_returned": Figure(UNTESTED_REPEAT_BUYERS, "count"),
        "min_regulars": Figure(REGULARS, "count"),
        "discount": Figure(firm.ltv.annual_discount_rate, "share"),
        **{f"{name}_ran": Figure(1, "count") for name, dataset in RUN.items() if reading.has(dataset)},
    }
    if firm.currency != NO_CURRENCY:
        figures["currency"] = Figure(firm.currency, "text")
    _customers(reading, figures)
    _buyers(reading, figures)
    value_parts, past_parts = predictions.parts_of(reading, figures)
    predictions.value_of(reading, figures)
    predictions.consent_of(reading, figures)
    chances, categories = predictions.chances_of(reading, figures)
    sizes = _segments(reading, figures)
    models = models_of(reading, figures)
    grain, months = calendar.months_of(reading, figures)
    cohort_grain, cohorts = calendar.cohorts_of(reading, figures)
    return Summary(
        name=firm.name,
        as_of=reading.as_of,
        language=firm.language,
        currency=firm.currency,
        figures=figures,
        periods=_periods(reading, figures),
        months=months,
        month_grain=grain,
        cells=_cells(reading, figures),
        segments=sizes,
        cohorts=cohorts,
        cohort_grain=cohort_grain,
        past_parts=past_parts,
        value_parts=value_parts,
        chances=chances,
        categories=categories,
        actions=predictions.actions_of(reading, figures),
        answer=answer,
        methods=models,
    )


def _customers(reading: Reading, figures: Figures) -> None:
    (row,) = reading.query("page_customers", CUSTOMER_SUMMARY)
    figures["customers"] = Figure(int(row["customers"]), "count")
    if not row["customers"]:
        return
    for name in ("orders", "one_time_customers", "repeat_customers"):
        figures[name] = Figure(int(row[name]), "count")
    figures["net_sales"] = Figure(row["net_sales"], "money")
    figures["median_spend"] = Figure(row["median_spend"], "money")
    figures["first_day"] = Figure(row["first_day"], "day")
    figures["last_day"] = Figure(row["last_day"], "day")
    figures["span_days"] = Figure((row["last_day"] - row["first_day"]).days, "days")
    figures["history_days"] = Figure((reading.as_of - row["first_day"]).days, "days")
    figures["avg_order"] = Figure(row["net_sales"] / Decimal(int(row["orders"])), "money")
    figures["one_time_share"] = Figure(int(row["one_time_customers"]) / row["customers"], "share")
    if row["median_gap_days"] is not None:
        figures["median_gap_days"] = Figure(round(row["median_gap_days"]), "days")


def _buyers(reading: Reading, figures: Figures) -> None:
    """Sales to guests, and returns of customers without a sale in the file."""
    rows = {row["buyer"]: row for row in reading.query("page_buyers", TRANSACTIONS, CUSTOMER_SUMMARY)}
    total = sum((row["net_sales"] for row in rows.values()), Decimal(0))
    figures["file_sales"] = Figure(total, "money")
    if guests := rows.get("guest"):
        figures["guest_orders"] = Figure(int(guests["orders"]), "count")
        figures["guest_sales"] = Figure(guests["net_sales"], "money")
        if total > 0:
            figures["guest_share"] = Figure(float(guests["net_sales"] / total), "share")
    if returns := rows.get("returns_only"):
        figures["returns_only"] = Figure(returns["net_sales"], "money")


def _periods(reading: Reading, figures: Figures) -> tuple[Period, ...]:
    """The latest window, the one before, and the same a year ago where the file covers them."""
    if (days := calendar.window_of(figures)) is None:
        return ()
    figures["period_days"] = Figure(days, "days")
    rows = {row["window_name"]: row for row in _query(reading, "page_periods", days=days)}
    history = figures["history_days"].number
    names = ["now", "before", *(["year_ago"] if history >= 365 + days else [])]
    found = tuple(
        Period(
            name,
            int(rows[name]["customers"]),
            int(rows[name]["new_customers"]),
            int(rows[name]["orders"]),
            rows[name]["net_sales"],
        )
        for name in names
    )
    now = found[0]
    figures["active_customers"] = Figure(now.customers, "count")
    figures["new_customers"] = Figure(now.new_customers, "count")
    figures["now_sales"] = Figure(now.net_sales, "money")
    for earlier in found[1:]:
        figures[f"{earlier.name}_sales"] = Figure(earlier.net_sales, "money")
        if earlier.net_sales > 0:
            change = float(now.net_sales / earlier.net_sales) - 1
            figures[f"{earlier.name}_change"] = Figure(change, "share")
            figures[f"{earlier.name}_change_size"] = Figure(abs(change), "share")
    return found


def _query(reading: Reading, name: str, **params: object) -> list[Row]:
    return reading.query(name, CUSTOMER_DAYS, CUSTOMER_SUMMARY, **params)


def _cells(reading: Reading, figures: Figures) -> tuple[Cell, ...]:
    if not reading.has(RFM):
        return ()
    cells = tuple(
        Cell(row["recency_score"], row["frequency_score"], int(row["customers"]), row["net_sales"])
        for row in reading.query("page_cells", RFM)
    )
    if cells:
        largest = max(cells, key=lambda cell: cell.customers)
        scored = sum(cell.customers for cell in cells)
        best = [cell for cell in cells if cell.recency >= 4 and cell.frequency >= 4]
        figures["scored_customers"] = Figure(scored, "count")
        figures["largest_cell"] = Figure(largest.customers, "count")
        figures["best_customers"] = Figure(sum(cell.customers for cell in best), "count")
        figures["best_sales"] = Figure(sum((cell.net_sales for cell in best), Decimal(0)), "money")
    return cells


def _segments(reading: Reading, figures: Figures) -> tuple[SegmentSize, ...]:
    """Segments with at least one customer; empty where no customer has scores."""
    if not reading.has(RFM) or not reading.has(SEGMENTS):
        return ()
    rows = {row["segment_code"]: row for row in reading.table(SEGMENTS).to_pylist()}
    gaps = [row["usual_gap_days"] for row in rows.values() if row["usual_gap_days"] is not None]
    if gaps:
        figures["usual_gap"] = Figure(max(1, round(gaps[0])), "days")
    found = []
    for row in reading.query("page_segments", RFM, CHURN_RISK, LTV):
        text = segment_texts.text_of(rows[row["segment_code"]], reading.firm.language)
        found.append(
            SegmentSize(
                row["segment_code"],
                text.name,
                text.meaning,
                text.action,
                int(row["customers"]),
                row["net_sales"],
                float(row["median_silent_days"]),
                float(row["median_orders"]),
                row["value_1_year"],
                row["margin_at_risk"],
            )
        )
    return () if {size.code for size in found} <= {segments.UNSCORED} else tuple(found)
