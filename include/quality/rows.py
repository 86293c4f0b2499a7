"""The rows of a slice as files, tables and pandas frames: a bounded number of rows, only needed columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.datasets import Dataset
from include.quality.report import SHOWN, Slice
from include.quality.rules import RowRule

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

CHUNK = 250_000  # rows of a pandas frame: a frame costs Great Expectations 0.1 s of CPU, and 1 KB a row
NEEDS = {
    "net_gap": ("net_amount", "gross_amount", "discount_amount"),
    "day_gap": ("order_date", "occurred_at"),
}
"""Derived columns and what they are made of; ``unknown_in_<dataset>`` needs the key itself."""


def found_columns(files: Sequence[Path]) -> dict[str, str]:
    """Names and types of the columns in the files; a type on which they differ names both."""
    found: dict[str, str] = {}
    for file in files:
        for column in pq.read_schema(file):
            kind = str(column.type)
            known = found.setdefault(column.name, kind)
            if kind not in known.split(" and "):
                found[column.name] = f"{known} and {kind}"
    return found


def chunks(files: Sequence[Path], columns: Sequence[str], size: int = CHUNK) -> Iterator[pa.Table]:
    """The rows of the files in tables of at most ``size`` rows, only the columns asked for."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=min(size, 65_536), columns=list(columns)):
                if held and rows + batch.num_rows > size:
                    yield pa.Table.from_batches(held)
                    held, rows = [], 0
                held.append(batch)
                rows += batch.num_rows
    if rows:
        yield pa.Table.from_batches(held)


def looked_at(
    table: pa.Table,
    columns: Sequence[str],
    *,
    key: Mapping[str, str],
    unknown: Mapping[str, pa.Array],
    zone: str,
) -> dict[str, pa.ChunkedArray]:
    """The columns, kept or derived, by name.

    ``key`` names the column that holds a reference, ``unknown`` the values it does not have.
    """
    made = {}
    for name in columns:
        if name == "net_gap":
            # Subtracted as decimals: a float would invent a difference.
            made[name] = pc.subtract(
                table["net_amount"], pc.subtract(table["gross_amount"], table["discount_amount"])
            )
        elif name == "day_gap":
            local = table["occurred_at"].to_pandas().dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
            gap = (table["order_date"].cast(pa.timestamp("us")).to_pandas() - local).dt.days
            made[name] = pa.chunked_array([pa.Array.from_pandas(gap)])
        elif name in unknown:
            ids = table[key[name]]
            made[name] = pc.if_else(pc.is_in(ids, value_set=unknown[name]), ids, pa.scalar(None, ids.type))
        else:
            made[name] = table[name]
    return made


def frame(columns: Mapping[str, pa.ChunkedArray]) -> pd.DataFrame:
    """The columns as pandas wants them: days and instants in UTC, money as floats."""
    import pandas as pd

    return pd.DataFrame({name: plain(column) for name, column in columns.items()})


def plain(column: pa.ChunkedArray) -> pd.Series:
    """One column as pandas wants it."""
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64()).to_pandas()
    if pa.types.is_date(column.type):
        # Great Expectations compares naive datetimes one by one, aware ones as a vector: 1.4 s or 0.04 s.
        return column.cast(pa.timestamp("us")).to_pandas().dt.tz_localize("UTC")
    return column.to_pandas()


def needs(rule: RowRule) -> tuple[str, ...]:
    """The columns that a rule depends on."""
    return NEEDS.get(rule.of or "", (rule.column,))


def shown(rule: RowRule) -> tuple[str, ...]:
    """The columns that a sample of a rule shows, beside the key."""
    return NEEDS.get(rule.of or rule.column, (rule.column,))


def samples(table: pa.Table, dataset: Dataset) -> list[str]:
    """Rows as text: the values looked at and the row's key, never personal data."""
    return [
        " ".join(
            f"{name}={'(personal data)' if name in dataset.pii else _text(value)}"
            for name, value in row.items()
        )
        for row in table.to_pylist()
    ]


def _text(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return "null" if value is None else str(value)


def repeated(
    part: Slice, grain: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> tuple[int, list[str]]:
    """How many keys occur more than once, and some of them. DuckDB counts, so memory stays bounded."""
    keys = ", ".join(f'"{name}"' for name in grain)
    files = [str(file) for file in part.files]
    copies = (
        connection.read_parquet(files, union_by_name=len(files) > 1)
        .aggregate(f"{keys}, count(*) as copies", keys)
        .filter("copies > 1")
    )
    found = copies.order(keys).limit(SHOWN).fetchall()
    if not found:
        return 0, []
    (count,) = copies.aggregate("count(*)").fetchall()[0]
    examples = [
        " ".join(f"{name}={_text(value)}" for name, value in zip(grain, row, strict=False))
        + f" ({row[-1]} times)"
        for row in found
    ]
    return count, examples


def row_count(files: Sequence[Path]) -> int:
    """Rows that the files say they hold."""
    return sum(pq.read_metadata(file).num_rows for file in files)
