"""Rows of a statement as a file: csv, xlsx or parquet, in bounded memory and never cut.

A csv or parquet file is sent while it is written. When the warehouse fails on the way, the transfer breaks
off, so a client never takes a part for the whole. A workbook is written to disk first.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xlsxwriter

from include.console.problems import ProblemError
from include.console.reader import Batches
from include.spreadsheet_text import BOM, LONGEST_XLSX_TEXT, XLSX_OPTIONS, safe

MOST_XLSX_ROWS = 200_000
CHUNK_BYTES = 1 << 20
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
HIDDEN = ("sort_key",)  # columns that only paging needs
# Types of Postgres by their oid; every other one is written as text.
TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 700: pa.float64(), 701: pa.float64(),
    1700: pa.float64(), 1082: pa.date32(), 1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
About = Mapping[str, str]  # what the file is: firm, as_of, currency, list


def write_file(kind: str, batches: Batches, about: About) -> Iterator[bytes]:
    """The bytes of the file. The first piece of a workbook comes when it is complete."""
    shown = [at for at, (name, _) in enumerate(batches.columns) if name not in HIDDEN]
    schema = pa.schema(
        [(batches.columns[at][0], TYPES.get(batches.columns[at][1], pa.string())) for at in shown]
    )
    tables = (_record_batch(rows, shown, schema) for rows in batches)
    writers = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}
    return writers[kind](tables, schema, about)


def _record_batch(rows: list[tuple[Any, ...]], shown: list[int], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    return pa.record_batch(
        [_array(columns[at], schema.types[place]) for place, at in enumerate(shown)], schema
    )


def _array(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if kind != pa.string():
        return pa.array(values, kind)
    return pa.array(
        [value if value is None or isinstance(value, str) else _text(value) for value in values], kind
    )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


class _Pipe(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """What was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _csv(tables: Iterable[pa.RecordBatch], schema: pa.Schema, about: About) -> Iterator[bytes]:
    pipe = _Pipe()
    pipe.write(BOM)
    with pa_csv.CSVWriter(pipe, schema, write_options=pa_csv.WriteOptions(quoting_style="needed")) as writer:
        for table in tables:
            texts = [safe(column) if column.type == pa.string() else column for column in table.columns]
            writer.write_batch(pa.record_batch(texts, schema))
            yield pipe.take()
    yield pipe.take()


def _parquet(tables: Iterable[pa.RecordBatch], schema: pa.Schema, about: About) -> Iterator[bytes]:
    pipe = _Pipe()
    described = schema.with_metadata({f"firmament.{name}": text for name, text in about.items()})
    with pq.ParquetWriter(pipe, described, compression="zstd") as writer:
        for table in tables:
            writer.write_batch(table.replace_schema_metadata(described.metadata))
            yield pipe.take()
    yield pipe.take()


def _xlsx(tables: Iterable[pa.RecordBatch], schema: pa.Schema, about: About) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        with tempfile.TemporaryDirectory() as folder:
            _write_workbook(file, folder, tables, schema, about)
        file.seek(0)
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _write_workbook(
    file: IO[bytes], folder: str, tables: Iterable[pa.RecordBatch], schema: pa.Schema, about: About
) -> None:
    with xlsxwriter.Workbook(file, {**XLSX_OPTIONS, "tmpdir": folder, "remove_timezone": True}) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        formats = {date: {"num_format": "yyyy-mm-dd"}, datetime: {"num_format": "yyyy-mm-dd hh:mm:ss"}}
        known = {kind: book.add_format(asked) for kind, asked in formats.items()}
        sheet = book.add_worksheet("rows")
        sheet.freeze_panes(1, 1)
        for at, name in enumerate(schema.names):
            sheet.set_column(at, at, max(11, len(name) + 2))
            sheet.write_string(0, at, name, head)
        row = 0
        for table in tables:
            if row + table.num_rows > MOST_XLSX_ROWS:
                raise ProblemError(
                    413,
                    f"a workbook has at most {MOST_XLSX_ROWS:,} rows here, and this list has more",
                    "Ask for csv or parquet, which have every row, or narrow the filter.",
                )
            for values in zip(*(column.to_pylist() for column in table.columns), strict=True):
                row += 1
                for at, value in enumerate(values):
                    if isinstance(value, str):
                        sheet.write_string(row, at, value[:LONGEST_XLSX_TEXT])
                    elif value is not None:
                        sheet.write(row, at, value, known.get(type(value)))
        named = book.add_worksheet("about")
        named.set_column(0, 1, 24)
        for at, (name, text) in enumerate({**about, "rows": str(row)}.items()):
            named.write_string(at, 0, name)
            named.write_string(at, 1, text)
