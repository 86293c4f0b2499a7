"""Which months of a dataset are extracted: by the ledger, or by their manifests where it cannot be trusted.

The ledger, ``control.slices``, is trusted where it agrees with one listing of the dataset's files: the
manifest is there, and the latest attempt is the recorded one. Asking the store for each month's manifest
instead costs a run one request per month.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from include.datasets import Dataset
from include.handoff import Manifest, Slot
from include.periods import Month
from include.run.context import Context
from include.slices import Slice
from include.warehouse.slices import Recorded, Written


class Kept(NamedTuple):
    """A month that is extracted: the as_of it was extracted for, and its manifest's reference."""

    as_of: date
    reference: str


def kept_months(context: Context, dataset: Dataset, months: Iterable[Month]) -> dict[Month, Kept]:
    """Those of the months that are extracted under today's contract, in order."""
    ledger = {row.slice: row for row in context.records.slices.of(context.firm.firm_key, dataset.name)}
    latest = context.handoff.latest_tokens(context.firm.firm_key, dataset)
    kept, found = {}, []
    for month in months:
        part = Slice(month)
        written = _trusted(ledger.get(part), latest.get(part))
        if written is None and part in latest:
            manifest = context.handoff.manifest(context.month_slot(dataset, month))
            written = written_of(part, manifest) if manifest else None
            found += [written] if written else []
        if written is not None and written.fingerprint == dataset.fingerprint:
            path = context.month_slot(dataset, month).path
            kept[month] = Kept(written.as_of, f"{path}#{written.token}#{written.sha256}")
    if found:
        context.records.slices.record(context.firm.firm_key, dataset.name, found)
    return kept


def begin(context: Context, slot: Slot, *, as_of: date, source_rows: int) -> None:
    """Record that a month is about to be replaced, before its manifest is."""
    context.records.slices.begin(
        slot.firm_key, slot.dataset.name, slot.slice, as_of, context.token, source_rows
    )


def finish(context: Context, slot: Slot, manifest: Manifest) -> Kept:
    """Record a month's new manifest."""
    written = written_of(slot.slice, manifest)
    context.records.slices.record(slot.firm_key, slot.dataset.name, [written])
    return Kept(manifest.as_of, manifest.reference)


def written_of(part: Slice, manifest: Manifest) -> Written:
    """What the ledger keeps of a manifest."""
    return Written(part, manifest.as_of, manifest.token, manifest.rows, manifest.sha256, manifest.fingerprint)


def _trusted(row: Recorded | None, latest_token: int | None) -> Written | None:
    """The ledger's row where it agrees with the store: an empty slice has a manifest and no file."""
    if row is None or row.written is None or latest_token is None:
        return None
    has_its_files = latest_token == row.token or (latest_token == 0 and row.written.rows == 0)
    return row.written if has_its_files else None
