"""Parts: bounded files, any number of key columns, and no rows lost between parts."""

import io
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets import ContractError, Dataset
from include.datasets.contract import DAY, MONEY, TEXT, column
from include.handoff import parts
from include.handoff.local_files import HashingWriter


def part_rows(dataset: Dataset, batches: list[pa.RecordBatch]) -> list[list[dict]]:
    """The rows of each part."""
    files = []
    for content in parts.parts(dataset, batches):
        file = io.BytesIO()
        assert content.write_to(HashingWriter(file)) == pq.read_metadata(io.BytesIO(file.getvalue())).num_rows
        files.append(pq.read_table(io.BytesIO(file.getvalue())).to_pylist())
    return files


def by(*grain: pa.Field) -> Dataset:
    return Dataset("t", "", tuple(field.name for field in grain), pa.schema(grain))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 12])
def test_no_row_is_lost_or_doubled_where_batches_groups_and_parts_meet(monkeypatch, size, count):
    monkeypatch.setattr(parts, "GROUP_ROWS", 3)
    monkeypatch.setattr(parts, "PART_ROWS", 6)
    dataset = by(column("n", pa.int64(), ""))
    values = list(range(count))
    batches = [
        pa.RecordBatch.from_pydict({"n": values[at : at + size]}, schema=dataset.schema)
        for at in range(0, count, size)
    ]

    files = part_rows(dataset, batches)

    assert [row["n"] for file in files for row in file] == values
    assert len(files) == max(1, -(-count // 6))


def test_the_grain_is_compared_column_by_column_as_the_engine_sorts():
    dataset = by(column("k", TEXT, ""), column("d", DAY, ""), column("m", MONEY, ""))
    rows = [
        {"k": "B", "d": date(2026, 1, 2), "m": 1},
        {"k": "a", "d": date(2026, 1, 1), "m": 2},
        {"k": "a", "d": date(2026, 1, 2), "m": 1},
        {"k": "a", "d": date(2026, 1, 2), "m": 3},
        {"k": "é", "d": date(2026, 1, 1), "m": 0},
    ]
    ordered = pa.RecordBatch.from_pylist(rows, schema=dataset.schema)

    (file,) = part_rows(dataset, [ordered])

    assert len(file) == 5
    for first in range(4):
        swapped = [*range(first), first + 1, first, *range(first + 2, 5)]
        with pytest.raises(ContractError, match="not sorted"):
            part_rows(dataset, [ordered.take(pa.array(swapped))])
        with pytest.raises(ContractError, match="is there twice"):
            part_rows(dataset, [ordered.take(pa.array([*range(first + 1), first]))])


def test_a_null_in_the_grain_is_refused():
    dataset = by(column("k", TEXT, ""))

    with pytest.raises(ContractError, match=r"t\.k: 1 nulls in a column of the grain"):
        part_rows(dataset, [pa.RecordBatch.from_pydict({"k": [None]}, schema=dataset.schema)])


def test_columns_in_another_order_are_reordered():
    dataset = by(column("a", TEXT, ""), column("b", TEXT, ""))

    (file,) = part_rows(dataset, [pa.RecordBatch.from_pydict({"b": ["2"], "a": ["1"]})])

    assert file == [{"a": "1", "b": "2"}]
    assert list(file[0]) == ["a", "b"]


def test_the_bytes_of_a_large_part_do_not_depend_on_the_size_of_the_batches():
    dataset = by(column("n", pa.int64(), ""), column("s", TEXT, ""))
    names = [f"name {n * 7919 % 300_000} of a customer" for n in range(300_000)]
    table = pa.table({"n": range(300_000), "s": names}).cast(dataset.schema)

    def digest(size: int) -> str:
        content = next(parts.parts(dataset, table.to_batches(max_chunksize=size)))
        writer = HashingWriter(io.BytesIO())
        content.write_to(writer)
        return writer.sha256

    assert digest(777) == digest(300_000)
