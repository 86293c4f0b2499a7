"""RFM: quantile scores of recency, frequency and monetary value. Equal values get equal scores.

The percentile of a value (mid-rank) is the share of customers with a worse value plus half of those with the
same value. The score is one more than the number of the firm's quantiles that the percentile exceeds; with
quintiles: clip(ceil(5 * percentile / 100), 1, 5).
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models import floors, segments
from include.models.firm import FirmSettings

METRICS = {"recency": "days_since_last_order", "frequency": "window_orders", "monetary": "window_spend"}
_SCALE = 10_000  # money and counts are compared as integers of 1/10,000, without rounding


class Cuts(NamedTuple):
    """One metric: lowest value of each run of values that share a score and a percentile."""

    lowest: np.ndarray  # (runs,) int64, in ten-thousandths
    score: np.ndarray  # (runs,) int8; 0 means no score
    percentile: np.ndarray  # (runs,) float64; nan means no percentile


class Params(NamedTuple):
    """Parameters of ``predict``: cuts by metric, the segment of each cell, and the segments' floors."""

    cuts: dict[str, Cuts]
    segment_at: np.ndarray  # (556,) position in ``bounds`` by the scores as a number; unscored for the rest
    bounds: floors.Bounds


def fit(values: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of rfm_cuts: one per run of values with the same score and percentile, at most 10,001 per metric.

    ``values`` is rfm_values. Below ``firm.rfm.min_customers`` customers, scores and percentiles are null:
    quantiles of so few customers are not meaningful.
    """
    del as_of  # the values were taken as of it
    rows: list[dict[str, object]] = []
    for metric in METRICS:
        one = values.filter(pc.equal(values["metric"], metric)).sort_by("metric_value")
        if one.num_rows == 0:
            continue
        customers = one["customers"].to_numpy().astype(np.float64)
        worse = one["customers_worse"].to_numpy().astype(np.float64)
        total = customers.sum()
        lowest = one["metric_value"].to_pylist()
        if total < firm.rfm.min_customers:
            rows.append({"metric": metric, "lowest_value": lowest[0], "score": None, "percentile": None})
            continue
        share = (worse + customers / 2) / total
        score = 1 + sum((share > quantile).astype(np.int64) for quantile in firm.rfm.quantiles)
        percentile = np.round(100 * share, 2)
        starts = np.flatnonzero(np.r_[True, (np.diff(score) != 0) | (np.diff(percentile) != 0)])
        rows += [
            {
                "metric": metric,
                "lowest_value": lowest[i],
                "score": int(score[i]),
                "percentile": float(percentile[i]),
            }
            for i in starts
        ]
    rows.sort(key=lambda row: (row["metric"], row["lowest_value"]))
    return pa.Table.from_pylist(rows, schema=_CUTS)


_CUTS = pa.schema(
    {
        "metric": pa.string(),
        "lowest_value": pa.decimal128(18, 4),
        "score": pa.int8(),
        "percentile": pa.float64(),
    }
)


def status(cuts: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether the firm can be scored, and the reason."""
    if cuts.num_rows == 0:
        return False, "no customer has a sale before as_of, so there is no customer to score"
    if cuts["score"].null_count:
        return False, (
            f"fewer than {firm.rfm.min_customers} customers, too few for quantiles; "
            "counts and spend are given, scores and segments are null"
        )
    few = [
        f"{metric} takes {len(found)} of 5 scores"
        for metric in METRICS
        if len(found := set(cuts.filter(pc.equal(cuts["metric"], metric))["score"].to_pylist())) < 5
    ]
    note = f"; equal values share a score, so {', '.join(few)}" if few else ""
    return True, f"scores by quantile of each distinct value{note}"


def prepare(cuts: pa.Table, decision_table: pa.Table, *, firm: FirmSettings, as_of: date) -> Params:
    """Build the lookup arrays of ``predict`` from the fitted cuts and the firm's decision table."""
    del as_of, firm
    by_metric = {}
    for metric in METRICS:
        one = cuts.filter(pc.equal(cuts["metric"], metric)).sort_by("lowest_value")
        by_metric[metric] = Cuts(
            lowest=_ten_thousandths(one["lowest_value"]),
            score=one["score"].fill_null(0).to_numpy().astype(np.int8),
            percentile=one["percentile"].cast(pa.float64()).fill_null(np.nan).to_numpy(),
        )
    bounds = floors.bounds_of(decision_table)
    at = {code: i for i, code in enumerate(bounds.codes)}
    segment_at = np.full(556, at[segments.UNSCORED], dtype=np.int64)
    for code, cells in zip(
        decision_table["segment_code"].to_pylist(), decision_table["cells"].to_pylist(), strict=True
    ):
        for r, f, m in segments.cells_in(code, cells):
            segment_at[r * 100 + f * 10 + m] = at[code]
    return Params(cuts=by_metric, segment_at=segment_at, bounds=bounds)


def predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    """The batch (customer_summary) with scores, percentiles, segment and status added to its columns.

    The contract of ``rfm`` says which of the batch's columns are kept.
    """
    del as_of
    rows = batch.num_rows
    eligible = _eligible(batch, firm)
    columns = {name: batch.column(name) for name in batch.schema.names}
    scores = []
    for metric, source in METRICS.items():
        cuts = params.cuts[metric]
        found = np.searchsorted(cuts.lowest, _ten_thousandths(batch.column(source)), side="right") - 1
        known = eligible & (found >= 0) if len(cuts.lowest) else np.zeros(rows, dtype=bool)
        at = np.clip(found, 0, None)
        score = np.where(known, cuts.score[at] if len(cuts.lowest) else 0, 0).astype(np.int8)
        share = np.where(known, cuts.percentile[at] if len(cuts.lowest) else np.nan, np.nan)
        columns[f"{metric}_score"] = pa.array(score, mask=score == 0)
        columns[f"{metric}_percentile"] = pa.array(share, mask=np.isnan(share))
        scores.append(score)
    cells = scores[0].astype(np.int64) * 100 + scores[1].astype(np.int64) * 10 + scores[2]
    is_scored = np.all([score > 0 for score in scores], axis=0)
    columns["rfm_score"] = pc.if_else(pa.array(is_scored), pa.array(cells).cast(pa.string()), None)
    of_cell = params.segment_at[np.where(is_scored, cells, 0)]
    found = floors.move(
        of_cell,
        params.bounds,
        orders=batch.column("frequency").to_numpy().astype(np.int64) + 1,
        silent_days=batch.column("days_since_last_order").to_numpy().astype(np.int64),
    )
    names = pa.array(params.bounds.codes, pa.string())
    columns["segment_of_cell"] = names.take(pa.array(of_cell))
    columns["segment_code"] = names.take(pa.array(found))
    columns["activity_status"] = _status_of(batch, firm)
    return pa.RecordBatch.from_pydict(columns)


def _eligible(batch: pa.RecordBatch, firm: FirmSettings) -> np.ndarray:
    """Mask of customers at or above the firm's minimum spend and orders; 0 means no minimum."""
    spend = _ten_thousandths(batch.column("total_spend"))
    orders = batch.column("order_count").to_numpy()
    enough = (spend >= round(firm.min_spend * _SCALE)) | (firm.min_spend == 0)
    eligible: np.ndarray = enough & (orders >= firm.min_orders)
    return eligible


def _status_of(batch: pa.RecordBatch, firm: FirmSettings) -> pa.Array:
    """Status: New if the first order is within ``new_days``, else by days since the last order."""
    silent = batch.column("days_since_last_order").to_numpy()
    age = batch.column("age_days").to_numpy()
    return pa.array(
        np.select(
            [age <= firm.rfm.new_days, silent <= firm.rfm.active_days, silent <= firm.rfm.passive_days],
            ["New", "Active", "At risk"],
            default="Passive",
        ).astype(object),
        pa.string(),
    )


def _ten_thousandths(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Decimals or counts as integers in units of 1/10,000, exact."""
    if pa.types.is_integer(values.type):
        counts: np.ndarray = values.cast(pa.int64()).to_numpy() * _SCALE
        return counts
    scaled = pc.multiply(values, pa.scalar(_SCALE, pa.decimal128(5, 0)))
    array: np.ndarray = scaled.cast(pa.decimal128(38, 0), safe=False).cast(pa.int64()).to_numpy()
    return array
