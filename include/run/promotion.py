"""Select the scoring model: automatic promotion at each anchor, plus manual overrides.

A model belongs to its anchor (training date). The latest anchor on or before an as_of decides: the model that
was promoted there scores, unless an override in force on that as_of names another. Both depend only on data
before the anchor and on records, so every order of runs scores a day with the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pyarrow as pa

from include.datasets import Dataset
from include.models import promotion as rule
from include.modules import TRAINED
from include.periods import anchor_of
from include.run.context import Context
from include.run.inputs import Inputs

GATED = tuple(TRAINED)  # modules whose models are promoted from one anchor to the next
GENERATIONS = 1  # earlier models compared with a new one; trained if missing


def earlier_anchors(anchor: date, *, window_days: int, every_months: int) -> tuple[date, ...]:
    """Anchors of models trained without the last ``window_days`` before ``anchor``, latest first."""
    found: list[date] = []
    day = anchor - timedelta(days=window_days)
    for _ in range(GENERATIONS):
        found.append(anchor_of(day, every_months=every_months))
        day = found[-1] - timedelta(days=1)
    return tuple(found)


def contending(context: Context) -> tuple[date, ...]:
    """The anchor, and the earlier anchors whose models are promotion candidates, latest first.

    A preview has no model in production, so its own model has no other candidate.
    """
    firm = context.firm
    days = TRAINED[_module(context)].horizon_days(firm)
    if context.is_preview:
        return (context.training_date,)
    earlier = earlier_anchors(context.training_date, window_days=days, every_months=firm.retrain_months)
    return context.training_date, *earlier


def needed(context: Context) -> tuple[date, ...]:
    """Anchors of all models the run needs, oldest first: the candidates' and the override's."""
    if context.step.module not in GATED:
        return (context.training_date,)
    found = set(contending(context))
    if (decided := decision(context)) is not None:
        found.add(decided["anchor"])
    return tuple(sorted(found))


def scoring(context: Context) -> tuple[date, str]:
    """The anchor of the model that scores the run's as_of, and why."""
    if (decided := decision(context)) is not None:
        return decided["anchor"], (
            f"the model of {decided['anchor']} scores from {decided['from_as_of']} on, by a decision of "
            f"{decided['decided_by']} on {decided['decided_at']:%Y-%m-%d}: {decided['why']}"
        )
    for row in context.records.models.promotion_result(
        context.firm.firm_key, _module(context), context.training_date
    ):
        if row["is_scoring"]:
            return row["contender_anchor"], row["reason"]
    return context.training_date, ""


def evaluate_promotion(context: Context, training: Dataset, models: dict[date, pa.Table]) -> None:
    """Evaluate the promotion at the run's anchor and record the result, unless already recorded."""
    promotion: Any = import_module(f"include.models.{context.step.model}.promotion")
    anchor, module = context.training_date, _module(context)
    contending_models = {day: models[day] for day in contending(context)}
    recorded = context.records.models.promotion_result(context.firm.firm_key, module, anchor)
    versions = {day: promotion.version_of(model) for day, model in contending_models.items()}
    if {row["contender_anchor"]: row["model_version"] for row in recorded} == versions:
        return
    rows = Inputs(context).table(training)
    candidates = [
        promotion.candidate(model, rows, anchor=anchor, firm=context.firm_settings)
        for model in contending_models.values()
    ]
    found = rule.evaluate(candidates[0], candidates[1:], error_name=promotion.ERROR)
    context.records.models.record_promotion_result(
        context.firm.firm_key, module, anchor, _rows(candidates, found, promotion, promotion.cutoff_of(rows))
    )


def _rows(
    candidates: Sequence[rule.Candidate], found: rule.PromotionResult, promotion: Any, cutoff: date | None
) -> list[dict[str, Any]]:
    return [
        {
            "contender_anchor": candidate.anchor,
            "model_version": candidate.version,
            "method": candidate.method,
            "is_scoring": candidate.anchor == found.anchor,
            "error": candidate.error,
            "error_name": promotion.ERROR,
            "margin": rule.MARGIN,
            "cutoff": cutoff,
            "reason": found.reason,
        }
        for candidate in candidates
    ]


def decision(context: Context) -> dict[str, Any] | None:
    """The manual override of the scoring model that is in force on the run's as_of, if any."""
    return context.records.models.decision(
        context.firm.firm_key,
        _module(context),
        as_of=context.as_of,
        anchor=context.training_date,
    )


def _module(context: Context) -> str:
    if context.step.module is None:
        raise TypeError(f"{context.step.name} belongs to no module; see include/steps.py")
    return context.step.module
