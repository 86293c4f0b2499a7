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
from include.run.inputs import Inputs
from include.steps import Step


def query(context: Context) -> tuple[int, str]:
    """Run ``sql/query/<dataset>.sql`` over what the step reads."""
    sql = sql_text.read("query", context.written.name)
    inputs = Inputs(context)
    files = inputs.all_files()
    if context.step.remembers is not None:
        files.append(inputs.past_files(context.step.remembers))
    rows = context.engine.query(sql, files, context.params)
    return context.write(rows, inputs.made_from).rows, ""


def features(context: Context) -> tuple[int, str]:
    """Compute every feature of every customer, with the queries that training uses."""
    from include.training import churn

    inputs = Inputs(context)
    files = dict(inputs.all_files())
    rows = churn.feature_batches(context.engine, files, context.as_of, context.params, context.scratch)
    return context.write(rows, inputs.made_from).rows, ""


def sample(context: Context) -> tuple[int, str]:
    """Training rows: the features as of each past cutoff of the anchor, and the outcome after it.

    Missing training rows of earlier anchors whose models are promotion candidates are computed too.
    """
    training = import_module(f"include.training.{context.step.module}")
    inputs = Inputs(context)
    files: dict[Dataset, list[Path]] = {}
    counts: dict[date, int] = {}
    made: list[date] = []
    for training_date in promotion.needed(context):
        manifest = context.up_to_date(training_date)
        if manifest is None:
            files = files or dict(inputs.all_files())
            rows = training.stack(
                context.engine,
                files,
                anchor=training_date,
                firm=context.firm_settings,
                params=context.params,
                scratch=context.scratch / training_date.isoformat(),
            )
            manifest = context.write(rows, inputs.made_from, training_date)
            made.append(training_date)
        counts[training_date] = manifest.rows
    count = counts[context.training_date]
    if not made:
        return count, f"the rows of anchor {context.training_date} are current"
    return count, f"anchor {', '.join(map(str, made))}"


def compute(context: Context) -> tuple[int, str]:
    """Compute a small dataset by a model that fits nothing: rules, a decision table, text."""
    inputs = Inputs(context)
    tables = [
        dataset.schema.empty_table() if context.is_off(dataset) else inputs.table(dataset)
        for dataset in context.step.reads
    ]
    remembered = context.step.remembers
    past = {} if remembered is None else {"past": inputs.past(remembered)}
    model = _model(context.step)
    computed = model.compute(*tables, firm=context.firm_settings, as_of=context.as_of, **past)
    return context.write(computed.to_batches(), inputs.made_from).rows, ""


def fit(context: Context) -> tuple[int, str]:
    """Fit a model on small tables; a model of an anchor that is current is skipped, unless ``--full``."""
    if context.step.model in promotion.GATED:
        return _fit_and_promote(context)
    model = _model(context.step)
    rows, note = _fit(context, model, context.training_date)
    if hasattr(model, "status"):
        note = _record_status(context, context.training_date, model, note, "")
    return rows, note


def _fit(context: Context, model: Any, training_date: date) -> tuple[int, str]:
    manifest = context.up_to_date(training_date)
    if manifest is not None:
        return manifest.rows, f"the model of anchor {training_date} is current"
    inputs = Inputs(context, training_date)
    tables = [inputs.table(dataset) for dataset in context.step.reads]
    day = context.day_of(context.written, training_date)
    fitted = model.fit(*tables, firm=context.firm_settings, as_of=day)
    return context.write(fitted.to_batches(), inputs.made_from, training_date).rows, ""


def _fit_and_promote(context: Context) -> tuple[int, str]:
    """Fit the anchor's model and missing candidates; evaluate the promotion."""
    model = _model(context.step)
    models, found = {}, {}
    for training_date in promotion.needed(context):
        found[training_date] = _fit(context, model, training_date)
        models[training_date] = Inputs(context, training_date).table(context.written)
    promotion.evaluate_promotion(context, context.step.reads[0], models)
    rows, note = found[context.training_date]
    scorer, why = promotion.scoring(context)
    return rows, _record_status(context, scorer, model, note, why)


def _record_status(context: Context, training_date: date, model: Any, note: str, why: str) -> str:
    """Record whether the scoring model had enough data, and why it scores; return the step's note."""
    fitted = Inputs(context, training_date).table(context.written)
    is_sufficient, reason = model.status(fitted, firm=context.firm_settings)
    message = "; ".join(filter(None, [reason, why]))
    context.records.set_module_status(
        context.firm.firm_key, context.as_of, context.step.module or context.step.name, is_sufficient, message
    )
    return "; ".join(filter(None, [note, message]))


def predict(context: Context) -> tuple[int, str]:
    """Apply a model, batch by batch, to the first dataset that the step reads."""
    model = _model(context.step)
    why, training_date = "", context.training_date
    if context.step.model in promotion.GATED:
        training_date, why = promotion.scoring(context)
        why = "" if training_date == context.training_date else why
    inputs = Inputs(context, training_date)
    streamed, *fitted = context.step.reads
    tables = [inputs.table(dataset) for dataset in fitted]
    params = model.prepare(*tables, firm=context.firm_settings, as_of=context.as_of)
    kept = [table for dataset, table in zip(fitted, tables, strict=True) if dataset.by == "anchor"]
    tally = _tally(kept[0], context.as_of) if context.step.model in promotion.GATED else None

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in inputs.rows(streamed):
            predicted = model.predict(batch, params, firm=context.firm_settings, as_of=context.as_of)
            if tally is not None:
                tally.add(batch, predicted)
            yield predicted

    rows = context.write(batches(), inputs.made_from, training_date).rows
    if tally is None:
        return rows, why
    drifted = tally.rows()
    context.records.models.record_drift(
        context.firm.firm_key, context.step.module or "", context.as_of, params.version, drifted
    )
    return rows, "; ".join(filter(None, [why, drift.message(drifted)]))


def _tally(model: pa.Table, as_of: date) -> drift.Tally:
    """Counts by the bins of the model's training customers; a rule-based model has no bins."""
    kept = [json.loads(row["body"]) for row in model.to_pylist() if row["part"] == "reference"]
    return drift.Tally(kept[0] if kept else {"variables": {}}, as_of=as_of)


def _model(step: Step) -> Any:
    return import_module(f"include.models.{step.model}")
