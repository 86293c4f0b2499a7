"""The sentences of the page as data: one row per sentence, with the evidence that it needs.

A sentence is shown where every condition holds and every figure in its text is known. A figure that could
not be computed is absent, so a sentence that cites it is left out. The texts are in ``words/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from include.overview.words import Words, slots


class When(NamedTuple):
    """A condition on a figure: ``low <= value < high``; None means no bound. An absent figure fails."""

    figure: str
    low: float | None = None
    high: float | None = None


class Sentence(NamedTuple):
    """A sentence of a section: shown if all of ``when`` hold and none of ``without`` is known."""

    section: str
    key: str
    when: tuple[When, ...] = ()
    without: tuple[str, ...] = ()


YEAR, LEVEL = 365, 0.01
SOME = When("customers", 1)

SENTENCES: tuple[Sentence, ...] = (
    Sentence("short", "no_customers", (When("customers", high=1),)),
    Sentence("short", "bring", (SOME, When("span_days", 1))),
    Sentence("short", "bring_one_day", (SOME, When("span_days", high=1))),
    Sentence("short", "average", (When("customers", 5),)),
    Sentence("short", "active", (SOME, When("active_customers", 1))),
    Sentence("short", "active_none", (SOME, When("active_customers", high=1))),
    Sentence("short", "new", (When("new_customers", 1),)),
    Sentence("short", "new_none", (When("active_customers", 1), When("new_customers", high=1))),
    Sentence("short", "once_all", (When("customers", 2), When("one_time_share", 1))),
    Sentence("short", "once", (When("one_time_customers", 1), When("one_time_share", high=1))),
    Sentence("short", "once_none", (When("customers", 2), When("one_time_customers", high=1))),
    Sentence("short", "gap", (When("repeat_customers", 10),)),
    Sentence("short", "top_spend", ()),
    Sentence("short", "guests", (When("guest_orders", 1),)),
    Sentence("changes", "changes_short", (SOME,), without=("period_days",)),
    Sentence("changes", "change_up", (When("before_change", LEVEL),)),
    Sentence("changes", "change_level", (When("before_change", -LEVEL, LEVEL),)),
    Sentence("changes", "change_down", (When("before_change", high=-LEVEL),)),
    Sentence("changes", "change_from_none", (When("period_days", 1),), without=("before_change",)),
    Sentence("changes", "year_up", (When("year_ago_change", LEVEL),)),
    Sentence("changes", "year_level", (When("year_ago_change", -LEVEL, LEVEL),)),
    Sentence("changes", "year_down", (When("year_ago_change", high=-LEVEL),)),
    Sentence("changes", "year_unknown", (When("period_days", 1),), without=("year_ago_sales",)),
    Sentence("months", "months", (When("month_count", 2), When("best_month_sales", 0.01))),
    Sentence("months", "months_open", (When("last_month_open", 1),)),
    Sentence("segments", "segments", (When("scored_customers", 1),)),
    Sentence("segments", "segments_none", (SOME, When("scores_ran", 1)), without=("scored_customers",)),
    Sentence("segments", "segments_off", (SOME,), without=("scores_ran",)),
    Sentence("grid", "grid", (When("scored_customers", 1),)),
    Sentence("grid", "grid_best", (When("best_customers", 1),)),
    Sentence("grid", "segments_none", (SOME, When("scores_ran", 1)), without=("scored_customers",)),
    Sentence("grid", "segments_off", (SOME,), without=("scores_ran",)),
    Sentence("cohorts", "cohorts_rate", ()),
    Sentence("cohorts", "cohorts", (When("cohort_count", 1),)),
    Sentence("cohorts", "cohorts_first", (When("cohort_count", 1), When("first_cohort_shown", 1))),
    Sentence("cohorts", "cohorts_short", (SOME,), without=("cohort_count",)),
    Sentence("value", "value", (When("expected_spend", 0.005),)),
    Sentence("value", "value_zero", (When("expected_spend", high=0.005),)),
    Sentence("value", "value_range", (When("expected_spend", 0.005),)),
    Sentence("value", "value_no_range", (When("expected_spend", 0.005),), without=("expected_spend_low",)),
    Sentence("value", "value_margin_range", (When("expected_spend", 0.005),)),
    Sentence("value", "value_margin", (When("expected_spend", 0.005),), without=("expected_value_low",)),
    Sentence("value", "value_source", (When("expected_spend", 0.005), When("source_margin", 1))),
    Sentence("value", "value_pace", (When("value_by_pace", 1), When("value_customers", 1))),
    Sentence("value", "value_some", (When("value_by_pace", 1), When("value_missing", 1))),
    Sentence("value", "value_extrapolated", (When("expected_spend", 0.005), When("history_days", high=YEAR))),
    Sentence(
        "value", "value_horizon", (When("expected_spend", 0.005), When("horizon_spend", 0.005)),
        without=("value_by_pace",),
    ),
    Sentence("value", "value_season", (When("expected_spend", 0.005), When("season_years", 1))),
    Sentence("value", "value_no_season", (When("expected_spend", 0.005), When("no_season", 1))),
    Sentence("value", "value_new", (When("expected_spend", 0.005),)),
    Sentence("value", "value_top", ()),
    Sentence("value", "value_top_few", (When("expected_spend", 0.005),), without=("top_value_1_year",)),
    Sentence("value", "value_none", (SOME, When("values_ran", 1)), without=("value_customers",)),
    Sentence("value", "value_off", (SOME,), without=("values_ran",)),
    Sentence("leaving", "leaving", (When("chance_customers", 1),)),
    Sentence("leaving", "leaving_likely", (When("likely_leavers", 1),)),
    Sentence("leaving", "leaving_money", (When("at_risk", 0.005),)),
    Sentence("leaving", "leaving_money_source", (When("at_risk", 0.005), When("source_margin", 1))),
    Sentence("leaving", "leaving_range", (When("at_risk", 0.005),)),
    Sentence("leaving", "leaving_leak", (SOME, When("churn_leak", 1))),
    Sentence(
        "leaving", "leaving_rules", (SOME, When("chances_ran", 1)), without=("chance_customers", "churn_leak")
    ),
    Sentence(
        "leaving", "leaving_unknown", (SOME, When("chances_ran", 1)),
        without=("chance_customers", "churn_leak", "learned_days"),
    ),
    Sentence("leaving", "leaving_order", (When("ranked_customers", 1),), without=("chance_customers",)),
    Sentence(
        "leaving", "leaving_no_names", (SOME, When("chances_ran", 1)),
        without=("chance_customers", "ranked_customers"),
    ),
    Sentence("leaving", "leaving_off", (SOME,), without=("chances_ran",)),
    Sentence("actions", "actions", (When("planned_customers", 1),)),
    Sentence("actions", "actions_assumed", (When("planned_customers", 1),)),
    Sentence("actions", "actions_assumed_source", (When("planned_customers", 1), When("source_margin", 1))),
    Sentence("actions", "actions_excluded", (When("excluded_customers", 1),)),
    Sentence(
        "actions", "actions_consent_unknown", (When("planned_customers", 1),), without=("answered_customers",)
    ),
    Sentence("actions", "actions_rules", (When("planned_customers", 1),), without=("chance_customers",)),
    Sentence(
        "actions", "actions_none", (SOME, When("plan_ran", 1), When("value_customers", 1)),
        without=("planned_customers",),
    ),
    Sentence(
        "actions", "actions_no_value", (SOME, When("plan_ran", 1)),
        without=("planned_customers", "value_customers"),
    ),
    Sentence("actions", "actions_off", (SOME,), without=("plan_ran",)),
    Sentence("sure", "sure_counts", (SOME,)),
    Sentence("sure", "sure_groups", (When("scored_customers", 1),)),
    Sentence("sure", "sure_value", (When("value_customers", 1), When("value_test_expected"))),
    Sentence("sure", "sure_value_total", (When("value_customers", 1),)),
    Sentence("sure", "sure_value_inside", (When("value_customers", 1),)),
    Sentence("sure", "sure_value_untested", (When("value_customers", 1), When("value_untested", 1))),
    Sentence("sure", "sure_mean", ()),
    Sentence("sure", "sure_churn", (When("chance_customers", 1),)),
    Sentence("sure", "sure_churn_off", (When("chance_customers", 1), When("churn_test_customers", 1))),
    Sentence("cannot", "cannot_guests", (When("guest_share", 0.0005),)),
    Sentence("cannot", "cannot_margin", (When("value_customers", 1),)),
    Sentence("cannot", "cannot_currency", (SOME,), without=("currency",)),
    Sentence("cannot", "cannot_season", (When("history_days", high=YEAR + 90),)),
    Sentence("cannot", "cannot_year", (When("history_days", YEAR + 90, 3 * YEAR),)),
    Sentence("cannot", "cannot_before", (SOME,)),
    Sentence("cannot", "cannot_why", (SOME,)),
    Sentence("cannot", "cannot_effect", (SOME,)),
    Sentence("cannot", "cannot_new", (SOME,)),
    Sentence("cannot", "cannot_contact", (SOME,), without=("answered_customers",)),
)  # fmt: skip


def sentences_of(section: str, words: Words, **values: object) -> Iterator[Markup]:
    """The sentences of a section that hold."""
    for sentence in SENTENCES:
        if sentence.section == section and holds(sentence, words, values):
            yield words(f"sentence.{sentence.key}", **values)


def holds(sentence: Sentence, words: Words, values: dict[str, object]) -> bool:
    """Whether the conditions hold and every figure that the text cites is known."""
    figures = words.figures
    if any(name in figures for name in sentence.without):
        return False
    for figure, low, high in sentence.when:
        if figure not in figures:
            return False
        number = figures[figure].number
        if (low is not None and number < low) or (high is not None and number >= high):
            return False
    return slots(words.text(f"sentence.{sentence.key}")) <= {*figures, *values}
