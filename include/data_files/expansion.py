"""Reject parquet files that are small on disk and expand enormously (decompression bombs).

Dictionary and run-length encoding let five kilobytes hold two gigabytes of one text, or a billion equal
rows, and the sizes in the footer can be wrong. So the text is streamed once without being kept, and its
size compared with the file's size, as for a compressed csv file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
from duckdb import ColumnExpression, FunctionExpression

from include.data_files.folder import FREE_BYTES, MAX_RATIO, File
from include.source_errors import SourceError

MAX_FOOTER = 8 << 20  # the footer of a thousand row groups with twenty columns has 2 to 3 MB
NUMBER_BYTES = 8
TEXTS = ("VARCHAR", "BLOB")
NESTED = ("STRUCT", "MAP", "UNION", "[")  # a list says VARCHAR[], an array INTEGER[3]


def check_footer(file: File) -> None:
    """SourceError when the footer, which is always read whole, is too large."""
    size = _footer_bytes(file.path)
    if size > MAX_FOOTER:
        raise SourceError(
            f"{file.path}: its footer has {size:,} bytes, more than {MAX_FOOTER:,}: too many columns or "
            "row groups. Write it again with only the columns that are needed"
        )


def check_expansion(rows: duckdb.DuckDBPyRelation, columns: Sequence[str], file: File) -> None:
    """SourceError when the used columns expand more than ``MAX_RATIO`` times."""
    kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
    for name in columns:
        if any(mark in kinds[name] for mark in NESTED):
            raise SourceError(
                f"{file.path}: column {name!r} has type {kinds[name]}; it needs one value per row"
            )
    ((count,),) = rows.aggregate([FunctionExpression("count").alias("n")]).fetchall()
    _check(int(count), file)  # at least a byte per row; a scan of trillions of rows would take days
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
            f"{file.path} has {file.size:,} bytes and expands more than {MAX_RATIO} times. Look for a "
            "value repeated in every row; if the data is right, send it as plain csv"
        )


def _footer_bytes(path: Path) -> int:
    """The footer's length, from a parquet file's last bytes; 0 if it is no parquet file."""
    with path.open("rb") as source:
        source.seek(0, 2)
        if source.tell() < 12:
            return 0
        source.seek(-8, 2)
        end = source.read(8)
    return int.from_bytes(end[:4], "little") if end[4:] == b"PAR1" else 0
