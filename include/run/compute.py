"""The computing steps: queries on the engine, training rows, fits and predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from include import sql_text
from include.datasets import Dataset
from include.models import drift
from include.run import promotion
from include.run.context import Context
from include.steps import Step


def query(context: Context) -> tuple[int, str]:
    """Run ``sql/query/<dataset>.sql`` over what the step reads."""
    sql = sql_text.read("query", context.written.name)
    return context.write(context.engine.query(sql, context.inputs(), context.params)).rows, ""


def features(context: Context) -> tuple[int, str]:
    """Every feature of every customer, by the queries that training runs too."""
    from include.training import churn

    files = dict(context.inputs())
    rows = churn.feature_batches(context.engine, files, context.as_of, context.params, context.scratch)
    return context.write(rows).rows, ""


def sample(context: Context) -> tuple[int, str]:
    """Training rows: the feature queries as of each past cutoff of the anchor, and what then happened.

    Those of the earlier anchors whose models contend with the new one are made where they are missing.
    """
    training = import_module(f"include.training.{context.step.module}")
    files: dict[Dataset, list[Path]] = {}
    made: list[date] = []
    for anchor in promotion.needed(context):
        then = promotion.at(context, anchor)
        if (standing := then.standing()) is None:
            files = files or dict(then.inputs())
            rows = training.stack(
                context.engine,
                files,
                anchor=anchor,
                firm=context.firm,
                params=context.params,
                scratch=context.scratch / anchor.isoformat(),
            )
            standing = then.write(rows)
            context.made_from = then.made_from
            made.append(anchor)
        if anchor == context.anchor:
            count = standing.rows
    if not made:
        return count, f"the rows of anchor {context.anchor} stand"
    return count, f"anchor {', '.join(map(str, made))}"


def compute(context: Context) -> tuple[int, str]:
    """Compute a small dataset by a model that fits nothing: rules, a decision table, text."""
    tables = [context.table(dataset) for dataset in context.step.reads]
    computed = _model(context.step).compute(*tables, firm=context.firm, as_of=context.as_of)
    return context.write(computed.to_batches()).rows, ""


def fit(context: Context) -> tuple[int, str]:
    """Fit a model on small tables; one that is anchored and stands is left alone, unless ``--full``."""
    if context.step.model in promotion.GATED:
        return _fit_and_promote(context)
    model = _model(context.step)
    rows, note = _fit(context, model)
    if hasattr(model, "status"):
        note = _say_status(context, context, model, note, "")
    return rows, note


def _fit(context: Context, model: Any) -> tuple[int, str]:
    standing = context.standing()
    if standing is not None:
        return standing.rows, f"the model of anchor {context.anchor} stands"
    tables = [context.table(dataset) for dataset in context.step.reads]
    fitted = model.fit(*tables, firm=context.firm, as_of=context.day_of(context.written))
    return context.write(fitted.to_batches()).rows, ""


def _fit_and_promote(context: Context) -> tuple[int, str]:
    """Fit the anchor's model, and those it contends with where they are missing; hold the gate."""
    model = _model(context.step)
    models, found = {}, {}
    for anchor in promotion.needed(context):
        then = promotion.at(context, anchor)
        found[anchor] = _fit(then, model)
        models[anchor] = then.table(context.written)
    promotion.hold_gate(context, context.step.reads[0], models)
    rows, note = found[context.anchor]
    scorer, why = promotion.scoring(context)
    return rows, _say_status(context, promotion.at(context, scorer), model, note, why)


def _say_status(context: Context, scoring: Context, model: Any, note: str, why: str) -> str:
    """Record whether the model that scores had data enough, and why it scores; what to note."""
    is_sufficient, reason = model.status(scoring.table(context.written), firm=context.firm)
    said = "; ".join(filter(None, [reason, why]))
    context.warehouse.set_module_status(
        context.firm.firm_key, context.as_of, context.step.module or context.step.name, is_sufficient, said
    )
    return "; ".join(filter(None, [note, said]))


def predict(context: Context) -> tuple[int, str]:
    """Apply a model batch by batch to the first dataset the step reads."""
    model = _model(context.step)
    why = ""
    if context.step.model in promotion.GATED:
        scorer, why = promotion.scoring(context)
        why = "" if scorer == context.anchor else why
        context = promotion.at(context, scorer)
    streamed, *fitted = context.step.reads
    tables = [context.table(dataset) for dataset in fitted]
    params = model.prepare(*tables, firm=context.firm, as_of=context.as_of)
    kept = [table for dataset, table in zip(fitted, tables, strict=True) if dataset.by == "anchor"]
    tally = _tally(kept[0]) if context.step.model in promotion.GATED else None

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in context.rows(streamed):
            predicted = model.predict(batch, params, firm=context.firm, as_of=context.as_of)
            if tally is not None:
                tally.add(batch, predicted)
            yield predicted

    rows = context.write(batches()).rows
    if tally is None:
        return rows, why
    drifted = tally.rows()
    context.warehouse.record_drift(
        context.firm.firm_key, context.step.module or "", context.as_of, params.version, drifted
    )
    return rows, "; ".join(filter(None, [why, drift.said(drifted)]))


def _tally(model: pa.Table) -> drift.Tally:
    """Counts by the bins that a model keeps of its training customers; none are kept where rules score."""
    kept = [json.loads(row["body"]) for row in model.to_pylist() if row["part"] == "reference"]
    return drift.Tally(kept[0] if kept else {"variables": {}})


def _model(step: Step) -> Any:
    return import_module(f"include.models.{step.model}")
