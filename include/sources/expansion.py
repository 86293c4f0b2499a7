"""Parquet files that are small on disk and enormous when read, refused before they are.

Each value is stored once and counted: a file of five kilobytes holds two gigabytes of one text, or a
billion equal rows, and what its own footer says of its size is not true. So the text is measured by reading
it past, which keeps nothing, and set against the file's size as for a compressed csv file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
from duckdb import ColumnExpression, FunctionExpression

from include.sources import SourceError
from include.sources.files import FREE_BYTES, MAX_RATIO, File

MAX_FOOTER = 8 << 20  # what describes a thousand row groups of twenty columns takes two or three megabytes
NUMBER_BYTES = 8
TEXTS = ("VARCHAR", "BLOB")
NESTED = ("STRUCT", "MAP", "UNION", "[")  # a list says VARCHAR[], an array INTEGER[3]


def check_footer(file: File) -> None:
    """SourceError when the part that must be read whole before anything else is too large."""
    size = _footer_bytes(file.path)
    if size > MAX_FOOTER:
        raise SourceError(
            f"{file.path}: its footer takes {size:,} bytes; no sales file describes that many columns or "
            "row groups. Write it again with the columns that are needed"
        )


def check_expansion(rows: duckdb.DuckDBPyRelation, columns: Sequence[str], file: File) -> None:
    """SourceError when the columns that are used hold more than a file of that size can."""
    kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
    for name in columns:
        if any(mark in kinds[name] for mark in NESTED):
            raise SourceError(f"{file.path}: column {name!r} holds {kinds[name]}; one value a row is needed")
    ((count,),) = rows.aggregate([FunctionExpression("count").alias("n")]).fetchall()
    _check(int(count), file)  # each row takes a byte at least; a scan of trillions would take days
    texts = [name for name in columns if kinds[name] in TEXTS]
    lengths = [
        FunctionExpression("sum", FunctionExpression("strlen", ColumnExpression(name).cast("VARCHAR")))
        for name in texts
    ]
    (found,) = rows.aggregate(lengths).fetchall() if lengths else ((),)
    numbers = int(count) * NUMBER_BYTES * (len(columns) - len(texts))
    _check(numbers + sum(int(length or 0) for length in found), file)


def _check(given: int, file: File) -> None:
    if given > FREE_BYTES and given > MAX_RATIO * file.size:
        raise SourceError(
            f"{file.path} is {file.size:,} bytes and expands more than {MAX_RATIO} times; no sales file "
            "does. Look for one value repeated in every row, and send it as plain csv if it is right"
        )


def _footer_bytes(path: Path) -> int:
    """The length that a parquet file's last bytes give its footer; 0 for what is no parquet file."""
    with path.open("rb") as source:
        source.seek(0, 2)
        if source.tell() < 12:
            return 0
        source.seek(-8, 2)
        end = source.read(8)
    return int.from_bytes(end[:4], "little") if end[4:] == b"PAR1" else 0
