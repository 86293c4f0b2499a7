"""Sources: adapters that read one kind of system into the canonical datasets of ``include/datasets``.

A source yields every row it finds, the unusable ones too: a batch has the dataset's columns, then
``rejected_reason`` (null: usable) and ``source_row`` (JSON, for rejected rows alone), so that
nothing is dropped without being counted. ``docs/sources.md`` says what each kind expects.
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
from include.firms import Firm, FirmError
from include.periods import EARLIEST, LATEST, Month
from include.row_checks import did_you_mean

SOURCES: dict[str, str] = {
    "postgres": "include.sources.postgres:Postgres",
    "csv": "include.sources.csv:Csv",
    "oracle": "include.sources.oracle:Oracle",
    "odoo": "include.sources.odoo:Odoo",
}
BATCH_ROWS = 65_536
REJECTED = pa.field("rejected_reason", pa.string())
SOURCE_ROW = pa.field("source_row", pa.string())


class SourceError(RuntimeError):
    """A firm's system cannot be read; the message says what, where and how to mend it."""


class SourceRowError(SourceError, FirmError):
    """What the firm's row says of its source is wrong: only a change of the row or of the system helps.

    A task does not retry it: as a FirmError it becomes Airflow's AirflowFailException.
    """


BINDS: Mapping[str, str] = {
    "earliest": "the start of the first day that a row may be of; a row before it is rejected",
    "latest": "the start of the day after the last one that a row may be of",
    "as_of_start": "the start of as_of: what happened from then on is not known",
    "month_start": "the start of the month's first day",
    "month_end": "the start of the day after the month's last",
    "takes_undated": "whether the month also yields the rows that no date places",
}
"""What a name means in a statement of any source; each source gives the days in its own system's type."""


class Source(Protocol):
    """Reads one firm's system. Rows come unsorted, in bounded batches."""

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """Every value that the source's statements in ``sql/extract`` may name: ``BINDS``, and its own.

        Without a month, as for a snapshot, those of the month are left out; without ``as_of``, as for the
        first month, those of ``as_of`` too.
        """

    def offers(self, dataset: Dataset) -> bool:
        """Whether this source has such rows at all; a dataset it has not is written empty."""

    def first_month(self, dataset: Dataset) -> Month | None:
        """The earliest month with rows of a by-month dataset; None when there are no rows."""

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of ``month`` (None: a snapshot) that happened before ``as_of`` in the firm's zone."""

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """How many rows ``extract`` would yield by now for each month as of its day, without reading them."""


class Adapter(Source, Protocol):
    """A class of ``SOURCES``: a source that can also check a firm's row before anything is read."""

    fields: tuple[str, ...]  # of the row's source, that this kind uses

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
    """The source of a firm's row; ``scratch`` is a folder for what need not be read twice."""
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
    """What is read of the source meanwhile is of one moment, for the kinds that can hold one."""
    holding: Callable[[], AbstractContextManager[object]] = getattr(source, "consistent_reads", nullcontext)
    return holding()


def extracted_schema(dataset: Dataset) -> pa.Schema:
    """What a source yields for a dataset: its columns, all nullable, and the two about rejection."""
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
    """Whether a month also yields the rows that no date places: the run's current month does.

    That month is read on every run, so such a row is counted by each run, and once.
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
