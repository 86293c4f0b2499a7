"""How sure the predictions are: the models' tests on the past, read from their records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from include.datasets import Dataset
from include.datasets.churn import CHURN_MODEL
from include.datasets.value import VALUE_MODEL
from include.models.churn import artefact as churn_artefact
from include.models.ltv import artefact as value_artefact
from include.overview.figures import Figure
from include.report.reading import Reading

Figures = dict[str, Figure]
NO_PREDICTION = "none"
RULES = "rules"
NORMAL_80 = 1.2816
"""Half-width of an 80 % interval, in standard errors."""


def models_of(reading: Reading, figures: Figures) -> dict[str, str]:
    """The method of each model, and the results of its tests as figures.

    ``value_untested``: a value is predicted without a test on the past. ``churn_leak``: a check of the churn
    model failed, so that rules score.
    """
    methods = {}
    if parts := _parts(reading, VALUE_MODEL, value_artefact.read):
        methods["value"] = str(parts["header"]["method"])
        _value(parts, figures)
    if parts := _parts(reading, CHURN_MODEL, churn_artefact.read):
        methods["churn"] = str(parts["header"]["method"])
        _churn(parts, figures)
    return methods


def _parts(reading: Reading, dataset: Dataset, read: Any) -> dict[str, Any] | None:
    if not reading.has(dataset):
        return None
    parts: dict[str, Any] = read(reading.table(dataset))
    return parts


def _value(parts: Mapping[str, Any], figures: Figures) -> None:
    header = parts["header"]
    method = header["method"]
    if method == NO_PREDICTION:
        return
    tests = [row for row in parts.get("backtest", ()) if row["candidate"] == method]
    _season(header, figures)
    if method == "own_rate":
        figures["value_by_pace"] = Figure(1, "count")
    if not header["is_sufficient"] or not tests:
        figures["value_untested"] = Figure(1, "count")
        return
    latest = max(tests, key=lambda row: str(row["cutoff"]))
    metrics = latest["metrics"]
    figures["value_test_day"] = Figure(date.fromisoformat(latest["cutoff"]), "day")
    figures["value_test_days"] = Figure(int(latest["horizon_days"]), "days")
    for name, key in (("value_test_expected", "total_expected"), ("value_test_actual", "total_realised")):
        if metrics.get(key) is not None:
            figures[name] = Figure(Decimal(str(metrics[key])), "money")
    if metrics.get("coverage") is not None and header.get("has_intervals"):
        figures["value_test_inside"] = Figure(float(metrics["coverage"]), "share")


def _season(header: Mapping[str, Any], figures: Figures) -> None:
    """Level of the main horizon's season at the training date, or that there is none."""
    if "season" not in header or "counts" not in header["parts"]:
        return
    quarters = header["season"].get(str(header["horizon_days"]), [])
    if not quarters or quarters[0]["day"]:
        figures["no_season"] = Figure(1, "count")
        return
    season = quarters[0]["spend"]
    level = math.exp(season["log_factor"])
    half = NORMAL_80 * season["error"]
    figures["season_day"] = Figure(date.fromisoformat(header["anchor"]), "day")
    figures["season_days"] = Figure(int(header["horizon_days"]), "days")
    figures["season_level"] = Figure(level, "share")
    figures["season_low"] = Figure(level * math.exp(-half), "share")
    figures["season_high"] = Figure(level * math.exp(half), "share")
    figures["season_years"] = Figure(len(season["years"]), "count")


def _churn(parts: Mapping[str, Any], figures: Figures) -> None:
    header = parts["header"]
    learned_to, first = date.fromisoformat(header["anchor"]), figures.get("first_day")
    figures["learned_to"] = Figure(learned_to, "day")
    if first and isinstance(first.value, date):
        figures["learned_days"] = Figure(max(0, (learned_to - first.value).days), "days")
    if header["method"] == RULES:
        checks = parts.get(churn_artefact.LEAKAGE_CHECKS) or ()
        if any(not check["passed"] for check in checks):
            figures["churn_leak"] = Figure(1, "count")
        return
    tests = [row for row in parts.get("metrics", ()) if row["is_champion"] and row["population"] == "all"]
    if not tests:
        return
    (test,) = tests[:1]
    figures["churn_test_day"] = Figure(date.fromisoformat(test["cutoff"]), "day")
    figures["churn_test_customers"] = Figure(int(test["customers"]), "count")
    figures["churn_test_left"] = Figure(int(test["churned"]), "count")
    if test["auc"] is not None:
        figures["churn_test_pairs"] = Figure(round(100 * test["auc"]), "count")
    if test["ece"] is not None:
        figures["churn_test_off"] = Figure(Decimal(str(round(100 * test["ece"], 1))), "count")
