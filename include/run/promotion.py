"""Which model scores a day: the gate held at each anchor, and the decisions that people have taken.

A model belongs to its anchor. The one that scores an as_of is the verdict of the gate at the latest anchor
on or before it, unless a decision in force on that as_of names another. Both follow from the data before
the anchor and from what is on record: whatever was run in which order, a day is scored by the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pyarrow as pa

from include.datasets import Dataset
from include.models import gate
from include.modules import TRAINED
from include.periods import anchor_of
from include.run.context import Context
from include.run.inputs import Inputs

GATED = tuple(TRAINED)  # modules whose models are promoted from one anchor to the next
GENERATIONS = 1  # earlier models that a new one is held against; each is trained where it is missing


def earlier_anchors(anchor: date, *, window_days: int, every_months: int) -> tuple[date, ...]:
    """Anchors whose models knew nothing of the last ``window_days`` before ``anchor``, latest first."""
    found: list[date] = []
    day = anchor - timedelta(days=window_days)
    for _ in range(GENERATIONS):
        found.append(anchor_of(day, every_months=every_months))
        day = found[-1] - timedelta(days=1)
    return tuple(found)


def contending(context: Context) -> tuple[date, ...]:
    """The anchor, and the earlier ones whose models contend at its gate, latest first."""
    firm = context.firm
    days = TRAINED[_module(context)].horizon_days(firm)
    earlier = earlier_anchors(context.training_date, window_days=days, every_months=firm.retrain_months)
    return context.training_date, *earlier


def needed(context: Context) -> tuple[date, ...]:
    """Every anchor whose model the run needs, oldest first: the contending ones, and the one decided for."""
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
    for row in context.records.models.verdict(context.firm.firm_key, _module(context), context.training_date):
        if row["is_scoring"]:
            return row["contender_anchor"], row["reason"]
    return context.training_date, ""


def hold_gate(context: Context, training: Dataset, models: dict[date, pa.Table]) -> None:
    """Hold the gate of the run's anchor and put the verdict on record, unless that of these models stands."""
    promotion: Any = import_module(f"include.models.{context.step.model}.promotion")
    anchor, module = context.training_date, _module(context)
    contending_models = {day: models[day] for day in contending(context)}
    standing = context.records.models.verdict(context.firm.firm_key, module, anchor)
    versions = {day: promotion.version_of(model) for day, model in contending_models.items()}
    if {row["contender_anchor"]: row["model_version"] for row in standing} == versions:
        return
    rows = Inputs(context).table(training)
    contenders = [
        promotion.contender(model, rows, anchor=anchor, firm=context.firm_settings)
        for model in contending_models.values()
    ]
    found = gate.judge(contenders[0], contenders[1:], error_name=promotion.ERROR)
    context.records.models.record_verdict(
        context.firm.firm_key, module, anchor, _rows(contenders, found, promotion, promotion.cutoff_of(rows))
    )


def _rows(
    contenders: Sequence[gate.Contender], found: gate.Verdict, promotion: Any, cutoff: date | None
) -> list[dict[str, Any]]:
    return [
        {
            "contender_anchor": contender.anchor,
            "model_version": contender.version,
            "method": contender.method,
            "is_scoring": contender.anchor == found.anchor,
            "error": contender.error,
            "error_name": promotion.ERROR,
            "margin": gate.MARGIN,
            "cutoff": cutoff,
            "reason": found.reason,
        }
        for contender in contenders
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
