"""RFM: quantile scores of recency, frequency and monetary value, in which equal customers score equally.

A value's percentile is the share of customers with a worse value plus half of those with the same
one (the mid-rank). Its score is one more than the number of the firm's quantiles that the percentile
exceeds; with quintiles that is clip(ceil(5 * percentile / 100), 1, 5).
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models import segments

METRICS = {"recency": "days_since_last_order", "frequency": "window_orders", "monetary": "window_spend"}
_SCALE = 10_000  # money and counts are compared as exact integers: the fourth decimal


class Cuts(NamedTuple):
    """One metric's runs of values: lowest value of each, with the score and percentile they share."""

    lowest: np.ndarray  # (runs,) int64, in ten-thousandths
    score: np.ndarray  # (runs,) int8; 0 stands for no score
    percentile: np.ndarray  # (runs,) float64; nan stands for none


class Params(NamedTuple):
    """What ``predict`` needs: cuts by metric and the segment of each cell."""

    cuts: dict[str, Cuts]
    segment_of: dict[tuple[int, ...], str]


def fit(values: pa.Table, *, firm: Any, as_of: date) -> pa.Table:
    """Runs of values that share a score and a percentile (to .01): at most 10,001 rows a metric.

    ``values`` is rfm_values. Below ``firm.rfm.min_customers`` customers, scores and percentiles are
    null: a quintile of a handful says nothing.
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


def status(cuts: pa.Table, *, firm: Any) -> tuple[bool, str]:
    """Whether the firm can be scored, and why not."""
    if cuts.num_rows == 0:
        return False, "no customer has bought before as_of, so there is nobody to score"
    if cuts["score"].null_count:
        return False, (
            f"fewer than {firm.rfm.min_customers} customers, so quintiles would rank a handful; "
            "counts and spend are given, scores and segments are not"
        )
    return True, "scores by quantile of each distinct value"


def prepare(cuts: pa.Table, decision_table: pa.Table, *, firm: Any, as_of: date) -> Params:
    """Look-up arrays from the fitted cuts and the firm's decision table."""
    del as_of, firm
    by_metric = {}
    for metric in METRICS:
        one = cuts.filter(pc.equal(cuts["metric"], metric)).sort_by("lowest_value")
        by_metric[metric] = Cuts(
            lowest=_ten_thousandths(one["lowest_value"]),
            score=one["score"].fill_null(0).to_numpy().astype(np.int8),
            percentile=one["percentile"].cast(pa.float64()).fill_null(np.nan).to_numpy(),
        )
    rules = [
        segments.Segment(
            segment_code=row["segment_code"],
            segment_name=row["segment_name"],
            cells=tuple(box for box in row["cells"].split("; ") if box),
            retention_priority=row["retention_priority"],
            value_tier=row["value_tier"],
            segment_description=row["segment_description"],
            target_marketing_strategy=row["target_marketing_strategy"],
        )
        for row in decision_table.to_pylist()
        if row["segment_code"] != segments.UNSCORED
    ]
    return Params(cuts=by_metric, segment_of=segments.cells_of(rules))


def predict(batch: pa.RecordBatch, params: Params, *, firm: Any, as_of: date) -> pa.RecordBatch:
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
    codes = (scores[0].astype(np.int64) * 100 + scores[1].astype(np.int64) * 10 + scores[2]).tolist()
    segment_of: dict[int, str] = {r * 100 + f * 10 + m: code for (r, f, m), code in params.segment_of.items()}
    columns["rfm_score"] = pa.array([str(c) if c in segment_of else None for c in codes], pa.string())
    columns["segment_code"] = pa.array([segment_of.get(c, segments.UNSCORED) for c in codes], pa.string())
    columns["activity_status"] = _status_of(batch, firm)
    return pa.RecordBatch.from_pydict(columns)


def _eligible(batch: pa.RecordBatch, firm: Any) -> np.ndarray:
    """Customers at or above the firm's minimum spend and orders; a minimum of 0 is none."""
    spend = _ten_thousandths(batch.column("total_spend"))
    orders = batch.column("order_count").to_numpy()
    enough = (spend >= round(firm.min_spend * _SCALE)) | (firm.min_spend == 0)
    eligible: np.ndarray = enough & (orders >= firm.min_orders)
    return eligible


def _status_of(batch: pa.RecordBatch, firm: Any) -> pa.Array:
    """New: first order within ``new_days``. Else by days since the last order: Active, At risk, Passive."""
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
    """Decimals or counts as exact integers of a ten-thousandth."""
    if pa.types.is_integer(values.type):
        counts: np.ndarray = values.cast(pa.int64()).to_numpy() * _SCALE
        return counts
    scaled = pc.multiply(values, pa.scalar(_SCALE, pa.decimal128(5, 0)))
    array: np.ndarray = scaled.cast(pa.decimal128(38, 0), safe=False).cast(pa.int64()).to_numpy()
    return array
