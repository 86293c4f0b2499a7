"""Lifetime value: select a model by backtest at the training date, and predict batch by batch.

``fit`` goes through the fallback levels of ``docs/value-models.md`` and stores the metrics behind its
choice. Amounts are margin: from the source where the firm's sales have one, else revenue times the setting
``ltv.margin_share``. Predictions are net of returns and discounted.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.firm import FirmSettings
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import candidates, clusters, intervals
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv import segments as ltv_segments
from include.models.ltv.artefact import ValueArtefactError
from include.models.ltv.fitting import fit
from include.models.ltv.segments import Cuts
from include.models.ltv.value_model import ValueModel, from_parts
from include.models.purchases.likelihood import Floats

MONEY = pa.decimal128(18, 4)
MAX_MONEY = 9e13
DAYS_PER_MONTH = 30.4375

__all__ = ["fit", "predict", "prepare", "status"]


class Params(NamedTuple):
    """A value model read back and verified, ready to predict."""

    model: ValueModel
    cuts: Cuts
    clusters: dict[str, Any]
    margin_source: str
    version: str


def status(model: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether the history sufficed for a backtested model, and which model is used and why."""
    del firm
    parts = ltv_artefact.read(model)
    header = parts["header"]
    reasons = [
        header["reason"],
        *intervals.coverage_message(header["coverage"]),
        *(season_message(header) if "counts" in parts else []),
        parts["clusters"]["reason"],
    ]
    return header["is_sufficient"], "; ".join(reasons)


def season_message(header: dict[str, Any]) -> list[str]:
    """Describe the season of the main horizon in one sentence; nothing for a model that has none stored."""
    if "season" not in header or not header["horizon_days"]:
        return []
    rows = header["season"].get(str(header["horizon_days"]), [])
    if not rows or rows[0]["day"]:
        return ["no season is estimated: that takes a window of the same season a year before"]
    found, years = rows[0]["spend"], len(rows[0]["spend"]["years"])
    return [
        f"season: the {header['horizon_days']} days from {header['anchor']} are expected at "
        f"{100 * np.exp(found['log_factor']):.0f} % of the model's level (standard error "
        f"{100 * found['error']:.0f} points, from {years} earlier year{'s' * (years > 1)})"
    ]


def prepare(model: pa.Table, *, firm: FirmSettings, as_of: date) -> Params:
    """Read and verify a model; ValueArtefactError if it is damaged or trained later than ``as_of``."""
    del firm
    parts = ltv_artefact.read(model)
    header = parts["header"]
    if date.fromisoformat(header["anchor"]) > as_of:
        raise ValueArtefactError(
            f"value model trained to {header['anchor']} cannot score the earlier as_of {as_of} (look-ahead)"
        )
    cuts = Cuts(value=parts["cuts"]["worth"], revenue=parts["cuts"]["revenue"])
    return Params(from_parts(parts), cuts, parts["clusters"], header["margin_source"], parts["version"])


def predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    """Rows of ltv, one per customer of the batch (customer_summary)."""
    value_model = params.model
    found = ltv_prediction.expected(
        batch, value_model, annual_discount_rate=firm.ltv.annual_discount_rate, as_of=as_of
    )
    revenue, orders, age = (
        candidates.floats(batch, name) for name in ("total_spend", "order_count", "age_days")
    )
    months = np.maximum(age / DAYS_PER_MONTH, 1.0)
    profit = value_model.margin_share * revenue
    if params.margin_source == "source":
        own = candidates.floats(batch, "total_margin")
        profit = np.where(np.isnan(own), profit, own)
    percentile = ltv_segments.percentiles(
        ltv_prediction.basis(found, revenue, value_model), params.cuts.value
    )
    level, code = ltv_segments.tiers(percentile, firm.ltv.tier_bounds)
    segment = ltv_segments.segments(
        batch,
        percentile,
        ltv_segments.percentiles(revenue, params.cuts.revenue),
        None if value_model.counts is None else found.alive,
        churn_threshold_days=firm.churn_threshold_days,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        margin_percentage = np.where(revenue > 0, 100.0 * profit / revenue, np.nan)
    cluster, described = clusters.assign(batch, params.clusters)
    rows = batch.num_rows
    return pa.RecordBatch.from_pydict(
        {
            "customer_id": batch.column("customer_id"),
            "tenure_days": batch.column("age_days"),
            "tenure_months": pa.array((age // DAYS_PER_MONTH).astype(np.int32)),
            "total_historical_revenue": batch.column("total_spend"),
            "total_historical_orders": batch.column("order_count"),
            "total_historical_profit": _money(profit),
            "avg_order_value": batch.column("avg_order_value"),
            "avg_orders_per_month": pa.array(orders / months),
            "avg_margin_percentage": _known(margin_percentage),
            "avg_monthly_revenue": _money(revenue / months),
            "historical_clv": _money(profit),
            "expected_orders_1_year": _known(found.orders),
            "probability_alive": _known(found.alive),
            **{f"predicted_clv_{name}": _money(values) for name, values in found.values.items()},
            "predicted_clv_1_year_low": _money(found.low),
            "predicted_clv_1_year_high": _money(found.high),
            "clv_confidence_score": _known(found.confidence),
            "expected_next_order_date": _days_ahead(found.next_order_days, as_of),
            "clv_segment": pa.array(segment.tolist(), pa.string()),
            "tier_code": pa.array(code.tolist(), pa.string()),
            "tier_level": pa.array(level),
            "value_percentile": pa.array(percentile),
            "lifecycle_stage": pa.array(
                ltv_segments.stages(batch, churn_threshold_days=firm.churn_threshold_days).tolist(),
                pa.string(),
            ),
            "cluster_code": cluster,
            "cluster_description": described,
            **_spends(found, value_model, rows),
            **{f"expected_spend_{days}_days": _money(values) for days, values in found.shorter.items()},
            "margin_source": pa.repeat(pa.scalar(params.margin_source), rows),
            "method": pa.repeat(pa.scalar(value_model.method), rows),
            "model_version": pa.repeat(pa.scalar(params.version), rows),
        }
    )


def _spends(found: ltv_prediction.Expected, value_model: ValueModel, rows: int) -> dict[str, pa.Array]:
    """Columns that the scorecard compares with actual spend: expected spend and the interval's parts."""

    def same(value: float | None, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), rows)

    parameter_ses = value_model.parameter_ses if value_model.has_intervals else {}
    return {
        "spend_horizon_days": same(value_model.horizon_days or None, pa.int32()),
        "total_reach": same(value_model.interval_z if parameter_ses else None, pa.float64()),
        **{
            f"{what}_{name}": array
            for name in ("1_year", "horizon")
            for what, array in (
                ("expected_spend", _money(found.spend[name])),
                ("spend_deviation", _known(found.deviation[name])),
                ("total_doubt", same(parameter_ses.get(name), pa.float64())),
            )
        },
    }


def _known(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _money(values: Floats) -> pa.Array:
    return _known(np.clip(np.round(values, 4), -MAX_MONEY, MAX_MONEY)).cast(MONEY)


def _days_ahead(days: Floats, as_of: date) -> pa.Array:
    first = (as_of - date(1970, 1, 1)) // timedelta(days=1)
    whole = np.where(np.isnan(days), 0.0, np.rint(days)).astype(np.int32) + np.int32(first)
    return pc.cast(pa.array(whole, pa.int32(), mask=np.isnan(days)), pa.date32())
