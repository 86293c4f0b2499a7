"""Files and rows that expand enormously: rejected by name, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.data_files.expansion import MAX_FOOTER
from include.datasets.extracted import TRANSACTIONS
from include.sources import SourceError
from include.sources.postgres import BATCH_BYTES
from tests.sources.conftest import AS_OF, everything, month

LINE = {"transaction_id": "1", "occurred_at": "2026-11-03", "customer_id": "a", "net_amount": "5"}


def equal(value: object, rows: int) -> pa.Array:
    """One value in every row: in a parquet file it is stored once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, "int32")), pa.array([value]))


def bomb(rows: int, **columns: object) -> pa.Table:
    return pa.table({name: equal(value, rows) for name, value in {**LINE, **columns}.items()})


BOMBS = {
    "two gigabytes of one text": lambda: bomb(2000, customer_id="a" * 2**20),
    "millions of equal rows": lambda: bomb(5_000_000),
    "millions of equal numbers": lambda: bomb(5_000_000, transaction_id=1, customer_id=2, net_amount=3),
}
READ = """
import resource, sys
from pathlib import Path
from include.datasets.extracted import TRANSACTIONS
from include.sources import SourceError, open_source
from tests.sources.conftest import AS_OF, firm, month
row = {"kind": "csv", "uri": Path(sys.argv[1]).as_uri(), "layout": "mapped"}
source = open_source(firm(row), lambda conn_id: "", scratch=Path(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF))
except SourceError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.parametrize("kind", BOMBS)
def test_a_parquet_file_that_expands_to_gigabytes_is_refused_in_bounded_memory(drop, tmp_path, kind):
    path = drop.write("sales.parquet", b"")
    pq.write_table(BOMBS[kind](), path, compression="zstd", store_schema=False)

    # In a process of its own: this one has held the table.
    done = subprocess.run(
        [sys.executable, "-c", READ, str(drop.folder), str(tmp_path / "scratch")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip

    used_mb, _, message = done.stdout.partition(" ")
    assert "sales.parquet" in message
    assert "expands more than 200 times" in message
    assert int(used_mb) < 400
    assert path.stat().st_size < 1 << 20


def test_a_file_as_dense_as_real_sales_is_read(drop):
    drop.write("sales.parquet", b"")
    count = 50_000
    table = bomb(count, customer_id="a" * 400).set_column(
        0, "transaction_id", pa.array([f"o{n}" for n in range(count)])
    )
    pq.write_table(table, drop.folder / "sales.parquet", compression="zstd")

    assert drop.source("mapped").first_month(TRANSACTIONS) == month("2026-11")


def test_a_footer_of_a_million_columns_is_refused_before_it_is_read(drop):
    path = drop.write("sales.parquet", b"")
    size = MAX_FOOTER + 1
    with path.open("r+b") as file:
        file.write(b"PAR1")
        file.seek(size + 4)
        file.write(size.to_bytes(4, "little") + b"PAR1")

    with pytest.raises(SourceError, match=r"sales\.parquet: its footer has 8,388,609 bytes"):
        drop.source("mapped").first_month(TRANSACTIONS)


def test_a_header_of_a_million_columns_is_refused_before_it_is_read(drop):
    drop.write("sales.csv", ",".join(f"c{n}" for n in range(10**6)) + "\n1\n")

    with pytest.raises(SourceError, match=r"sales\.csv: the first line is longer than"):
        drop.source("mapped").first_month(TRANSACTIONS)


@pytest.mark.parametrize("value", [["a"] * 3, {"deep": {"deeper": "a"}}], ids=["a list", "a structure"])
def test_a_column_with_several_values_per_row_is_refused(drop, value):
    drop.write("sales.parquet", b"")
    table = pa.table({name: [given] for name, given in {**LINE, "customer_id": value}.items()})
    pq.write_table(table, drop.folder / "sales.parquet")

    with pytest.raises(SourceError, match=r"sales\.parquet: column 'customer_id' has type .*one value"):
        drop.source("mapped").first_month(TRANSACTIONS)


def test_archives_are_ignored(drop):
    drop.write("sales.csv", ",".join(LINE) + "\n" + ",".join(LINE.values()) + "\n")
    drop.write("more.zip", b"PK\x03\x04")
    drop.write("more.csv.gz.gz", b"\x1f\x8b")

    assert len(everything(drop.source("mapped"), TRANSACTIONS)) == 1


def test_a_batch_of_wide_rows_is_bounded_by_bytes(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, customer_id, ordered_at) select n, repeat('a', 131072), '2026-11-03Z'"
        " from generate_series(1, 600) as n",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        " select n, 1, 1, 5 from generate_series(1, 600) as n",
    )

    given = list(shop.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF))

    assert sum(batch.num_rows for batch in given) == 600
    assert max(batch.nbytes for batch in given) <= 1.1 * BATCH_BYTES
