"""The computing steps: queries on the engine, training rows, fits and predictions."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from include.run.context import Context
from include.steps import Step

QUERIES = Path(__file__).parents[1] / "sql" / "query"


def query(context: Context) -> tuple[int, str]:
    """Run ``sql/query/<dataset>.sql`` over what the step reads."""
    sql = (QUERIES / f"{context.written.name}.sql").read_text(encoding="utf-8")
    return context.write(context.engine.query(sql, context.inputs(), context.params)).rows, ""


def features(context: Context) -> tuple[int, str]:
    """Every feature of every customer, by the queries that training runs too."""
    from include import training

    files = dict(context.inputs())
    rows = training.feature_batches(context.engine, files, context.as_of, context.params, context.scratch)
    return context.write(rows).rows, ""


def sample(context: Context) -> tuple[int, str]:
    """Training rows: the feature queries as of each past cutoff of the anchor, and what then happened."""
    training = import_module(f"include.{context.step.model or 'training'}")
    if (standing := context.standing()) is not None:
        return standing.rows, f"the rows of anchor {context.anchor} stand"
    rows = training.stack(
        context.engine,
        dict(context.inputs()),
        anchor=context.anchor,
        firm=context.firm,
        params=context.params,
        scratch=context.scratch,
    )
    return context.write(rows).rows, f"anchor {context.anchor}"


def fit(context: Context) -> tuple[int, str]:
    """Fit a model on small tables; one that is anchored and stands is left alone, unless ``--full``."""
    step = context.step
    model = _model(step)
    standing = context.standing()
    if standing is None:
        tables = [context.table(dataset) for dataset in step.reads]
        fitted = model.fit(*tables, firm=context.firm, as_of=context.day_of(context.written))
        rows = context.write(fitted.to_batches()).rows
        note = ""
    else:
        rows, note = standing.rows, f"the model of anchor {context.anchor} stands"
    if hasattr(model, "status"):
        is_sufficient, reason = model.status(context.table(context.written), firm=context.firm)
        context.warehouse.set_module_status(
            context.firm.firm_key, context.as_of, step.module or step.name, is_sufficient, reason
        )
        note = f"{note}; {reason}" if note else reason
    return rows, note


def predict(context: Context) -> tuple[int, str]:
    """Apply a model batch by batch to the first dataset the step reads."""
    model = _model(context.step)
    streamed, *fitted = context.step.reads
    params = model.prepare(*map(context.table, fitted), firm=context.firm, as_of=context.as_of)
    batches = (
        model.predict(batch, params, firm=context.firm, as_of=context.as_of)
        for batch in context.rows(streamed)
    )
    return context.write(batches).rows, ""


def _model(step: Step) -> Any:
    return import_module(f"include.models.{step.model}")
