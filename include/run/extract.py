"""The extract step: months that may have changed, each read from the source and replaced at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from include.datasets import Dataset
from include.datasets.extracted import rejected_of
from include.faults import point
from include.handoff import Manifest, Slot
from include.periods import Month, months_between, months_to_read
from include.run.context import Context
from include.run.intake import Intake
from include.sources import Source, open_source


def extract(context: Context) -> tuple[int, str]:
    """Read what this run needs of the dataset; rows read, and how many months."""
    dataset = context.written
    cache = context.settings.home / "cache" / context.firm.firm_key
    source = open_source(context.firm, context.settings.connection_uri, scratch=cache)
    if dataset.by == "as_of":
        manifest = _take_in(context, source, dataset, None)
        return manifest.rows, "" if source.offers(dataset) else "the source has none"
    first = source.first_month(dataset) if source.offers(dataset) else None
    kept = _kept_months(context, dataset, first)
    wanted = (
        months_to_read(
            first,
            context.as_of,
            {month: manifest.as_of for month, manifest in kept.items()},
            lookback_days=context.firm.lookback_days,
            full=context.full,
        )
        if first
        else []
    )
    rows = 0
    for month in wanted:
        kept[month] = _take_in(context, source, dataset, month, standing=kept.get(month))
        rows += kept[month].rows
        point("extract.after_month")
    context.handoff.write_index(
        context.firm.firm_key, dataset, context.as_of, dict(sorted(kept.items())), token=context.token
    )
    if not source.offers(dataset):
        return 0, "the source has none"
    return rows, f"read {len(wanted)} of {len(kept)} months"


def _kept_months(context: Context, dataset: Dataset, first: Month | None) -> dict[Month, Manifest]:
    """Months that stand already, under today's contract."""
    if first is None:
        return {}
    found = {
        month: context.handoff.manifest(context.slot(dataset, month))
        for month in months_between(first, context.as_of)
    }
    return {
        month: manifest
        for month, manifest in found.items()
        if manifest is not None and manifest.fingerprint == dataset.fingerprint
    }


def _take_in(
    context: Context,
    source: Source,
    dataset: Dataset,
    month: Month | None,
    *,
    standing: Manifest | None = None,
) -> Manifest:
    """Read one slice from the source and replace it, counting what could not be used.

    A month that a later run has read is read as of that run again: it may not lose days.
    """
    slot = context.slot(dataset, month)
    as_of = max(context.as_of, standing.as_of) if standing else context.as_of
    with TemporaryDirectory(dir=context.scratch) as folder:
        intake = Intake(dataset, Path(folder))
        if source.offers(dataset):
            intake.read(source.extract(dataset, month=month, as_of=as_of))
        else:
            intake.read(())

        def rows() -> Iterator[pa.RecordBatch]:
            yield from intake.tidy(context.engine)
            # Before the slice is committed: once it stands, nobody would read it again to count these.
            _account_for(context, slot, intake)

        return context.handoff.write(slot, rows(), token=context.token, as_of=as_of)


def _account_for(context: Context, slot: Slot, intake: Intake) -> None:
    """Keep the rows that could not be used, and say how many by reason."""
    rejected = Slot(slot.firm_key, rejected_of(slot.dataset), slot.slice)
    if intake.rejections.rows or context.handoff.manifest(rejected) is not None:
        rows = intake.rejected(context.engine)
        context.handoff.write(rejected, rows, token=context.token, as_of=context.as_of)
    context.warehouse.record_rejections(
        slot.firm_key,
        slot.dataset.name,
        str(slot.slice),
        context.as_of,
        context.token,
        intake.rejections.records(with_samples=not slot.dataset.pii),
    )
