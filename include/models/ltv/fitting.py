"""Fit a value model at its training date: backtests by horizon, fallback level, seasons, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from include.models.firm import FirmSettings
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import backtest as ltv_backtest
from include.models.ltv import candidates, clusters, intervals
from include.models.ltv import metrics as ltv_metrics
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv import segments as ltv_segments
from include.models.ltv import trees as ltv_trees
from include.models.ltv import windows as ltv_windows
from include.models.ltv.backtest import Result
from include.models.ltv.prediction import NONE
from include.models.ltv.segments import Cuts
from include.models.ltv.value_model import YEAR, ValueModel, from_parts, season_to_json
from include.models.ltv.windows import Past, Window
from include.models.purchases.model import PurchaseModel

UNTESTED_REPEAT_BUYERS = 100
REGULARS = 30
MAIN_HORIZONS = ((180, 2), (90, 1))  # days, and the windows it needs; the first that has them
FEWER_WINDOWS = 1
METHOD_VERSION = 2
"""Version of the method, stored in the header; models of another version stay in use to the next anchor."""
SETTINGS = (
    "annual_discount_rate",
    "margin_share",
    "min_customers",
    "min_repeat_buyers",
)  # stored in the header


class Chosen(NamedTuple):
    """The method of the main horizon, why, and the count model for timing (None without one)."""

    method: str
    reason: str
    counts: PurchaseModel | None


def fit(histories: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of value_model from value_histories: one per part. ``as_of`` is the training date (anchor)."""
    windows = ltv_windows.windows_of(histories)
    now = windows[-1].rows if windows else histories
    past = Past(windows)
    main = main_horizon(past)
    results = {main: ltv_backtest.run(past, main)} if main else {}
    found = ltv_windows.fit(Window(as_of, 0, now))
    missing = _shortfalls(now, has_backtest=bool(results.get(main)), firm=firm)
    if not missing:
        results |= {
            days: ltv_backtest.run(past, days, most=FEWER_WINDOWS) for days in past.horizons if days != main
        }
    chosen = _fallback_level(now, results.get(main, []), past, main, found, missing, as_of)
    own = now["firm_margin_share"][0].as_py() if now.num_rows else None
    header: dict[str, Any] = {
        "anchor": as_of.isoformat(),
        "method_version": METHOD_VERSION,
        "method": chosen.method,
        "reason": chosen.reason,
        "is_sufficient": not missing and chosen.method != NONE,
        "horizon_days": main,
        "cutoffs": sorted({window.cutoff.isoformat() for window in windows}),
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
        "season": {},
        "horizons": {},
    }
    parts: dict[str, Any] = {
        "backtest": [recorded(result) for result in results.get(main, [])],
        "backtests": {
            str(days): [recorded(result) for result in of] for days, of in results.items() if days != main
        },
    }
    if chosen.counts is not None and found.spends is not None:
        parts |= {"counts": chosen.counts.to_row(), "gammagamma": found.spends.model.to_row()}
        parts["alive"] = _alive_model(chosen.counts, found.counts).to_row()
        trees, horizons = _horizons(now, past, results, chosen, main, found, as_of)
        header["horizons"] = horizons
        if trees:
            parts["trees"] = ltv_trees.pack(trees)
        header["season"] = _seasons(past, as_of, chosen.counts.model)
        header |= _intervals(now, chosen, found, results, main, header["season"])
    value_model = from_parts({**parts, "header": header})
    parts["cuts"] = _cuts_to_json(_cuts(now, value_model, firm=firm, as_of=as_of))
    parts["clusters"] = _clusters(now, firm=firm)
    header["challenger"] = ltv_metrics.challenger_of(parts["backtest"], champion=chosen.method)
    if now.num_rows and chosen.method != NONE:
        parts["reference"] = ltv_metrics.reference(now, past.windows, value_model, firm=firm, as_of=as_of)
    return ltv_artefact.write({**parts, "header": header})


def _alive_model(chosen: PurchaseModel, fitted: Mapping[str, PurchaseModel]) -> PurchaseModel:
    """The model of P(alive): under BG/NBD every one-time buyer is alive, so another model is used."""
    if chosen.model != candidates.BGNBD:
        return chosen
    others = [model for name, model in fitted.items() if name != candidates.BGNBD]
    sound = [model for model in others if not model.is_boundary] or others
    return max(sound, key=lambda model: model.log_likelihood, default=chosen)


def main_horizon(past: Past) -> int:
    """The horizon whose backtest selects the method and is shown; 0 without a window."""
    for days, fewest in MAIN_HORIZONS:
        if len(past.evaluated(days, most=fewest)) >= fewest:
            return days
    return max(past.horizons, default=0)


def _horizons(
    now: pa.Table,
    past: Past,
    results: dict[int, list[Result]],
    chosen: Chosen,
    main: int,
    found: ltv_windows.Fits,
    as_of: date,
) -> tuple[dict[int, str], dict[str, Any]]:
    """Trees by horizon, and the header's entry of each horizon: its method, why, and the trees' level."""
    trees: dict[int, str] = {}
    rows: dict[str, Any] = {}
    if chosen.counts is None or found.spends is None:
        return trees, rows
    for days in sorted({*results, main} - {0}):
        method, why = chosen.method, "the method of the main horizon"
        if days != main and any(result.candidate == method for result in results.get(days, [])):
            method, why = ltv_backtest.select_model(results[days])
        text = None
        if method == candidates.TREES:
            text = ltv_backtest.train(past, as_of, days, chosen.counts.model)
        if method == candidates.TREES and text is None:
            method, why = chosen.counts.model, f"{why}; no past window has spend to train trees on"
        level = 1.0
        if text is not None:
            trees[days] = text
            level = ltv_backtest.scale_of(text, chosen.counts, found.spends.model, now, horizon_days=days)
        rows[str(days)] = {"method": method, "reason": why, "level": level}
    return trees, rows


def _seasons(past: Past, as_of: date, kind: str) -> dict[str, Any]:
    """Season by horizon, as JSON: of windows that start at the anchor and up to three quarters later."""
    return {
        str(days): [
            {"day": day, "spend": season_to_json(spend), "orders": season_to_json(orders)}
            for day, spend, orders in ltv_windows.offsets(past, as_of, days, kind)
        ]
        for days in past.horizons
    }


def _intervals(
    now: pa.Table,
    chosen: Chosen,
    found: ltv_windows.Fits,
    results: dict[int, list[Result]],
    main: int,
    seasons: dict[str, Any],
) -> dict[str, Any]:
    """Header entries of the intervals: calibration by past windows, and coverage out of time."""
    if chosen.counts is None or found.spends is None:
        return {}
    counts, spends, method = chosen.counts, found.spends.model, chosen.method
    past = ltv_backtest.coverages(results.get(main, []), method, timing=counts.model)
    spans = {"1_year": YEAR} | ({"horizon": main} if main else {})
    se_shares = {}
    for name, days in spans.items():
        share = intervals.parameter_se_share(now, counts, spends, horizon_days=days)
        quarters = seasons.get(str(days), [])
        season = from_json_error(quarters[0]["spend"]) if quarters and not quarters[0]["day"] else 0.0
        se_shares[name] = float(np.hypot(share, season))
    conformal = intervals.conformal_of(past)
    own = ltv_backtest.coverages(results.get(YEAR, []), method, timing=counts.model)
    year = intervals.conformal_of(own) if own else conformal.scaled(YEAR / main if main else 1.0)
    tested = [r for r in results.get(main, []) if r.candidate == method and r.coverage]
    return {
        "has_intervals": bool(past) or not counts.is_boundary,
        "stretch": float(np.mean(conformal.factors)),
        "fifths": {"horizon": conformal._asdict(), "1_year": year._asdict()},
        "reach": intervals.interval_z_of(past),
        "doubts": se_shares,
        "coverage": tested[-1].metrics if tested else None,
    }


def from_json_error(row: dict[str, Any]) -> float:
    """Standard deviation of the log ratio of a window to come, from a season's JSON."""
    return float(np.hypot(row["error"], row["between"]))


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
    results: list[Result],
    past: Past,
    main: int,
    found: ltv_windows.Fits,
    missing: list[str],
    as_of: date,
) -> Chosen:
    """Method of the first fallback level whose conditions hold, the reason, and its count model."""
    short = f"too little data for a backtest ({'; '.join(missing)})"
    counts, spends = found.counts, found.spends
    frequency = candidates.floats(now, "frequency") if now.num_rows else np.zeros(0)
    if not missing and counts and spends is not None:
        champion, why = ltv_backtest.select_model(results)
        substitute = ltv_backtest.timing_model(counts, results)
        trained = past.before(as_of, main, most=ltv_backtest.MOST_TRAINED)
        if champion == candidates.TREES and not ltv_backtest.training_windows(trained, substitute.model):
            why = f"{why}; no past window has spend to train trees on, {substitute.model} is used"
            return Chosen(substitute.model, why, substitute)
        if champion in counts:
            return Chosen(champion, why, counts[champion])
        if champion in (candidates.TREES, candidates.NAIVE_RATE):
            return Chosen(champion, why, substitute)
        why = f"{why}; it does not converge at the training date, {substitute.model} is used"
        return Chosen(substitute.model, why, substitute)
    if counts and spends is not None and (frequency > 0).sum() >= UNTESTED_REPEAT_BUYERS:
        sound = [
            counts[name]
            for name in candidates.COUNT_MODELS
            if name in counts and not counts[name].is_boundary
        ]
        model = sound[0] if sound else ltv_backtest.timing_model(counts, ())
        spent = "" if spends.is_personal else ", with one average order for all"
        return Chosen(model.model, f"{model.model} is used without a backtest{spent}: {short}", model)
    if (regulars := int((frequency >= 2).sum())) >= REGULARS:
        why = f"naive rate of {regulars} customers with at least three purchase days: {short}"
        return Chosen(candidates.NAIVE_RATE, why, None)
    return Chosen(NONE, f"no value is predicted: {short}", None)


def recorded(result: Result) -> dict[str, Any]:
    """One result as stored in the artefact."""
    return {
        "candidate": result.candidate,
        "cutoff": result.cutoff.isoformat(),
        "horizon_days": result.horizon_days,
        "customers": len(result.losses),
        "metrics": result.metrics,
    }


def _cuts(now: pa.Table, value_model: ValueModel, *, firm: FirmSettings, as_of: date) -> Cuts:
    if not now.num_rows:
        return Cuts([0.0], [0.0])
    revenue = candidates.floats(now, "total_spend")
    found = ltv_prediction.expected(
        now, value_model, annual_discount_rate=firm.ltv.annual_discount_rate, as_of=as_of
    )
    return ltv_segments.cuts_of(ltv_prediction.basis(found, revenue, value_model), revenue)


def _cuts_to_json(cuts: Cuts) -> dict[str, list[float]]:
    return {"worth": cuts.value, "revenue": cuts.revenue}  # persisted names
