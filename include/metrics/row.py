"""One row of the glossary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "days", "money", "percent", "ratio", "score", "date"]
Grain = Literal[
    "firm", "segment", "risk category", "action", "customer", "suggested product", "group of customers"
]
LANGUAGES = ("en", "tr")


@dataclass(frozen=True)
class Metric:
    """One metric.

    ``formula`` is in words; "the period" is the firm's churn threshold, "the last year" the last 365 days.
    ``history_days`` and ``history_periods`` are the least days from the firm's first sale to as_of; before
    that the value is null. ``module``: the module whose results it needs. ``is_prediction``: it is expected,
    not counted. ``is_benchmark``: firms may compare it (a ratio or days, no prediction). ``column``: the
    fact's column of a customer's metric. ``also``: other names of the same number, which views keep for those
    who use them already. ``sql`` is given where ``firm_measures`` does not compute it: made of others after
    the query, or the column of a view's function or another fact. ``formula_tr`` is the formula in Turkish,
    of metrics that lists and pages explain.
    """

    name: str
    en: str
    tr: str
    formula: str
    unit: Unit
    grain: Grain = "firm"
    is_ratio: bool = False
    history_days: int = 0
    history_periods: int = 0
    module: str = ""
    is_prediction: bool = False
    is_benchmark: bool = False
    column: str = ""
    sql: str = ""
    also: tuple[str, ...] = ()
    formula_tr: str = ""

    def label(self, language: str) -> str:
        """Its label in a language; English where there is no other."""
        return self.tr if language == "tr" else self.en

    def definition(self, language: str) -> str:
        """Its formula in words; English where there is no translation."""
        return self.formula_tr if language == "tr" and self.formula_tr else self.formula

    def needed_days(self, period_days: int) -> int:
        """Least days of history of a firm whose period has so many days."""
        return max(self.history_days, self.history_periods * period_days)
