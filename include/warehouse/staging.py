"""Copy Arrow batches into a temporary table by COPY.

Only this session can read the table. It has no index, writes no WAL, and is dropped at the end of the
transaction.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as csv
from psycopg import sql

from include.datasets.contract import Dataset

try:
    import pgpq
except ImportError:  # no wheel for arm64 linux
    pgpq = None  # type: ignore[assignment]

Batches = Iterable[pa.RecordBatch]


def column_type(kind: pa.DataType) -> sql.SQL:
    """PostgreSQL's type for a column of a dataset."""
    if pa.types.is_decimal128(kind):
        return sql.SQL(f"numeric({kind.precision}, {kind.scale})")  # two integers
    if pa.types.is_timestamp(kind) and kind.tz and kind.unit == "us":
        return sql.SQL("timestamptz")
    types: list[tuple[Callable[[Any], bool], str]] = [
        (pa.types.is_string, "text"),
        (pa.types.is_date32, "date"),
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_int8, "smallint"),
        (pa.types.is_int16, "smallint"),
        (pa.types.is_int32, "integer"),
        (pa.types.is_int64, "bigint"),
        (pa.types.is_float64, "double precision"),
    ]
    for matches, name in types:
        if matches(kind):
            return sql.SQL(name)
    raise TypeError(f"{kind} cannot be loaded; see include/warehouse/staging.py")


def stage(connection: psycopg.Connection[Any], dataset: Dataset, batches: Batches) -> None:
    """Create ``pg_temp.stg_<dataset>`` and copy the batches into it, one after another."""
    name = sql.Identifier("pg_temp", f"stg_{dataset.name}")
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(field.name), column_type(field.type))
        for field in dataset.schema
    )
    connection.execute(
        sql.SQL("create temp table {} ({}) on commit drop").format(
            sql.Identifier(f"stg_{dataset.name}"), columns
        )
    )
    encode, options = (_binary, "format binary") if pgpq else (_text, "format csv")
    copy = sql.SQL("copy {} from stdin ({})").format(name, sql.SQL(options))
    with connection.cursor().copy(copy) as stream:
        for data in encode(dataset.schema, batches):
            stream.write(data)
    # Without statistics the planner takes the table for a small one and joins it row by row.
    connection.execute(sql.SQL("analyze {}").format(name))


def _binary(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    plain = schema.remove_metadata()
    encoder = pgpq.ArrowToPostgresBinaryEncoder(plain)
    yield encoder.write_header()
    for batch in batches:
        yield encoder.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=plain))
    yield encoder.finish()


def _text(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    # Quotes tell an empty text from a null.
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    for batch in batches:
        out = io.BytesIO()
        csv.write_csv(batch, out, write_options=options)
        yield out.getvalue()
