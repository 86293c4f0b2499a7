"""Record in ``control.module_status`` which optional modules are on and whether the source has their data."""

from __future__ import annotations

from include.datasets import Dataset, catalogue
from include.modules import ROWS
from include.run.context import Context
from include.sources import Source

NEEDED = {module.name: catalogue()[module.needs] for module in ROWS if module.needs}


def record_module_status(context: Context, source: Source) -> None:
    """Record of each optional module whether it is on and whether the source has the dataset it needs."""
    for module, dataset in NEEDED.items():
        is_on = module in context.firm.modules
        has_data = source.offers(dataset)
        context.records.set_module_status(
            context.firm.firm_key,
            context.as_of,
            module,
            is_on and has_data,
            _reason(module, dataset, is_on=is_on, has_data=has_data),
        )


def _reason(module: str, dataset: Dataset, *, is_on: bool, has_data: bool) -> str:
    if is_on:
        return f"the source has {dataset.name}" if has_data else f"the source has no {dataset.name}"
    if has_data:
        return f"off: the source has {dataset.name}; add {module!r} to the firm's modules to load them"
    return f"off: the source has no {dataset.name}"
