"""A fit on large tables gives back what reading them left with the allocators."""

from datetime import date
from types import SimpleNamespace

import pyarrow as pa
import pytest

from include.run import compute

DAY = date(2025, 1, 1)


@pytest.mark.parametrize(("limit", "is_released"), [(79, True), (80, False)])
def test_unused_memory_is_given_back_between_reading_large_tables_and_fitting(
    limit, is_released, monkeypatch
):
    done = []
    table = pa.table({"number": pa.array(range(10), pa.int64())})  # 80 bytes
    inputs = SimpleNamespace(table=lambda dataset: table, made_from=[])
    monkeypatch.setattr(compute, "Inputs", lambda context, day: inputs)
    monkeypatch.setattr(compute, "LARGE_BYTES", limit)
    monkeypatch.setattr(compute, "release_unused", lambda: done.append("released"))

    def fit(read: pa.Table, *, firm: object, as_of: date) -> pa.Table:
        done.append("fitted")
        return read

    context = SimpleNamespace(
        up_to_date=lambda day: None,
        step=SimpleNamespace(reads=["rows"]),
        written=None,
        firm_settings=None,
        day_of=lambda dataset, day: day,
        write=lambda batches, made_from, day: SimpleNamespace(rows=table.num_rows),
    )

    assert compute._fit(context, SimpleNamespace(fit=fit), DAY) == (10, "")
    assert done == (["released", "fitted"] if is_released else ["fitted"])
