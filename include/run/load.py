"""The load step: load a dataset's slices into one table of the warehouse."""

from __future__ import annotations

from datetime import date

from include.datasets import Dataset
from include.run import ledger, promotion
from include.run.context import Context
from include.warehouse import LoadSlice


def load(context: Context) -> tuple[int, str]:
    """Load the slices that are not loaded yet; return the rows loaded and a note on skipped slices."""
    (dataset,) = context.step.reads
    if dataset.by == "anchor" and context.step.module in promotion.GATED:
        return _load_models(context, dataset)
    return _load(context, dataset, context.training_date)


def _load_models(context: Context, dataset: Dataset) -> tuple[int, str]:
    """Load every model that the run needs, one anchor at a time; loaded models are skipped."""
    found = {}
    for day in promotion.needed(context):
        if day == context.training_date or context.handoff.manifest(context.slot(dataset, day)) is not None:
            found[day] = _load(context, dataset, day)
    return sum(rows for rows, _ in found.values()), found[context.training_date][1]


def _load(context: Context, dataset: Dataset, training_date: date) -> tuple[int, str]:
    if context.step.table is None:
        raise TypeError(f"{context.step.name} loads no table; see include/steps.py")
    slices = []
    for found in ledger.current(context, dataset, context.slots(dataset, training_date)):
        batches = context.handoff.read(found.slot, expected=found)
        slices.append(LoadSlice(found.slot.slice, found.token, found.sha256, batches, found.made_from))
    loaded = context.loader.load(
        context.step.table,
        firm_key=context.firm.firm_key,
        as_of=context.as_of,
        dataset=dataset,
        slices=slices,
        token=context.token,
        step=context.step.name,
    )
    skipped = loaded.skipped_slices
    return loaded.rows, f"{skipped} of {len(slices)} slices were loaded already" if skipped else ""
