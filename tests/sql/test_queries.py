"""Every YAML case under ``tests/sql/query/<query>/`` is a test of ``include/sql/query/<query>.sql``."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from include import sql_text
from include.datasets import Dataset, catalogue
from include.engines import open_engine

CASES = sorted((Path(__file__).parent / "query").glob("*/*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_query_gives_the_expected_rows(case, tmp_path):
    text = yaml.safe_load(case.read_text())
    dataset = catalogue().get(case.parent.name)  # training's own queries write no dataset
    given = [
        (replace(found, name=name), [_parquet(replace(found, name=name), rows, tmp_path)])
        for name, rows in text["given"].items()
        for found in [catalogue()[name.removeprefix("past_")]]
    ]
    sql = sql_text.read("query", case.parent.name)
    engine = open_engine("duckdb", memory_mb=256, threads=2, scratch=tmp_path)

    rows = [
        row
        for batch in engine.query(sql, given, text["params"])
        for row in (dataset.conform(batch) if dataset else batch).to_pylist()
    ]

    wanted = [
        {name: _value(dataset, name, value) if dataset else value for name, value in row.items()}
        for row in text["expect"]
    ]
    found = [{name: row[name] for name in want} for row, want in zip(rows, wanted, strict=False)]
    assert len(rows) == len(wanted)
    assert found == wanted


def _parquet(dataset: Dataset, rows: list[dict], folder: Path) -> Path:
    """The rows as a file; required columns that a case leaves out get a zero of their type."""
    full = [
        {
            field.name: _value(dataset, field.name, row[field.name])
            if field.name in row
            else (None if field.nullable else _zero(field.type))
            for field in dataset.schema
        }
        for row in rows
    ]
    path = folder / f"{dataset.name}.parquet"
    pq.write_table(pa.Table.from_pylist(full, schema=dataset.schema), path)
    return path


def _zero(kind: pa.DataType) -> object:
    if pa.types.is_string(kind):
        return ""
    if pa.types.is_date(kind):
        return date(1990, 1, 1)
    if pa.types.is_timestamp(kind):
        return datetime(1990, 1, 1, tzinfo=UTC)
    return Decimal(0) if pa.types.is_decimal(kind) else pa.scalar(0).cast(kind).as_py()


def _value(dataset: Dataset, name: str, value: object) -> object:
    kind = dataset.schema.field(name).type
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(str(value))
    if pa.types.is_timestamp(kind):
        stamp = (
            value
            if isinstance(value, datetime)
            else (
                datetime.combine(value, time())
                if isinstance(value, date)
                else datetime.fromisoformat(str(value))
            )
        )
        return stamp.replace(tzinfo=UTC)
    if pa.types.is_string(kind):
        return str(value)
    return value
