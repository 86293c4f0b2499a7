"""Sales files in a folder, in one of the named layouts, or of any kind with layout ``auto``.

Each file is parsed once, as text with a declared dialect, by the layout's statement
``sql/extract/csv/<layout>/transactions.sql``, and staged as parquet split by month. Months are read from
there until a file changes. DuckDB has a memory limit and can access only the firm's folder and scratch.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from include import sql_text
from include.bounded_duckdb import open_database, share_of_memory
from include.data_files.folder import (
    ENDINGS,
    File,
    check_some,
    clear,
    data_files,
    folder_of,
    own_scratch,
)
from include.datasets import Dataset
from include.firms import Firm
from include.periods import Month, start_of_day
from include.private_files import open_private, private_folder
from include.sources import (
    BATCH_ROWS,
    EARLIEST,
    LATEST,
    SourceError,
    SourceRowError,
    common_binds,
    extracted_schema,
)
from include.sources.csv_errors import message_of, place_of
from include.sources.layout_rows import rows_of
from include.sources.layouts import layout_of
from include.sources.staged_lines import UNDATED, lines_of_month

if TYPE_CHECKING:
    from include.sources.understood_files import UnderstoodFiles

MEMORY_SHARE = 0.75  # the rest is for the batches that the step holds
THREADS = 2
FULL = "No space left|File too large|quota exceeded"  # the system's messages about a full disk


class Csv:
    """The source of a firm whose row says ``kind: csv``."""

    fields = ("uri", "layout", "mapping", "options", "understood")

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError unless the layout is known and the folder exists."""
        _check_uri(firm)
        layout_of(firm)
        folder_of(str(firm.source.uri), where=f"firm {firm.firm_key}, csv source")

    def check_connection(self) -> None:
        """Do nothing: ``check_row`` has checked the folder."""

    def __init__(
        self, firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None
    ) -> None:
        """Read nothing yet. ``scratch`` defaults to a private folder in the system's temporary folder."""
        _check_uri(firm)
        self._firm = firm
        self._layout = layout_of(firm)
        self._where = f"firm {firm.firm_key}, csv source"
        self._scratch = (scratch or own_scratch()) / "csv"
        self._moment: Path | None = None
        self._auto = _reader_of(firm) if self._layout.is_auto else None

    def offers(self, dataset: Dataset) -> bool:
        """Whether it is transactions, customers or, if the layout has its columns, products."""
        if dataset.name == "products":
            return self._layout.has_products
        return dataset.name in ("transactions", "customers")

    def first_month(self, dataset: Dataset) -> Month | None:
        """The month of the first row with a usable date."""
        stage = self._staged()
        months = sorted(p.name.partition("=")[2] for p in stage.glob("month=*"))
        dated = [Month.parse(text) for text in months if text != UNDATED]
        if months and not dated:
            raise SourceError(
                f"{self._where}: none of the rows in {self._folder()} has a date from {EARLIEST} on, "
                f"before {LATEST}, that layout {self._layout.name} can read; set mapping.date_format"
            )
        return min(dated, default=None)

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        """Rows of the dataset in batches of at most ``BATCH_ROWS``."""
        stage = self._staged()
        if dataset.name == "transactions" and month is not None:
            yield from lines_of_month(stage, extracted_schema(dataset), month, as_of)
        else:
            yield from self._snapshot(stage, dataset, as_of)

    @contextlib.contextmanager
    def consistent_reads(self) -> Iterator[None]:
        """All reads in this context use the files as they are now."""
        self._moment = self._staged()
        try:
            yield
        finally:
            self._moment = None

    def counts(self, dataset: Dataset, months: Mapping[Month, date]) -> dict[Month, int]:
        """Count the staged rows of each month as of its day."""
        stage = self._staged()
        day = pa.schema([extracted_schema(dataset).field("order_date")])
        return {
            month: sum(batch.num_rows for batch in lines_of_month(stage, day, month, as_of))
            for month, as_of in months.items()
        }

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """The common binds as instants, the firm's time zone, ``as_of`` as a day, and the layout's own.

        Every file is parsed once and split by month, so no statement asks for a month.
        """
        zone = self._firm.timezone
        own = {"timezone": zone, "repeated_orders": None, **self._layout.params}
        if as_of is not None:
            own["as_of"] = as_of
        return common_binds(month, as_of, lambda day: start_of_day(day, zone)) | own

    @property
    def _lines(self) -> str:
        """The statement that reads the lines of the layout's files."""
        return sql_text.read("extract", "csv", self._layout.name, "transactions")

    def _folder(self) -> Path:
        return folder_of(str(self._firm.source.uri), where=self._where)

    def _snapshot(self, stage: Path, dataset: Dataset, as_of: date) -> Iterator[pa.RecordBatch]:
        """Run ``sql/extract/csv/<dataset>.sql`` on the staged lines."""
        files = sorted(str(path) for path in stage.glob("month=*/*.parquet"))
        if not files:
            return
        schema = extracted_schema(dataset)
        sql, bound = sql_text.for_duckdb(
            sql_text.read("extract", "csv", dataset.name), self.binds(None, as_of)
        )
        with self._database(stage, stage) as database:
            database.read_parquet(files, hive_partitioning=False).create_view("lines")
            for batch in database.sql(sql, params=bound).to_arrow_reader(BATCH_ROWS):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _staged(self) -> Path:
        """The folder of the staged lines of the current files, one sub-folder per month."""
        if self._moment is not None:
            return self._moment
        folder = self._folder()
        endings = self._auto.endings if self._auto else ENDINGS
        files = data_files(folder, endings)
        check_some(files, folder, endings, where=self._where)
        home = self._scratch / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        stage = home / self._key(files)
        private_folder(home)
        # The datasets of a firm are extracted in parallel: one process parses, the others wait.
        with open_private(home / "lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stage.is_dir():
                building = Path(tempfile.mkdtemp(prefix="building-", dir=home))
                try:
                    self._parse(folder, files, building, kept=home / "read")
                    building.rename(stage)
                finally:
                    shutil.rmtree(building, ignore_errors=True)
            os.utime(stage)
            clear(home, keep=stage)
        return stage

    def _key(self, files: list[File]) -> str:
        """A hash of the files, the layout and the statement."""
        parts = [
            [file.identity for file in files],
            repr(self._layout),
            *([self._auto.key] if self._auto else []),
            self._firm.timezone,
            sql_text.read("extract", "csv", "macros"),
            self._lines,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def _parse(self, folder: Path, files: list[File], into: Path, *, kept: Path) -> None:
        """Write the lines of all files to ``into``, split by month.

        Layout auto keeps the rows of each file in ``kept``.
        """
        work = into / "work"
        work.mkdir()
        sql, bound = sql_text.for_duckdb(self._lines, self.binds(None, None))
        read = self._auto.parquet_of(files, kept) if self._auto else []
        with self._database(kept if self._auto else folder, into) as database:
            database.execute(sql_text.read("extract", "csv", "macros"))
            if self._auto:
                parts = [self._auto.numbered(database, path, number) for number, path in enumerate(read)]
            else:
                parts = [rows_of(database, file, self._layout, work, where=self._where) for file in files]
            reduce(duckdb.DuckDBPyRelation.union, parts).create_view("files")
            database.execute(
                "copy (" + sql + ") to $into (format parquet, compression snappy, partition_by (month_key))",
                {"into": str(into / "months"), **bound},
            )
        for file in files:
            file.check_unchanged()
        if self._auto:
            self._auto.check_orders(into / "months")
        shutil.rmtree(work)
        for month in (into / "months").glob("month_key=*"):
            month.rename(into / month.name.replace("month_key=", "month="))

    def _unreadable(self, error: duckdb.Error, folder: Path) -> SourceError:
        return SourceError(
            f"{self._where}, {place_of(error, folder)}: {message_of(error)}. "
            f"Layout {self._layout.name}: see docs/sources.md, 'csv'"
        )

    @contextlib.contextmanager
    def _database(self, folder: Path, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A private database that can access only two folders; its errors become SourceError."""
        memory_mb = share_of_memory(MEMORY_SHARE)
        database = open_database(
            memory_mb=memory_mb, threads=THREADS, spill=spill / "spill", folders=(folder, spill)
        )
        try:
            yield database
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            if not isinstance(error, duckdb.OutOfMemoryException) and not re.search(FULL, str(error)):
                raise self._unreadable(error, folder) from error
            raise SourceError(
                f"{self._where}, {folder}: {spill.parent} has no space for temporary files beyond "
                f"{memory_mb} MB of memory: {message_of(error)}. Free disk space, raise "
                "FIRMAMENT_MEMORY_MB, or send smaller files"
            ) from error
        except duckdb.Error as error:
            raise self._unreadable(error, folder) from error
        finally:
            database.close()
            shutil.rmtree(spill / "spill", ignore_errors=True)


def _check_uri(firm: Firm) -> None:
    if firm.source.uri is None:
        raise SourceRowError(f"firm {firm.firm_key}: a csv source needs source.uri, a file:// folder")


def _reader_of(firm: Firm) -> UnderstoodFiles:
    from include.sources.understood_files import UnderstoodFiles  # it loads numpy; set layouts do not need it

    return UnderstoodFiles(firm)
