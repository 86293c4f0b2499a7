"""The extract step: read the months that may have changed and replace each slice atomically.

Up to ``READERS`` months are read in parallel, because the source's server takes most of the time. They are
committed one after another, in order, so a failure leaves the same slices as a sequential read.
"""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
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
from include.run import ledger
from include.run.context import Context
from include.run.erasure_filter import without_erased
from include.run.ingest import Rejections, SliceIngest
from include.run.modules import record_module_status
from include.run.reconcile import reconcile
from include.sources import Source, consistent_reads, open_source

log = logging.getLogger(__name__)

READERS = 2  # connections to a firm's own system at one time; each holds one batch


def extract(context: Context) -> tuple[int, str]:
    """Read what this run needs of the dataset; return the rows read and a note on the months."""
    dataset = context.written
    erased = context.records.erased(context.firm.firm_key)
    # A copy of the source's files would still contain erased customers: remove it with the step's scratch.
    cache = context.scratch if erased else context.settings.home / "cache" / context.firm.firm_key
    source = without_erased(open_source(context.firm, connection_uri, scratch=cache), erased)
    if dataset.by == "as_of":
        manifest = _snapshot(context, source, dataset)
        if dataset is CUSTOMERS:  # every firm has this step, and it runs once a run
            record_module_status(context, source)
        return manifest.rows, "" if source.offers(dataset) else "the source has none"
    with consistent_reads(source):
        return _months(context, source, dataset)


def _months(context: Context, source: Source, dataset: Dataset) -> tuple[int, str]:
    """Read the months that this run needs; reconcile the counts of the others."""
    first = source.first_month(dataset) if source.offers(dataset) else None
    kept = ledger.kept_months(context, dataset, months_between(first, context.as_of)) if first else {}
    wanted = (
        months_to_read(
            first,
            context.as_of,
            {month: extracted.as_of for month, extracted in kept.items()},
            lookback_days=context.firm.lookback_days,
            full=context.full,
        )
        if first
        else []
    )
    wanted = sorted({*wanted, *_failed_months(context, dataset, kept)})
    rows = read = 0
    # A month that a run of a later as_of has read keeps that as_of, so that it loses no days.
    days = {
        month: max(context.as_of, kept[month].as_of if month in kept else context.as_of) for month in wanted
    }
    rejected = Rejections()
    with _read_ahead(context, source, dataset, days) as ingests:
        for month, ingest in ingests:
            slot = context.month_slot(dataset, month)
            manifest = _commit(context, slot, ingest, as_of=days[month])
            kept[month] = ledger.finish(context, slot, manifest)
            rows += manifest.rows
            rejected.include(ingest.rejections)
            read += 1
            log.info("%s of %s: %d of %d months, %d rows", dataset.name, month, read, len(days), rows)
            point("extract.after_month")
    context.handoff.write_month_list(
        context.firm.firm_key, dataset, context.as_of, dict(sorted(kept.items())), token=context.token
    )
    if not source.offers(dataset):
        return 0, "the source has none"
    differing = reconcile(context, source, dataset, kept, read=days)
    read_of = f"read {len(wanted)} of {len(kept)} months"
    return rows, "; ".join(filter(None, [read_of, rejected.note(), differing]))


def _failed_months(context: Context, dataset: Dataset, kept: Mapping[Month, ledger.Kept]) -> list[Month]:
    """The months that the gate stopped as they are now: the source may have been corrected since."""
    failed = context.records.quality.failed(context.firm.firm_key, dataset.name)
    return [
        month for month, found in kept.items() if (str(month), found.reference.rpartition("#")[2]) in failed
    ]


def _snapshot(context: Context, source: Source, dataset: Dataset) -> Manifest:
    """Read the whole dataset and replace its slice."""
    with TemporaryDirectory(dir=context.scratch) as folder:
        batches = source.extract(dataset, month=None, as_of=context.as_of) if source.offers(dataset) else ()
        ingest = SliceIngest(dataset, Path(folder))
        ingest.split_rejects(batches)
        return _commit(context, context.slot(dataset), ingest, as_of=context.as_of)


@contextmanager
def _read_ahead(
    context: Context, source: Source, dataset: Dataset, days: dict[Month, date]
) -> Iterator[Iterator[tuple[Month, SliceIngest]]]:
    """Yield the ingested months in order, while up to ``READERS`` later months are read in parallel.

    A month's scratch folder is removed when the next month is requested. Leaving the block early stops the
    reading at the next batch.
    """
    folders = {month: context.scratch / f"month={month}" for month in days}
    context.engine.announce(SliceIngest.usable_in(folder) for folder in folders.values())
    stopped = Event()
    waiting: deque[tuple[Month, Future[SliceIngest]]] = deque()
    left = iter(days)

    def read(month: Month) -> SliceIngest:
        folders[month].mkdir()
        ingest = SliceIngest(dataset, folders[month])
        ingest.split_rejects(_until(stopped, source.extract(dataset, month=month, as_of=days[month])))
        return ingest

    def in_order(pool: ThreadPoolExecutor) -> Iterator[tuple[Month, SliceIngest]]:
        def ask() -> None:
            while len(waiting) < READERS and (month := next(left, None)) is not None:
                waiting.append((month, pool.submit(read, month)))

        ask()
        while waiting:
            month, reading = waiting.popleft()
            ingest = reading.result()
            ask()
            yield month, ingest
            shutil.rmtree(folders[month])

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


def _commit(context: Context, slot: Slot, ingest: SliceIngest, *, as_of: date) -> Manifest:
    """Replace a slice by the rows read, and record the rejected rows."""

    def rows() -> Iterator[pa.RecordBatch]:
        yield from ingest.deduplicate_and_sort(context.engine)
        # Before the slice is committed: a retry skips a committed month, so the counts would be lost.
        _account_for(context, slot, ingest, as_of=as_of)

    return context.handoff.write(slot, rows(), token=context.token, as_of=as_of)


def _account_for(context: Context, slot: Slot, ingest: SliceIngest, *, as_of: date) -> None:
    """Write the rejected rows and record their number, in total and by reason."""
    rejected = Slot(slot.firm_key, rejected_of(slot.dataset), slot.slice)
    if ingest.rejections.rows or context.handoff.manifest(rejected) is not None:
        rows = ingest.rejected(context.engine)
        context.handoff.write(rejected, rows, token=context.token, as_of=context.as_of)
    if slot.slice.month is not None:
        ledger.begin(
            context, slot, as_of=as_of, source_rows=ingest.rows, source_amount=ingest.amount or Decimal(0)
        )
    context.records.quality.record_rejections(
        slot.firm_key,
        slot.dataset.name,
        str(slot.slice),
        context.as_of,
        context.token,
        ingest.rejections.records(with_samples=not slot.dataset.pii),
    )
