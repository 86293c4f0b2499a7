"""A key longer than an index of the warehouse can hold rejects its row, and stops nobody."""

from __future__ import annotations

import json
import random
import string
from datetime import timedelta

import pyarrow.parquet as pq

from tests.run.test_pipeline import AS_OF, sales

STEPS = ("extract_customers", "extract_transactions", "load_dim_customer", "load_fact_sales")


def test_a_key_of_a_hundred_thousand_letters_is_rejected_and_the_rest_is_loaded(shop):
    rng = random.Random(1)
    long = "".join(rng.choices(string.ascii_letters, k=100_000))  # compression makes it no shorter
    shop.add("acme")
    shop.sell("acme", [*sales(25), ("x", AS_OF - timedelta(days=5), long, 5), ("y", AS_OF, long[:1000], 5)])

    shop.run("acme", AS_OF + timedelta(days=1), only=STEPS)

    counted = "select dataset, reason, row_count from control.rejections where firm_key = 'acme' order by 1"
    assert shop.query(counted) == [("customers", "too_long", 1), ("transactions", "too_long", 1)]
    loaded = shop.facts("acme")["sales"]
    assert len(loaded) == len(sales(25)) + 1
    assert long[:1000] in {row[2] for row in loaded}
    (kept,) = (
        row
        for path in (shop.home / "home").rglob("transactions_rejected/**/*.parquet")
        for row in pq.read_table(path).to_pylist()
    )
    assert (kept["reason"], json.loads(kept["source_row"])["transaction_id"]) == ("too_long", "x")
