"""Figures of ``field.md`` that are exact: maximum-likelihood fits of CDNOW's sample; and the next product."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from bench import sales
from bench.truth import product
from bench.truth.bars import Bar
from include import sql_text
from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.extracted import TRANSACTIONS
from include.datasets.next_product import (
    NEXT_PRODUCT_CANDIDATES,
    NEXT_PRODUCT_EVIDENCE,
    NEXT_PRODUCT_TESTS,
)
from include.engines import open_engine
from include.models import next_product
from include.models.purchases import bgnbd, likelihood, paretonbd

DAYS = likelihood.DAYS_PER_WEEK
OPTIMA = {"bgnbd": -9582.43, "paretonbd": -9594.976}
CLOSE = 0.01
JOURNEY = date(2018, 1, 1)
JOURNEY_DAYS = 60


def fits() -> Iterator[Bar]:
    """The log-likelihoods of BG/NBD and Pareto/NBD on the 2,357 customers of the literature."""
    text = sales.package_folder("lifetimes") / "datasets" / "cdnow_customers_summary.csv"
    table = pc_csv.read_csv(text)
    x, t_x, T = (
        np.round(np.asarray(table[name]) * scale).astype(np.int64)
        for name, scale in (("frequency", 1), ("recency", DAYS), ("T", DAYS))
    )
    groups = likelihood.group(x, t_x, T)
    for name, module in (("bgnbd", bgnbd), ("paretonbd", paretonbd)):
        found = module.fit(groups).log_likelihood
        yield Bar(
            f"CDNOW's sample, {name}: the log-likelihood is that of the exact optimum, {OPTIMA[name]}",
            found,
            None,
            abs(found - OPTIMA[name]) < CLOSE,
            {"customers": len(x)},
        )


def next_products() -> Iterator[Bar]:
    """The test that the module runs on the firm's own last window, on The Complete Journey."""
    firm = product.firm_of("complete_journey", churn_threshold_days=JOURNEY_DAYS, timezone="America/New_York")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = sales.complete_journey(folder)
        engine = open_engine("duckdb", memory_mb=product.MEMORY_MB, threads=1, scratch=folder)
        params = {"as_of": JOURNEY, "churn_threshold_days": JOURNEY_DAYS, "timezone": firm.timezone}
        sold = [(TRANSACTIONS, files[TRANSACTIONS]), (CUSTOMER_DAYS, files[CUSTOMER_DAYS])]
        batches = engine.query(sql_text.read("query", "next_product_candidates"), sold, params)
        candidates = sales.write_parquet(
            NEXT_PRODUCT_CANDIDATES, map(NEXT_PRODUCT_CANDIDATES.conform, batches), folder
        )
        tests = _table(engine, NEXT_PRODUCT_TESTS, [(NEXT_PRODUCT_CANDIDATES, [candidates])], params)
        evidence = _table(engine, NEXT_PRODUCT_EVIDENCE, sold[:1], params)
        (row,) = next_product.fit(tests, evidence, firm=firm, as_of=JOURNEY).to_pylist()
    yield Bar(
        'Journey, next product beats "most popular" in hit rate at 5 by 2 s.e., or is off',
        row["hit_rate_difference"],
        row["difference_standard_error"],
        not row["is_used"] or row["hit_rate_difference"] > 2 * row["difference_standard_error"],
        {
            name: row[name]
            for name in ("hit_rate_at_5", "popular_hit_rate_at_5", "tested_customers", "is_used")
        },
        row["reason"],
    )


def _table(engine, dataset, read, params) -> pa.Table:
    batches = engine.query(sql_text.read("query", dataset.name), read, params)
    return pa.Table.from_batches([dataset.conform(batch) for batch in batches], schema=dataset.schema)
