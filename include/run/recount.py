"""Months that are read no more, counted in the source again: a row that comes after the look-back is told.

A run reads the months that may still change. Now and then one that may not does: a till that was found
in a drawer, a migration, a deletion. Counting costs the source little, and nothing is read for it; what it
finds is an incident for people, who decide whether to read all with ``--full``.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import timedelta

from include.datasets import Dataset
from include.handoff import Manifest
from include.periods import Month
from include.run.context import Context
from include.sources import Source

EVERY = timedelta(days=7)  # by as_of: how long a count stands
SHOWN = 3


def recount(
    context: Context, source: Source, dataset: Dataset, kept: Mapping[Month, Manifest], read: Container[Month]
) -> str:
    """Count the months that stand and were not looked at for a week; which of them differ, or nothing."""
    firm_key = context.firm.firm_key
    readings = {Month.parse(row["slice"]): row for row in context.records.readings.of(firm_key, dataset.name)}
    due = {
        month: readings[month]["as_of"]
        for month in kept
        if month not in read
        and month in readings
        and context.as_of >= (readings[month]["compared_as_of"] or readings[month]["as_of"]) + EVERY
    }
    if not due:
        return ""
    found = source.counts(dataset, due)
    counted = {month: (int(readings[month]["row_count"]), found[month]) for month in due}
    context.records.readings.record_comparison(
        firm_key, dataset.name, context.as_of, {str(month): pair for month, pair in counted.items()}
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
