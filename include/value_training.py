"""Histories that value models are fitted and tested on: the summary query run once per past cutoff.

The anchor is the last cutoff. Those before lie one horizon apart, so that the spend after one of them
ends where the next begins, and nothing on or after the anchor is ever seen. ``docs/value-models.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.datasets import Dataset
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import VALUE_HISTORIES
from include.engines import Engine

QUERIES = Path(__file__).parent / "sql" / "query"
HORIZONS = (180, 90)  # the longest of which the past holds two, after as long a history
MOST_WINDOWS = 3
SAMPLE_CUSTOMERS = 200_000
KNOWN_SHARE = 0.8  # of net sales that must carry a margin before the firm's own is used
_BUCKETS = 65_536

Files = Mapping[Dataset, Sequence[Path]]


def cutoffs_of(anchor: date, first_day: date) -> tuple[tuple[date, ...], int]:
    """Cutoffs, oldest first and the anchor last, and the days between them (0 with the anchor alone)."""
    past = (anchor - first_day).days
    for horizon in HORIZONS:
        windows = min(past // horizon - 1, MOST_WINDOWS)
        if windows >= 2 or (windows == 1 and horizon == HORIZONS[-1]):
            return tuple(anchor - timedelta(days=horizon * n) for n in range(windows, -1, -1)), horizon
    return (anchor,), 0


def stack(
    engine: Engine, files: Files, *, anchor: date, firm: Any, params: Mapping[str, object], scratch: Path
) -> Iterator[pa.RecordBatch]:
    """Rows of value_histories for one anchor."""
    del firm
    (span,) = _run(engine, "churn_span", files, {"as_of": anchor}).to_pylist()
    if span["first_day"] is None:
        return
    share = SAMPLE_CUSTOMERS / max(span["customers"], 1)
    below = "g" if share >= 1 else f"{int(share * _BUCKETS):04x}"
    days = _sample(engine, files, {"as_of": anchor, "below": below}, scratch)
    margin = _margin_share(_run(engine, "value_margin", files, {"as_of": anchor}))
    cutoffs, horizon = cutoffs_of(anchor, span["first_day"])
    for cutoff in cutoffs:
        summary = _run(engine, "customer_summary", days, {**params, "as_of": cutoff})
        span_of = {"as_of": cutoff, "until": anchor if not horizon else cutoff + timedelta(days=horizon)}
        after = None if cutoff == anchor else _run(engine, "value_holdout", days, span_of)
        yield from _rows(summary, after, cutoff=cutoff, horizon_days=horizon, margin=margin)


def _rows(
    summary: pa.Table, after: pa.Table | None, *, cutoff: date, horizon_days: int, margin: float | None
) -> Iterator[pa.RecordBatch]:
    rows = summary.num_rows
    columns = {name: summary[name] for name in CUSTOMER_SUMMARY.schema.names}
    if after is None:
        horizon_days = 0
        columns["holdout_orders"] = columns["holdout_spend"] = pa.chunked_array([pa.nulls(rows)])
    else:
        at = pc.index_in(summary["customer_id"], value_set=after["customer_id"].combine_chunks())
        columns["holdout_orders"] = pc.fill_null(after["holdout_orders"].take(at).cast(pa.int64()), 0)
        columns["holdout_spend"] = pc.fill_null(after["holdout_spend"].take(at), 0)
    columns["cutoff"] = pa.chunked_array([pa.repeat(pa.scalar(cutoff, pa.date32()), rows)])
    columns["horizon_days"] = pa.chunked_array([pa.repeat(pa.scalar(horizon_days, pa.int32()), rows)])
    columns["firm_margin_share"] = pa.chunked_array([pa.repeat(pa.scalar(margin, pa.float64()), rows)])
    table = pa.table({name: columns[name] for name in VALUE_HISTORIES.schema.names})
    for batch in table.combine_chunks().to_batches(max_chunksize=65_536):
        yield VALUE_HISTORIES.conform(batch)


def _margin_share(found: pa.Table) -> float | None:
    (row,) = found.to_pylist()
    net, known, margin = (row[name] or 0.0 for name in ("net_amount", "known_amount", "margin_amount"))
    if known <= 0 or known < KNOWN_SHARE * net or not 0 < margin <= known:
        return None
    return float(margin / known)


def _sample(engine: Engine, files: Files, params: Mapping[str, object], scratch: Path) -> Files:
    """The days before the anchor of customers whose hash lies below a bound."""
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "value_customer_days.parquet"
    sql = (QUERIES / "sample_customer_days.sql").read_text(encoding="utf-8")
    with pq.ParquetWriter(path, CUSTOMER_DAYS.schema) as writer:
        for batch in engine.query(sql, [(CUSTOMER_DAYS, files[CUSTOMER_DAYS])], params):
            writer.write_batch(CUSTOMER_DAYS.conform(batch))
    return {CUSTOMER_DAYS: [path], TRANSACTIONS: []}


def _run(engine: Engine, query: str, files: Files, params: Mapping[str, object]) -> pa.Table:
    sql = (QUERIES / f"{query}.sql").read_text(encoding="utf-8")
    return pa.Table.from_batches(list(engine.query(sql, list(files.items()), params)))
