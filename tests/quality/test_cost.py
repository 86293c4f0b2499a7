"""A clean gate costs at most two CPU seconds per million rows."""

import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include import quality
from include.quality import Slice
from tests.quality.firms import TRANSACTIONS, Firm, references

ROWS = 1_000_000


def october(folder: Path) -> Slice:
    """A million lines in October, of customers and products that are known."""
    rng = np.random.default_rng(1)
    seconds = rng.integers(0, 30 * 86_400, ROWS)
    instants = np.datetime64("2026-10-01T06:00:00", "us") + seconds.astype("timedelta64[s]")
    to_local = np.where(instants < np.datetime64("2026-10-25T01:00:00"), 3600, 0).astype("timedelta64[s]")
    cents = pa.array(rng.integers(100, 9_000, ROWS)).cast(pa.decimal128(19, 0))
    gross = pc.multiply(cents, pa.scalar(Decimal("0.01"), pa.decimal128(3, 2))).cast(pa.decimal128(18, 4))
    nothing = pc.subtract(gross, gross).cast(gross.type)
    made = {
        "transaction_id": pc.binary_join_element_wise(
            "t", pa.array(np.arange(ROWS) // 3).cast(pa.string()), ""
        ),
        "line_id": pa.array(np.arange(ROWS) % 3).cast(pa.string()),
        "kind": pa.array(np.where(rng.random(ROWS) < 0.03, "return", "sale")),
        "occurred_at": pa.array(instants).cast(pa.timestamp("us", tz="UTC")),
        "order_date": pa.array((instants + to_local).astype("datetime64[D]")),
        "customer_id": pc.binary_join_element_wise(
            "c", pa.array(rng.integers(0, 4, ROWS)).cast(pa.string()), ""
        ),
        "product_id": pc.binary_join_element_wise(
            "p", pa.array(rng.integers(0, 3, ROWS)).cast(pa.string()), ""
        ),
        "quantity": pa.repeat(pa.scalar(Decimal(1), pa.decimal128(18, 4)), ROWS),
        "gross_amount": gross,
        "discount_amount": nothing,
        "net_amount": gross,
    }
    fields = [f.with_nullable(True) for f in TRANSACTIONS.schema]
    table = pa.table([made.get(f.name, pa.nulls(ROWS, f.type)) for f in fields], schema=pa.schema(fields))
    path = folder / "october.parquet"
    pq.write_table(table, path, compression="zstd", compression_level=1)
    return Slice("2026-10", ROWS, [path])


def test_a_million_clean_transaction_lines_take_at_most_two_cpu_seconds(tmp_path: Path):
    slices, known = [october(tmp_path)], references(tmp_path)

    started = time.process_time()
    report = quality.check(
        TRANSACTIONS, firm=Firm(), as_of=date(2026, 11, 1), slices=slices, references=known, history=[]
    )
    seconds = time.process_time() - started

    assert [result for result in report.results if not result.passed] == []
    assert f"{ROWS:,} rows keep it" in {result.observed for result in report.results}
    assert seconds <= 2
