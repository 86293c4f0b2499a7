"""Sources: adapters that read one kind of system into the canonical datasets of ``include/datasets``.

A source yields every row, also unusable ones, so that each dropped row is counted. A batch has the
dataset's columns, ``rejected_reason`` (null: usable) and ``source_row`` (JSON, only for rejected rows).
``docs/sources.md`` describes what each kind expects.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from include.datasets import Dataset
from include.firms import Firm
from include.periods import EARLIEST, LATEST, Month
from include.row_checks import did_you_mean
from include.source_errors import SourceError, SourceRowError

SOURCES: dict[str, str] = {
    "postgres": "include.sources.postgres:Postgres",
    "csv": "include.sources.csv:Csv",
    "oracle": "include.sources.oracle:Oracle",
    "odoo": "include.sources.odoo:Odoo",
}
BATCH_ROWS = 65_536
REJECTED = pa.field("rejected_reason", pa.string())
SOURCE_ROW = pa.field("source_row", pa.string())


BINDS: Mapping[str, str] = {
    "earliest": "the start of the first accepted day; a row before it is rejected",
    "latest": "the start of the day after the last accepted one",
    "as_of_start": "the start of as_of: rows from then on are not read",
    "month_start": "the start of the month's first day",
    "month_end": "the start of the day after the month's last",
    "takes_undated": "whether the month also yields rows without a usable date",
}
"""The names that every source's statements may use; each source gives days in its own system's type."""


class Source(Protocol):
    """Reads one firm's system, unsorted, in bounded batches."""

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """The values for the source's statements in ``sql/extract``: those of ``BINDS``, and its own.

        Without a month (a snapshot) the values of the month are left out; without ``as_of`` (the first
        month) also those of ``as_of``.
        """

    def offers(self, dataset: Dataset) -> bool:
        """Whether this source has the dataset; otherwise it is written empty."""

    def first_month(self, dataset: Dataset) -> Month | None:
        """The earliest month with rows of a by-month dataset; None when there are no rows."""

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of ``month`` (None: a snapshot) that happened before ``as_of`` in the firm's zone."""

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """Count the rows that ``extract`` would yield now, for each month as of its day."""


class Adapter(Source, Protocol):
    """A class of ``SOURCES``: a source that can also check a firm's row before it reads anything."""

    fields: tuple[str, ...]  # the fields of the row's source that this kind uses

    def __init__(
        self, firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None
    ) -> None:
        """Open nothing yet."""

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError when the firm's row cannot work; opens no connection."""

    def check_connection(self) -> None:
        """Open the system: SourceError, or SourceRowError when it lacks what the row names."""


def open_source(firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None) -> Source:
    """The source of a firm's row; ``scratch`` is a folder for staged copies of files."""
    return _adapter(firm)(firm, connection_uri, scratch=scratch)


def check_source(firm: Firm) -> None:
    """SourceRowError when the source in the firm's row can never be read; opens no connection."""
    kind = _adapter(firm)
    given = firm.source.model_dump(by_alias=True, exclude_none=True, exclude={"kind"})
    if unused := sorted(set(given) - set(kind.fields)):
        raise SourceRowError(
            f"firm {firm.firm_key}: a source of kind {firm.source.kind} does not use {unused}; "
            f"it uses {sorted(kind.fields)}"
        )
    kind.check_row(firm)


def check_connection(firm: Firm, connection_uri: Callable[[str], str]) -> None:
    """SourceError when the source cannot be opened; SourceRowError when it lacks what the row names."""
    _adapter(firm)(firm, connection_uri).check_connection()


def _adapter(firm: Firm) -> type[Adapter]:
    """The class for the source's kind."""
    if firm.source.kind not in SOURCES:
        raise SourceRowError(
            f"firm {firm.firm_key}: source kind {firm.source.kind!r} is unknown"
            f"{did_you_mean(firm.source.kind, SOURCES)}; there are {sorted(SOURCES)}"
        )
    module, _, name = SOURCES[firm.source.kind].partition(":")
    adapter: type[Adapter] = getattr(importlib.import_module(module), name)
    return adapter


def consistent_reads(source: Source) -> AbstractContextManager[object]:
    """A context in which all reads see one state of the source, for kinds that support it."""
    holding: Callable[[], AbstractContextManager[object]] = getattr(source, "consistent_reads", nullcontext)
    return holding()


def extracted_schema(dataset: Dataset) -> pa.Schema:
    """The schema that a source yields: the dataset's columns, all nullable, and two about rejection."""
    fields = [field.with_nullable(True).remove_metadata() for field in dataset.schema]
    return pa.schema([*fields, REJECTED, SOURCE_ROW])


def common_binds(
    month: Month | None, as_of: date | None, start: Callable[[date], object]
) -> dict[str, object]:
    """The values of ``BINDS``; ``start`` gives the start of a day in the source's own type."""
    given: dict[str, object] = {"earliest": start(EARLIEST), "latest": start(LATEST)}
    if as_of is not None:
        given["as_of_start"] = start(as_of)
    if month is not None and as_of is not None:
        given |= {
            "month_start": start(month.first),
            "month_end": start(month.end),
            "takes_undated": takes_undated(month, as_of),
        }
    return given


def takes_undated(month: Month, as_of: date) -> bool:
    """Whether a month also yields rows without a usable date: only the run's current month does.

    Every run reads that month, so each run counts such a row exactly once.
    """
    return month.end >= as_of


__all__ = [
    "BATCH_ROWS",
    "BINDS",
    "EARLIEST",
    "LATEST",
    "SOURCES",
    "Source",
    "SourceError",
    "SourceRowError",
    "check_connection",
    "check_source",
    "common_binds",
    "consistent_reads",
    "extracted_schema",
    "open_source",
    "takes_undated",
]
