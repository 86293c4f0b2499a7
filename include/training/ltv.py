"""Value training rows: customer_summary at past cutoffs, with the spend that follows.

The anchor (training date) is the last cutoff. Earlier cutoffs are one horizon apart, so the spend window of a
cutoff ends at the next. Nothing on or after the anchor is read. See ``docs/value-models.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import VALUE_HISTORIES
from include.engines import Engine
from include.models.firm import FirmSettings
from include.training.sampling import Files, bucket, run, sample_of, span

HORIZONS = (180, 90)  # days; the longest with two windows after one horizon of history, else the last
MAX_WINDOWS = 3
SAMPLE_CUSTOMERS = 200_000
KNOWN_SHARE = 0.8  # minimum share of net sales with a known margin to use the source's margin


def cutoffs_of(anchor: date, first_day: date) -> tuple[tuple[date, ...], int]:
    """Cutoffs, oldest first, the anchor last; and the days between them (0 if there is only the anchor)."""
    past = (anchor - first_day).days
    for horizon in HORIZONS:
        windows = min(past // horizon - 1, MAX_WINDOWS)
        if windows >= 2 or (windows == 1 and horizon == HORIZONS[-1]):
            return tuple(anchor - timedelta(days=horizon * n) for n in range(windows, -1, -1)), horizon
    return (anchor,), 0


def stack(
    engine: Engine,
    files: Files,
    *,
    anchor: date,
    firm: FirmSettings,
    params: Mapping[str, object],
    scratch: Path,
) -> Iterator[pa.RecordBatch]:
    """Rows of value_histories for one anchor: one per cutoff and sampled customer."""
    del firm
    first_day, customers = span(engine, files, anchor)
    if first_day is None:
        return
    below = bucket(SAMPLE_CUSTOMERS, customers)
    sample = sample_of(engine, files, [CUSTOMER_DAYS], until=anchor, below=below, scratch=scratch)
    days: Files = {**sample, TRANSACTIONS: []}
    margin = _margin_share(run(engine, "value_margin", files, {"as_of": anchor}))
    cutoffs, horizon = cutoffs_of(anchor, first_day)
    for cutoff in cutoffs:
        summary = run(engine, "customer_summary", days, {**params, "as_of": cutoff})
        span_of = {"as_of": cutoff, "until": anchor if not horizon else cutoff + timedelta(days=horizon)}
        after = None if cutoff == anchor else run(engine, "value_holdout", days, span_of)
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
