from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from include.datasets.contract import ContractError
from include.datasets.extracted import PRODUCTS, TRANSACTIONS
from include.engines import open_engine
from include.run.ingest import SliceIngest

EXTRA = [pa.field("rejected_reason", pa.string()), pa.field("source_row", pa.string())]


@pytest.fixture
def engine(tmp_path):
    return open_engine("duckdb", memory_mb=256, threads=2, scratch=tmp_path)


def batch(*rows, dataset=PRODUCTS):
    schema = pa.schema([*(field.with_nullable(True) for field in dataset.schema), *EXTRA])
    return pa.RecordBatch.from_pylist(list(rows), schema=schema)


def take_in(engine, folder, *batches, dataset=PRODUCTS):
    ingest = SliceIngest(dataset, folder)
    ingest.split_rejects(batches)
    kept = [row[dataset.grain[-1]] for b in ingest.deduplicate_and_sort(engine) for row in b.to_pylist()]
    rejected = [(row["reason"], row["source_row"]) for b in ingest.rejected(engine) for row in b.to_pylist()]
    return kept, rejected, ingest.rejections


def test_rows_come_out_sorted_by_grain(engine, tmp_path):
    kept, rejected, _ = take_in(engine, tmp_path, batch({"product_id": "b"}, {"product_id": "a"}))

    assert kept == ["a", "b"]
    assert rejected == []


def test_an_exact_copy_is_dropped_and_counted(engine, tmp_path):
    row = {"product_id": "a", "brand": "x"}

    kept, rejected, account = take_in(engine, tmp_path, batch(row, row), batch(row))

    assert kept == ["a"]
    assert rejected == []
    assert account.rows == {"exact_duplicate": 2}


def test_rows_that_disagree_about_one_key_are_all_rejected_and_kept(engine, tmp_path):
    rows = {"product_id": "a", "brand": "x"}, {"product_id": "a", "brand": "y"}, {"product_id": "b"}

    kept, rejected, account = take_in(engine, tmp_path, batch(*rows))

    assert kept == ["b"]
    assert [reason for reason, _ in rejected] == ["conflicting_duplicate"] * 2
    assert account.rows == {"conflicting_duplicate": 2}


def test_a_return_may_have_the_number_and_line_of_a_sale(engine, tmp_path):
    noon = {"occurred_at": datetime(2026, 11, 3, 12, tzinfo=UTC), "order_date": date(2026, 11, 3)}
    amounts = dict.fromkeys(("quantity", "gross_amount", "discount_amount", "net_amount"), Decimal(1))
    rows = [
        {"transaction_id": "1", "line_id": "1", "kind": kind, **noon, **amounts}
        for kind in ("sale", "return")
    ]

    kept, rejected, _ = take_in(engine, tmp_path, batch(*rows, dataset=TRANSACTIONS), dataset=TRANSACTIONS)

    assert (kept, rejected) == (["return", "sale"], [])


def test_rows_the_source_rejects_are_kept_with_their_reason(engine, tmp_path):
    bad = {"rejected_reason": "bad_number", "source_row": '{"price": "x"}'}

    kept, rejected, account = take_in(engine, tmp_path, batch({"product_id": "a"}, bad), batch(bad))

    assert kept == ["a"]
    assert rejected == [("bad_number", '{"price": "x"}')] * 2
    assert account.records(with_samples=True)[0]["samples"] == ['{"price": "x"}'] * 2
    assert account.records(with_samples=False)[0]["samples"] == []


def test_what_rejected_rows_are_worth_is_summed(engine, tmp_path):
    bad = {"rejected_reason": "cancelled_order", "source_row": "{}", "net_amount": Decimal("2.5")}
    ingest = SliceIngest(TRANSACTIONS, tmp_path)

    ingest.split_rejects([batch(bad, bad, dataset=TRANSACTIONS)])

    assert ingest.rejections.net_amount == {"cancelled_order": Decimal("5.0000")}


def test_every_row_in_is_kept_or_accounted_for(engine, tmp_path):
    rows = [{"product_id": f"p{i % 7}", "brand": str(i % 3)} for i in range(40)] + [{"product_id": "one"}]

    kept, _, account = take_in(engine, tmp_path, batch(*rows))

    assert len(kept) + sum(account.rows.values()) == 41


def test_a_source_that_leaves_a_column_out_breaks_the_contract(tmp_path):
    short = pa.RecordBatch.from_pylist([{"product_id": "a", "rejected_reason": None, "source_row": None}])

    with pytest.raises(ContractError, match="products: missing columns"):
        SliceIngest(PRODUCTS, tmp_path).split_rejects([short])


def test_no_batch_at_all_is_an_empty_slice(engine, tmp_path):
    assert take_in(engine, tmp_path) == ([], [], SliceIngest(PRODUCTS, tmp_path).rejections)
