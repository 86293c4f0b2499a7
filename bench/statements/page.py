"""The page of ``try``: its figures against the lines, and the evidence that each of its sentences needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from bench.statements.facts import Facts, facts_of_page, unsubscribed
from bench.statements.firms import YEAR, Simulated
from include.datasets.actions import ACTIONS
from include.engines import open_engine
from include.firms import Firm
from include.handoff import Handoff
from include.models.churn.sufficiency import MIN_CUTOFFS
from include.overview.facts import Summary
from include.overview.gather import gather
from include.overview.page import words_of
from include.overview.sentences import SENTENCES, holds
from include.report.reading import Reading


class Evidence(NamedTuple):
    """What was there for a sentence."""

    history_days: int
    window_days: int
    churn_days: int
    customers: int
    churn_method: str | None
    value_method: str | None
    has_costs: bool
    has_consent: bool


def _same_season(there: Evidence) -> bool:
    return there.history_days >= YEAR + there.window_days


def _two_windows(there: Evidence) -> bool:
    return there.history_days >= 2 * there.window_days


def _chances(there: Evidence) -> bool:
    is_learned = there.churn_method not in (None, "rules")
    return is_learned and there.history_days >= MIN_CUTOFFS * there.churn_days


def _values(there: Evidence) -> bool:
    return there.value_method not in (None, "none")


def _assumed(there: Evidence) -> bool:
    return not there.has_costs


NEEDS: dict[str, Callable[[Evidence], bool]] = {
    **dict.fromkeys(("year_up", "year_down", "year_level"), _same_season),
    **dict.fromkeys(
        ("change_up", "change_down", "change_level", "change_from_none", "new_none"), _two_windows
    ),
    **dict.fromkeys(("active", "active_none", "new"), _two_windows),
    **dict.fromkeys(("leaving", "leaving_likely", "leaving_range", "sure_churn", "sure_churn_off"), _chances),
    **dict.fromkeys(("value", "value_range", "value_zero", "value_horizon", "sure_value"), _values),
    **dict.fromkeys(("value_margin", "value_margin_range", "actions_assumed", "cannot_margin"), _assumed),
    "leaving_money": lambda there: _chances(there) and _assumed(there),
    "value_source": lambda there: there.has_costs,
    "leaving_money_source": lambda there: there.has_costs and _chances(there),
    "actions_assumed_source": lambda there: there.has_costs,
    "value_extrapolated": lambda there: there.history_days < YEAR,
    "value_season": lambda there: there.history_days >= YEAR,
    "actions_consent_unknown": lambda there: not there.has_consent,
    "actions_excluded": lambda there: there.has_consent,
    "actions_rules": lambda there: not _chances(there),
    "cannot_contact": lambda there: not there.has_consent,
}
"""What a sentence needs; a sentence that is not here states figures that are compared with the lines."""


def summary_of(handoff: Handoff, row: Firm, firm: Simulated, folder: Path) -> Summary:
    """The page's summary of what the steps computed."""
    scratch = folder / "page"
    scratch.mkdir()
    return gather(
        Reading(row, firm.as_of, handoff, open_engine("duckdb", memory_mb=1024, threads=1, scratch=scratch))
    )


def shown(summary: Summary) -> set[str]:
    """Keys of the sentences that the page shows."""
    words = words_of(summary)
    return {sentence.key for sentence in SENTENCES if holds(sentence, words, {})}


def wrong_figures(firm: Simulated, summary: Summary) -> list[str]:
    """Descriptive figures that are not those of the lines."""
    figures = summary.figures
    days = int(figures["period_days"].number) if "period_days" in figures else 0
    facts = facts_of_page(firm, days)
    if not facts["customers"]:
        return []
    is_monthly = summary.month_grain == "month"
    return [
        f"page: {name} is {value}, said {figures[name].value}"
        for name, value in facts.items()
        if name in figures
        and (is_monthly or name != "best_month_sales")
        and not _is_same(figures[name].value, value)
    ]


def _is_same(said: Any, value: Any) -> bool:
    if isinstance(value, date) or isinstance(said, date):
        return bool(said == value)
    if isinstance(value, int) and isinstance(said, int):
        return said == value
    off = 0.5 if isinstance(said, int) else 0.0001  # a median is shown in whole days
    return math.isclose(float(said), float(value or 0), rel_tol=1e-9, abs_tol=off)


def without_evidence(firm: Simulated, summary: Summary, facts: Facts) -> list[str]:
    """Sentences of the page that lack what they need."""
    there = Evidence(
        facts["history_days"] or 0,
        int(summary.figures["period_days"].number) if "period_days" in summary.figures else 0,
        firm.churn_threshold_days,
        facts["customers"],
        summary.methods.get("churn"),
        summary.methods.get("value"),
        firm.case.has_costs,
        firm.case.has_consent,
    )
    return [f"page {key}: {there}" for key in sorted(shown(summary)) if not NEEDS.get(key, _anything)(there)]


def _anything(there: Evidence) -> bool:
    return bool(there)


def contacted_against_consent(firm: Simulated, tables: Mapping[str, Any]) -> list[str]:
    """Customers with a planned action though their file says that they may not be contacted."""
    refused = unsubscribed(firm)
    rows = tables[ACTIONS.name].to_pylist()
    return [
        f"consent: {row['customer_id']}" for row in rows if row["is_chosen"] and row["customer_id"] in refused
    ]


def number(figure: Any) -> float:
    """A figure's value as a number."""
    return float(figure.value) if isinstance(figure.value, int | float | Decimal) else math.nan
