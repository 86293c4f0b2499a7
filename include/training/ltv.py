"""Value training rows: customer_summary at past cutoffs, with the spend that follows.

The anchor (training date) is the last cutoff. Earlier cutoffs are a quarter of a year apart, up to three
years back, each with the horizons that ended by the anchor. So windows overlap; the number of customers is
limited such that all rows stay below ``MOST_ROWS``. Nothing on or after the anchor is read. See
``docs/value-models.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import LATER_DAYS, VALUE_HISTORIES
from include.engines import Engine
from include.models.firm import FirmSettings
from include.training.sampling import Files, bucket, run, sample_of, span

HORIZONS = (90, 180, 365)  # days; 180 is the main one where the history allows
YEARS = 3
AHEAD = (
    90,
    180,
    270,
    365,
)  # days from a cutoff to the anchor in the first year, and the same in each year before
LEAST_HISTORY = {90: 90, 180: 180, 365: 180}  # days before the first cutoff of a horizon
MOST_ROWS = 1_000_000
SAMPLE_CUSTOMERS = 200_000
KNOWN_SHARE = 0.8  # minimum share of net sales with a known margin to use the source's margin


def windows_of(anchor: date, first_day: date) -> list[tuple[date, tuple[int, ...]]]:
    """Cutoffs, oldest first, with the horizons that end by the anchor; the anchor is last and has none.

    Cutoffs are about a quarter of a year apart, so windows of 180 and 365 days overlap, and the same window
    of earlier years is among them.
    """
    found: list[tuple[date, tuple[int, ...]]] = [(anchor, ())]
    for ahead in (365 * year + days for year in range(YEARS) for days in AHEAD):
        cutoff = anchor - timedelta(days=ahead)
        past = (cutoff - first_day).days
        horizons = tuple(days for days in HORIZONS if days <= ahead and past >= LEAST_HISTORY[days])
        if horizons:
            found.append((cutoff, horizons))
    return found[::-1]


def stack(
    engine: Engine,
    files: Files,
    *,
    anchor: date,
    firm: FirmSettings,
    params: Mapping[str, object],
    scratch: Path,
) -> Iterator[pa.RecordBatch]:
    """Rows of value_histories for one anchor: one per cutoff, horizon and sampled customer."""
    del firm
    first_day, customers = span(engine, files, anchor)
    if first_day is None:
        return
    windows = windows_of(anchor, first_day)
    copies = sum(max(len(horizons), 1) for _, horizons in windows)
    below = bucket(min(SAMPLE_CUSTOMERS, MOST_ROWS // copies), customers)
    sample = sample_of(engine, files, [CUSTOMER_DAYS], until=anchor, below=below, scratch=scratch)
    days: Files = {**sample, TRANSACTIONS: []}
    margin = _margin_share(run(engine, "value_margin", files, {"as_of": anchor}))
    for cutoff, horizons in windows:
        summary = run(engine, "customer_summary", days, {**params, "as_of": cutoff})
        for horizon in horizons:
            span_of = {"as_of": cutoff, "until": cutoff + timedelta(days=horizon)}
            after = run(engine, "value_holdout", days, span_of)
            later = [days for days in LATER_DAYS if horizon < max(HORIZONS)]
            later = [days for days in later if cutoff + timedelta(days=horizon + days) <= anchor]
            yield from _rows(summary, after, later, cutoff=cutoff, horizon_days=horizon, margin=margin)
        if not horizons:
            yield from _rows(summary, None, [], cutoff=cutoff, horizon_days=0, margin=margin)


def _rows(
    summary: pa.Table,
    after: pa.Table | None,
    later: list[int],
    *,
    cutoff: date,
    horizon_days: int,
    margin: float | None,
) -> Iterator[pa.RecordBatch]:
    rows = summary.num_rows
    columns = {name: summary[name] for name in CUSTOMER_SUMMARY.schema.names}
    columns |= {f"spend_{days}_days_later": pa.chunked_array([pa.nulls(rows)]) for days in LATER_DAYS}
    if after is None:
        horizon_days = 0
        columns["holdout_orders"] = columns["holdout_spend"] = pa.chunked_array([pa.nulls(rows)])
    else:
        at = pc.index_in(summary["customer_id"], value_set=after["customer_id"].combine_chunks())
        columns["holdout_orders"] = pc.fill_null(after["holdout_orders"].take(at).cast(pa.int64()), 0)
        for name in ("holdout_spend", *(f"spend_{days}_days_later" for days in later)):
            columns[name] = pc.fill_null(after[name].take(at), 0)
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
