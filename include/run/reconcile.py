"""Detect late-arriving rows: compare weekly counts of closed months with those at extraction.

A run reads only the months within the lookback window. Sometimes the source changes an earlier month: a late
till, a migration, a deletion. Counting is cheap and reads no rows. A difference raises an incident; a person
decides whether to read everything again with ``--full``.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import date, timedelta

from include.datasets import Dataset
from include.periods import Month
from include.run.context import Context
from include.slices import Slice
from include.sources import Source

EVERY = timedelta(days=7)  # in days of as_of: the interval between two counts of a month
SHOWN = 3


def reconcile(
    context: Context, source: Source, dataset: Dataset, kept: Collection[Month], read: Container[Month]
) -> str:
    """Count the months that this run did not read and no run counted for a week; describe the differences."""
    firm_key = context.firm.firm_key
    ledger = {row.slice.month: row for row in context.records.slices.of(firm_key, dataset.name)}
    extracted: dict[Month, int] = {}
    due: dict[Month, date] = {}
    for month in kept:
        row = ledger.get(month)
        if month in read or row is None or row.source_rows is None:
            continue
        if context.as_of >= (row.compared_as_of or row.as_of) + EVERY:
            extracted[month], due[month] = row.source_rows, row.as_of
    if not due:
        return ""
    found = source.counts(dataset, due)
    counted = {month: (extracted[month], found[month]) for month in due}
    context.records.slices.record_comparison(
        firm_key, dataset.name, context.as_of, {Slice(month): pair for month, pair in counted.items()}
    )
    return late_rows_message({str(month): pair for month, pair in counted.items() if pair[0] != pair[1]})


def late_rows_message(differing: Mapping[str, tuple[int, int]]) -> str:
    """Describe the months whose source count differs from the count at extraction; empty if none does."""
    if not differing:
        return ""
    months = [
        f"{month} ({then:,} rows were read, {now:,} are there)" for month, (then, now) in differing.items()
    ]
    more = f" and {len(months) - SHOWN} more" if len(months) > SHOWN else ""
    return f"changed after the lookback window: {', '.join(months[:SHOWN])}{more}; read them with --full"
