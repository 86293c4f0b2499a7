"""What the name of each standard segment promises, and the customers for whom it is not so.

A promise is a condition in SQL on a customer's scores ``f`` and ``m``, purchase days ``orders``, days of
silence ``silent``, the firm's usual ``gap`` and RFM ``window``. It is counted from customer_days, not from
what RFM computed.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from include import sql_text
from include.datasets import Dataset
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY, FIRM_RHYTHM, RFM, RFM_VALUES
from include.engines import open_engine
from include.firms import Rfm
from include.models import rfm, segments

LATELY = 'silent <= 2 * gap and silent <= "window"'
LONG = "silent > 2 * gap"
PROMISES = {
    "champions": f"{LATELY} and orders >= 3 and f >= 4 and m >= 4",
    "loyal": f"{LATELY} and orders >= 2 and f >= 3 and m >= 3",
    "potential_loyalists": f"{LATELY} and orders >= 2 and m <= 3",
    "recent": f"{LATELY} and not (f >= 4 and m >= 4)",
    "promising": f"{LATELY} and m >= 3 and (f <= 2 or orders = 1)",
    "needs_attention": "silent > gap and silent <= 2 * gap",
    "about_to_sleep": "silent > gap and silent <= 3 * gap",
    "at_risk": f"{LONG} and m >= 3",
    "cant_lose_them": f"{LONG} and orders >= 3 and f >= 4 and m >= 4",
    "hibernating": "silent > 3 * gap",
    "lost": "silent > 4 * gap and r = 1 and f = 1 and m = 1",
    "unscored": "r is null",
}


class Scored(NamedTuple):
    """RFM of one snapshot, and the firm's segments."""

    rfm: pa.Table
    segments: pa.Table


def score(
    days: pa.Table, folder: Path, *, as_of: date, window_days: int = 365, churn_threshold_days: int = 90
) -> Scored:
    """RFM of these customer days, by the queries and the model that a run uses."""
    firm = SimpleNamespace(
        rfm=Rfm(window_days=window_days), min_spend=0, min_orders=1, churn_threshold_days=churn_threshold_days
    )
    params = {"as_of": as_of, "rfm_window_days": window_days, "min_spend": 0, "min_orders": 1}
    files = {CUSTOMER_DAYS: [_write(folder, CUSTOMER_DAYS, days)]}
    engine = open_engine("duckdb", memory_mb=1024, threads=1, scratch=folder)

    def ask(dataset: Dataset) -> pa.Table:
        found = engine.table(sql_text.read("query", dataset.name), list(files.items()), params)
        table = pa.Table.from_batches([dataset.conform(b) for b in found.to_batches()], dataset.schema)
        files[dataset] = [_write(folder, dataset, table)]
        return table

    summary, rhythm, values = ask(CUSTOMER_SUMMARY), ask(FIRM_RHYTHM), ask(RFM_VALUES)
    cuts = rfm.fit(values, firm=firm, as_of=as_of)
    table = segments.compute(rhythm, firm=firm, as_of=as_of)
    fitted = rfm.prepare(cuts, table, firm=firm, as_of=as_of)
    batches = [
        RFM.conform(rfm.predict(batch, fitted, firm=firm, as_of=as_of)) for batch in summary.to_batches()
    ]
    return Scored(pa.Table.from_batches(batches, RFM.schema), table)


def broken(
    days: pa.Table, scored: Scored, *, as_of: date, window_days: int = 365, churn_threshold_days: int = 90
) -> dict[str, tuple[int, int]]:
    """Customers of each segment, and those for whom the promise is not so, counted from the sales."""
    cases = " ".join(f"when '{code}' then coalesce({sql}, false)" for code, sql in PROMISES.items())
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("days", days)
        connection.register("rfm", scored.rfm)
        rows = connection.execute(
            f"""
            with customers as (
                select customer_id, count(*) as orders,
                    date_diff('day', max(order_date), $as_of::date) as silent,
                    date_diff('day', min(order_date), max(order_date)) / nullif(count(*) - 1, 0) as own_gap
                from days where order_count > 0 and order_date < $as_of::date group by customer_id
            ),
            rhythm as (
                select greatest(1, least($window / 2, case when count(own_gap) < 10 then $threshold / 2
                    else median(own_gap) end)) as gap
                from customers
            ),
            facts as (
                select rfm.segment_code, customers.orders, customers.silent, rhythm.gap,
                    $window as "window", recency_score as r, frequency_score as f, monetary_score as m
                from rfm join customers using (customer_id) cross join rhythm
            )
            select segment_code, count(*),
                count(*) filter (where not case segment_code {cases} else false end)
            from facts group by segment_code order by segment_code
            """,
            {"as_of": as_of, "window": window_days, "threshold": churn_threshold_days},
        ).fetchall()
    return {code: (customers, wrong) for code, customers, wrong in rows}


def _write(folder: Path, dataset: Dataset, table: pa.Table) -> Path:
    path = folder / f"{dataset.name}.parquet"
    pq.write_table(table, path)
    return path
