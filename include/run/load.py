"""The load step: a dataset's slices into one table of the warehouse."""

from __future__ import annotations

from include.run.context import Context
from include.warehouse import LoadSlice


def load(context: Context) -> tuple[int, str]:
    """Load what is not there yet; rows loaded, and what stood already."""
    (dataset,) = context.step.reads
    if context.step.table is None:
        raise TypeError(f"{context.step.name} loads no table; see include/steps.py")
    slices = []
    for slot in context.slots(dataset):
        manifest = context.handoff.manifest(slot)
        if manifest is not None:
            batches = context.handoff.read(slot, expected=manifest)
            slices.append(LoadSlice(str(slot.slice), manifest.token, manifest.sha256, batches))
    loaded = context.warehouse.load(
        context.step.table,
        firm_key=context.firm.firm_key,
        as_of=context.as_of,
        dataset=dataset,
        slices=slices,
        token=context.token,
        step=context.step.name,
    )
    skipped = loaded.skipped_slices
    return loaded.rows, f"{skipped} of {len(slices)} slices stood already" if skipped else ""
