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
from include.models.ltv import backtest as ltv_backtest
from include.models.ltv import candidates, clusters, intervals
from include.models.ltv import metrics as ltv_metrics
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv import segments as ltv_segments
from include.models.ltv.artefact import ValueArtefactError
from include.models.ltv.backtest import Window
from include.models.ltv.prediction import NONE, ValueModel
from include.models.ltv.segments import Cuts
from include.models.purchases.likelihood import Floats

MONEY = pa.decimal128(18, 4)
MAX_MONEY = 9e13
DAYS_PER_MONTH = 30.4375
UNTESTED_REPEAT_BUYERS = 100
REGULARS = 30
SETTINGS = (
    "annual_discount_rate",
    "margin_share",
    "min_customers",
    "min_repeat_buyers",
)  # stored in the header


class Params(NamedTuple):
    """A value model read back and verified, ready to predict."""

    model: ValueModel
    cuts: Cuts
    clusters: dict[str, Any]
    margin_source: str
    version: str


def fit(histories: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of value_model from value_histories: one per part. ``as_of`` is the training date (anchor)."""
    windows = ltv_backtest.windows_of(histories)
    now = windows[-1].rows if windows else histories
    results, fits = ltv_backtest.run(windows)
    missing = _shortfalls(now, has_backtest=bool(results), firm=firm)
    _, counts, spends = ltv_backtest.fit(Window(as_of, 0, now))
    method, reason = _fallback_level(now, results, fits, counts, spends, missing)
    own = now["firm_margin_share"][0].as_py() if now.num_rows else None
    header: dict[str, Any] = {
        "anchor": as_of.isoformat(),
        "method": method,
        "reason": reason,
        "is_sufficient": not missing and method != NONE,
        "horizon_days": windows[0].horizon_days if windows else 0,
        "cutoffs": [window.cutoff.isoformat() for window in windows],
        "customers": now.num_rows,
        "settings": {name: getattr(firm.ltv, name) for name in SETTINGS},
        "kept_share": candidates.kept_share(now),
        "margin_share": own if own is not None else firm.ltv.margin_share,
        "margin_source": "source" if own is not None else "setting",
        "level": 1.0,
        "has_intervals": False,
        "stretch": 1.0,
        "reach": intervals.interval_z_of([]),
        "doubts": {},
        "coverage": None,
    }
    parts: dict[str, Any] = {"backtest": [_recorded(result) for result in results]}
    if counts and spends is not None and (method != candidates.NAIVE_RATE or not missing) and method != NONE:
        count_model = counts.get(method) or ltv_backtest.timing_model(counts, results)
        parts |= {"counts": count_model.to_row(), "gammagamma": spends.model.to_row()}
        header |= _intervals(now, count_model, spends.model, results, method, header["horizon_days"])
        if method == candidates.TREES:
            parts["trees"] = ltv_backtest.train(fits, count_model.model)
            header["level"] = ltv_backtest.scale_of(
                parts["trees"], count_model, spends.model, now, horizon_days=header["horizon_days"]
            )
    value_model = ltv_prediction.from_parts({**parts, "header": header})
    parts["cuts"] = _cuts_to_json(_cuts(now, value_model, firm=firm))
    parts["clusters"] = _clusters(now, firm=firm)
    header["challenger"] = ltv_metrics.challenger_of(parts["backtest"], champion=method)
    if now.num_rows and method != NONE:
        parts["reference"] = ltv_metrics.reference(now, value_model, firm=firm)
    return ltv_artefact.write({**parts, "header": header})


def _intervals(
    now: pa.Table,
    count_model: Any,
    spends: Any,
    results: list[ltv_backtest.Result],
    method: str,
    horizon_days: int,
) -> dict[str, Any]:
    """Header entries of the intervals: calibration by all past windows, and coverage out of time."""
    past = ltv_backtest.coverages(results, method, timing=count_model.model)
    spans = {"1_year": ltv_prediction.YEAR} | ({"horizon": horizon_days} if horizon_days else {})
    tested = [result for result in results if result.candidate == method and result.coverage]
    return {
        "has_intervals": not count_model.is_boundary,
        "stretch": intervals.conformal_factor_of(past),
        "reach": intervals.interval_z_of(past),
        "doubts": {
            name: intervals.parameter_se_share(now, count_model, spends, horizon_days=days)
            for name, days in spans.items()
        },
        "coverage": tested[-1].metrics if tested and not count_model.is_boundary else None,
    }


def _clusters(now: pa.Table, *, firm: FirmSettings) -> dict[str, Any]:
    if now.num_rows < firm.ltv.min_customers:
        return clusters.none(f"no clusters: {now.num_rows} of {firm.ltv.min_customers} customers")
    return clusters.fit(now, churn_threshold_days=firm.churn_threshold_days)


def _shortfalls(now: pa.Table, *, has_backtest: bool, firm: FirmSettings) -> list[str]:
    """What the history lacks for a backtest, one phrase per shortfall; empty if nothing."""
    repeat = int((candidates.floats(now, "frequency") > 0).sum()) if now.num_rows else 0
    missing = []
    if now.num_rows < firm.ltv.min_customers:
        missing.append(f"{now.num_rows} of {firm.ltv.min_customers} customers")
    if repeat < firm.ltv.min_repeat_buyers:
        missing.append(f"{repeat} of {firm.ltv.min_repeat_buyers} repeat buyers")
    if not has_backtest:
        missing.append("under 180 days of history, too short for a holdout")
    return missing


def _fallback_level(
    now: pa.Table,
    results: list[ltv_backtest.Result],
    fits: list[ltv_backtest.Fits],
    counts: dict[str, Any],
    spends: candidates.Spends | None,
    missing: list[str],
) -> tuple[str, str]:
    """Method of the first fallback level whose conditions hold, and the reason."""
    short = f"too little data for a backtest ({'; '.join(missing)})"
    frequency = candidates.floats(now, "frequency") if now.num_rows else np.zeros(0)
    if not missing and counts and spends is not None:
        champion, why = ltv_backtest.select_model(results)
        substitute = ltv_backtest.timing_model(counts, results).model
        if champion == candidates.TREES and not ltv_backtest.training_windows(fits, substitute):
            return substitute, f"{why}; no past window has spend to train trees on, {substitute} is used"
        if champion in counts or champion in (candidates.TREES, candidates.NAIVE_RATE):
            return champion, why
        return substitute, f"{why}; it does not converge at the training date, {substitute} is used"
    if counts and spends is not None and (frequency > 0).sum() >= UNTESTED_REPEAT_BUYERS:
        sound = [name for name in candidates.COUNT_MODELS if name in counts and not counts[name].is_boundary]
        method = sound[0] if sound else ltv_backtest.timing_model(counts, ()).model
        spent = "" if spends.is_personal else ", with one average order for all"
        return method, f"{method} is used without a backtest{spent}: {short}"
    if (regulars := int((frequency >= 2).sum())) >= REGULARS:
        return (
            candidates.NAIVE_RATE,
            f"naive rate of {regulars} customers with at least three purchase days: {short}",
        )
    return NONE, f"no value is predicted: {short}"


def _recorded(result: ltv_backtest.Result) -> dict[str, Any]:
    return {
        "candidate": result.candidate,
        "cutoff": result.cutoff.isoformat(),
        "horizon_days": result.horizon_days,
        "customers": len(result.losses),
        "metrics": result.metrics,
    }


def _cuts(now: pa.Table, value_model: ValueModel, *, firm: FirmSettings) -> Cuts:
    if not now.num_rows:
        return Cuts([0.0], [0.0])
    revenue = candidates.floats(now, "total_spend")
    found = ltv_prediction.expected(now, value_model, annual_discount_rate=firm.ltv.annual_discount_rate)
    return ltv_segments.cuts_of(ltv_prediction.basis(found, revenue, value_model), revenue)


def _cuts_to_json(cuts: Cuts) -> dict[str, list[float]]:
    return {"worth": cuts.value, "revenue": cuts.revenue}  # persisted names


def status(model: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether the history sufficed for a backtested model, and which model is used and why."""
    del firm
    parts = ltv_artefact.read(model)
    header = parts["header"]
    reasons = [header["reason"], *intervals.coverage_message(header["coverage"]), parts["clusters"]["reason"]]
    return header["is_sufficient"], "; ".join(reasons)


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
    return Params(
        ltv_prediction.from_parts(parts), cuts, parts["clusters"], header["margin_source"], parts["version"]
    )


def predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    """Rows of ltv, one per customer of the batch (customer_summary)."""
    value_model = params.model
    found = ltv_prediction.expected(batch, value_model, annual_discount_rate=firm.ltv.annual_discount_rate)
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
    level, code = ltv_segments.tiers(percentile)
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
