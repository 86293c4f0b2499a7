"""The warehouse adapter: all that reads and writes Postgres on the pipeline's side.

``migrate`` makes the schema. ``Warehouse`` opens one session and gives its parts: the firms' rows, the
runs, what steps record, the loader of facts, erasures, and summaries.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from include.warehouse.erasures import Erasures
from include.warehouse.errors import (
    Fenced,
    LoadRefused,
    MigrationError,
    UnknownFirm,
    UnknownOutcome,
    WarehouseError,
)
from include.warehouse.firm_purge import FirmPurge
from include.warehouse.firm_rows import FirmRows
from include.warehouse.loading import FactLoader, Loaded, LoadSlice
from include.warehouse.migrations import migrate
from include.warehouse.records import StepRecords
from include.warehouse.retention import Retention
from include.warehouse.runs import Runs
from include.warehouse.session import Session
from include.warehouse.summaries import Summaries


class Warehouse:
    """The warehouse at a DSN. Use it as a context manager, in one process and thread.

    Its parts share one session, so a lock that one of them takes holds for all.
    """

    def __init__(self, dsn: str) -> None:
        """Nothing is opened before the first call."""
        self.session = Session(dsn)
        self.firms = FirmRows(self.session)
        self.runs = Runs(self.session)
        self.records = StepRecords(self.session)
        self.loader = FactLoader(self.session)
        self.erasures = Erasures(self.session)
        self.retention = Retention(self.session)
        self.purge = FirmPurge(self.session)
        self.summaries = Summaries(self.session)

    def __enter__(self) -> Self:
        """The warehouse itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        self.close()

    def __repr__(self) -> str:
        """Without the address, which holds a password."""
        return "Warehouse()"

    def close(self) -> None:
        """Close the session's connection; the next call opens another."""
        self.session.close()


__all__ = [
    "Fenced",
    "LoadRefused",
    "LoadSlice",
    "Loaded",
    "MigrationError",
    "UnknownFirm",
    "UnknownOutcome",
    "Warehouse",
    "WarehouseError",
    "migrate",
]
