"""Months that are read no more, counted in the source again: a row that comes after the look-back is told.

A run reads the months that may still change. Now and then one that may not does: a till that was found
in a drawer, a migration, a deletion. Counting costs the source little, and nothing is read for it; what it
finds is an incident for people, who decide whether to read all with ``--full``.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import date, timedelta

from include.datasets import Dataset
from include.periods import Month
from include.run.context import Context
from include.slices import Slice
from include.sources import Source

EVERY = timedelta(days=7)  # by as_of: how long a count stands
SHOWN = 3


def recount(
    context: Context, source: Source, dataset: Dataset, kept: Collection[Month], read: Container[Month]
) -> str:
    """Count the months that stand and were not looked at for a week; which of them differ, or nothing."""
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
    return said({str(month): pair for month, pair in counted.items() if pair[0] != pair[1]})


def said(differing: Mapping[str, tuple[int, int]]) -> str:
    """The months whose source has other rows than were read, in words; nothing when there are none."""
    if not differing:
        return ""
    told = [
        f"{month} ({then:,} rows were read, {now:,} are there)" for month, (then, now) in differing.items()
    ]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"changed after the look-back: {', '.join(told[:SHOWN])}{more}; read them with --full"
