"""The extract step: months that may have changed, each read from the source and replaced at once.

A few months are read side by side, while the source's server is what takes the time; they are tidied
and committed one after another, in order, so that a fault leaves what it would leave anyway.
"""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pyarrow as pa

from include.connections import connection_uri
from include.datasets import Dataset
from include.datasets.extracted import CUSTOMERS, rejected_of
from include.faults import point
from include.handoff import Manifest, Slot
from include.periods import Month, months_between, months_to_read
from include.run.context import Context
from include.run.intake import Intake
from include.run.modules import tell_modules
from include.run.recount import recount
from include.run.sparing import sparing
from include.sources import Source, at_one_moment, open_source

log = logging.getLogger(__name__)

READERS = 2  # connections to a firm's own system at one time; each holds one batch


def extract(context: Context) -> tuple[int, str]:
    """Read what this run needs of the dataset; rows read, and how many months."""
    dataset = context.written
    forgotten = context.warehouse.forgotten(context.firm.firm_key)
    # A copy of the source's files that outlives the step would still hold who is forgotten.
    cache = context.scratch if forgotten else context.settings.home / "cache" / context.firm.firm_key
    source = sparing(open_source(context.firm, connection_uri, scratch=cache), forgotten)
    if dataset.by == "as_of":
        manifest = _snapshot(context, source, dataset)
        if dataset is CUSTOMERS:  # once a run, in a step that every firm has
            tell_modules(context, source)
        return manifest.rows, "" if source.offers(dataset) else "the source has none"
    with at_one_moment(source):
        return _months(context, source, dataset)


def _months(context: Context, source: Source, dataset: Dataset) -> tuple[int, str]:
    """Read the months that this run needs, and count those that it does not."""
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
    rows = read = 0
    # A month that a later run has read is read as of that run again: it may not lose days.
    days = {
        month: max(context.as_of, kept[month].as_of if month in kept else context.as_of) for month in wanted
    }
    with _read_ahead(context, source, dataset, days) as intakes:
        for month, intake in intakes:
            kept[month] = _commit(context, context.slot(dataset, month), intake, as_of=days[month])
            rows += kept[month].rows
            read += 1
            log.info("%s of %s: %d of %d months, %d rows", dataset.name, month, read, len(days), rows)
            point("extract.after_month")
    context.handoff.write_index(
        context.firm.firm_key, dataset, context.as_of, dict(sorted(kept.items())), token=context.token
    )
    if not source.offers(dataset):
        return 0, "the source has none"
    differing = recount(context, source, dataset, kept, read=days)
    read_of = f"read {len(wanted)} of {len(kept)} months"
    return rows, "; ".join(filter(None, [read_of, differing]))


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
        if manifest is not None and dataset.can_read(manifest.fingerprint)
    }


def _snapshot(context: Context, source: Source, dataset: Dataset) -> Manifest:
    """Read the dataset whole and replace its slice."""
    with TemporaryDirectory(dir=context.scratch) as folder:
        batches = source.extract(dataset, month=None, as_of=context.as_of) if source.offers(dataset) else ()
        intake = Intake(dataset, Path(folder))
        intake.read(batches)
        return _commit(context, context.slot(dataset), intake, as_of=context.as_of)


@contextmanager
def _read_ahead(
    context: Context, source: Source, dataset: Dataset, days: dict[Month, date]
) -> Iterator[Iterator[tuple[Month, Intake]]]:
    """The months' intakes in order, while up to ``READERS`` of those that follow are being read.

    A month's scratch is removed when the next is asked for. On leaving early the reading stops at the
    next batch.
    """
    stopped = Event()
    waiting: deque[tuple[Month, Future[Intake]]] = deque()
    left = iter(days)

    def read(month: Month) -> Intake:
        folder = context.scratch / f"month={month}"
        folder.mkdir()
        intake = Intake(dataset, folder)
        intake.read(_until(stopped, source.extract(dataset, month=month, as_of=days[month])))
        return intake

    def in_order(pool: ThreadPoolExecutor) -> Iterator[tuple[Month, Intake]]:
        def ask() -> None:
            while len(waiting) < READERS and (month := next(left, None)) is not None:
                waiting.append((month, pool.submit(read, month)))

        ask()
        while waiting:
            month, reading = waiting.popleft()
            intake = reading.result()
            ask()
            yield month, intake
            shutil.rmtree(context.scratch / f"month={month}")

    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="extract") as pool:
        try:
            yield in_order(pool)
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def _until(stopped: Event, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if stopped.is_set():
            return
        yield batch


def _commit(context: Context, slot: Slot, intake: Intake, *, as_of: date) -> Manifest:
    """Replace a slice by what was read, counting what could not be used."""

    def rows() -> Iterator[pa.RecordBatch]:
        yield from intake.tidy(context.engine)
        # Before the slice is committed: once it stands, nobody would read it again to count these.
        _account_for(context, slot, intake, as_of=as_of)

    return context.handoff.write(slot, rows(), token=context.token, as_of=as_of)


def _account_for(context: Context, slot: Slot, intake: Intake, *, as_of: date) -> None:
    """Keep the rows that could not be used, and say how many there were in all and by reason."""
    rejected = Slot(slot.firm_key, rejected_of(slot.dataset), slot.slice)
    if intake.rejections.rows or context.handoff.manifest(rejected) is not None:
        rows = intake.rejected(context.engine)
        context.handoff.write(rejected, rows, token=context.token, as_of=context.as_of)
    if isinstance(slot.slice, Month):
        context.warehouse.record_reading(
            slot.firm_key, slot.dataset.name, str(slot.slice), as_of, context.token, intake.rows
        )
    context.warehouse.record_rejections(
        slot.firm_key,
        slot.dataset.name,
        str(slot.slice),
        context.as_of,
        context.token,
        intake.rejections.records(with_samples=not slot.dataset.pii),
    )
