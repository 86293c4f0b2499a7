"""Find which months of a dataset are extracted: from the ledger, else from their manifests.

The ledger, ``control.slices``, is trusted where it agrees with one listing of the dataset's files: the
manifest is there, and the latest attempt is the recorded one. Asking the store for each month's manifest
instead costs a run one request per month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
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


class Current(NamedTuple):
    """The manifest of a slot: its token, hash and reference."""

    slot: Slot
    as_of: date
    token: int
    sha256: str
    reference: str
    rows: int
    made_from: tuple[str, ...] = ()


def kept_months(context: Context, dataset: Dataset, months: Iterable[Month]) -> dict[Month, Kept]:
    """The months that are extracted under the current contract, in order."""
    months = list(months)
    found = _written(context, dataset, [Slice(month) for month in months])
    kept = {}
    for month in months:
        written = found.get(Slice(month))
        if written is not None and dataset.can_read(written.fingerprint):
            path = context.month_slot(dataset, month).path
            kept[month] = Kept(written.as_of, f"{path}#{written.token}#{written.sha256}")
    return kept


def current(context: Context, dataset: Dataset, slots: Sequence[Slot]) -> list[Current]:
    """The manifests of these slots, in order; slots without a manifest are left out."""
    if dataset.by != "month":
        manifests = [(slot, context.handoff.manifest(slot)) for slot in slots]
        return [
            Current(
                slot, found.as_of, found.token, found.sha256, found.reference, found.rows, found.made_from
            )
            for slot, found in manifests
            if found is not None
        ]
    written = _written(context, dataset, [slot.slice for slot in slots])
    found = []
    for slot in slots:
        if one := written.get(slot.slice):
            reference = f"{slot.path}#{one.token}#{one.sha256}"
            context.handoff.consulted[slot.path] = reference
            found.append(Current(slot, one.as_of, one.token, one.sha256, reference, one.rows))
    return found


def _written(context: Context, dataset: Dataset, parts: Sequence[Slice]) -> dict[Slice, Written]:
    """The manifests of these months: from the ledger if it is right, else read and recorded."""
    ledger = {row.slice: row for row in context.records.slices.of(context.firm.firm_key, dataset.name)}
    latest = context.handoff.latest_tokens(context.firm.firm_key, dataset)
    found, read = {}, []
    for part in parts:
        written = _trusted(ledger.get(part), latest.get(part))
        if written is None and part in latest:
            manifest = context.handoff.manifest(Slot(context.firm.firm_key, dataset, part))
            written = written_of(part, manifest) if manifest else None
            read += [written] if written else []
        if written is not None:
            found[part] = written
    if read:
        context.records.slices.record(context.firm.firm_key, dataset.name, read)
    return found


def begin(
    context: Context, slot: Slot, *, as_of: date, source_rows: int, source_amount: Decimal | None = None
) -> None:
    """Record that a month is about to be replaced, before its manifest is."""
    context.records.slices.begin(
        slot.firm_key, slot.dataset.name, slot.slice, as_of, context.token, source_rows, source_amount
    )


def finish(context: Context, slot: Slot, manifest: Manifest) -> Kept:
    """Record a month's new manifest."""
    written = written_of(slot.slice, manifest)
    context.records.slices.record(slot.firm_key, slot.dataset.name, [written])
    return Kept(manifest.as_of, manifest.reference)


def written_of(part: Slice, manifest: Manifest) -> Written:
    """The part of a manifest that the ledger stores."""
    return Written(part, manifest.as_of, manifest.token, manifest.rows, manifest.sha256, manifest.fingerprint)


def _trusted(row: Recorded | None, latest_token: int | None) -> Written | None:
    """The ledger's row where it agrees with the store: an empty slice has a manifest and no file."""
    if row is None or row.written is None or latest_token is None:
        return None
    has_its_files = latest_token == row.token or (latest_token == 0 and row.written.rows == 0)
    return row.written if has_its_files else None
