"""Score one case with the product and its rivals, and compare both with what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.rivals import lgb30, purchases, recency
from bench.rivals.sales import Sales, number
from bench.sales import Files
from bench.truth import metrics, product
from bench.truth.cases import AUC_MARGIN, ZONES, Case
from bench.truth.metrics import Floats
from include.models.ltv import intervals

MODULES = ("churn", "value")
MEDIAN = "next_order_date_50_pct"
SPEND_COLUMNS = {365: "1_year"}
RIVALS_OF_VALUE: dict[str, Callable[..., Floats | None]] = {
    "lgb30": lgb30.value,
    **{name: lambda s, name=name, **of: purchases.value(name, s, **of) for name in purchases.MODELS},
}
RIVALS_OF_CHURN: dict[str, Callable[..., Floats | None]] = {
    "lgb30": lgb30.churn,
    **{name: lambda s, name=name, **of: purchases.churn(name, s, **of) for name in purchases.MODELS},
    "recency": recency.churn,
}


def case(
    case: Case, files: Files, sales: Sales, folder: Path, modules: Sequence[str] = MODULES
) -> list[dict[str, Any]]:
    """One record per prediction of the case: churn, and value by horizon."""
    known = sales.known(case.as_of)
    firm = product.firm_of(
        case.firm,
        churn_threshold_days=case.churn_days or case.value_days[0],
        timezone=ZONES.get(case.firm, "UTC"),
    )
    day = {"as_of": case.as_of, "every_months": case.every_months, "folder": folder}
    found = []
    if case.churn_days and "churn" in modules:
        churned = product.churn_of(files, firm, **day)
        happened = (sales.between(case.as_of, case.churn_days).orders_of()[known] == 0).astype(float)
        found.append(_churn(case, churned, happened, sales))
        found[-1] |= _next_order(case, churned.rows, sales)
    if case.value_days and "value" in modules:
        valued = product.value_of(files, firm, **day)
        found += [_value(case, valued, days, sales) for days in case.value_days]
    return found


def _churn(case: Case, scored: product.Scored, happened: Floats, sales: Sales) -> dict[str, Any]:
    ours = column(scored.rows, "churn_probability")
    rivals = _answers(RIVALS_OF_CHURN, sales, case, case.churn_days)
    record = _head(case, "churn", case.churn_days, scored, happened)
    if np.isnan(ours).any():
        return record | {"method": "rules"}
    every = {"product": ours, **rivals}
    best = max(rivals, key=lambda name: metrics.churn_auc(rivals[name], happened))
    ece_of_best = metrics.ece(rivals["lgb30"], happened)
    ece = metrics.ece(ours, happened)
    gap = metrics.difference(metrics.churn_auc, ours, rivals[best], happened)
    calibration = metrics.difference(metrics.ece, ours, rivals["lgb30"], happened)
    return record | {
        "auc": {name: metrics.churn_auc(p, happened) for name, p in every.items()},
        "brier": {name: metrics.brier(p, happened) for name, p in every.items()},
        "ece": {name: metrics.ece(p, happened) for name, p in every.items()},
        **{
            f"{name}_error": metrics.error(measured, ours, happened)
            for name, measured in (
                ("auc", metrics.churn_auc),
                ("brier", metrics.brier),
                ("ece", metrics.ece),
            )
        },
        "auc_against_best": {"rival": best, **gap},
        "ece_against_lgb30": calibration,
        "most_ece": case.most_ece,
        "bars": {
            f"auc not below the best rival by more than {AUC_MARGIN}": gap["high"] >= -AUC_MARGIN,
            f"ece at most {case.most_ece}, or within one s.e. of lgb30": ece <= case.most_ece
            or ece - ece_of_best <= calibration["error"],
        },
    }


def _value(case: Case, scored: product.Scored, days: int, sales: Sales) -> dict[str, Any]:
    known = sales.known(case.as_of)
    happened = sales.between(case.as_of, days).spend_of()[known]
    span = SPEND_COLUMNS.get(days, "horizon")
    record = _head(case, "value", days, scored, happened)
    is_main = span == "1_year" or scored.rows["spend_horizon_days"][0].as_py() == days
    ours = column(scored.rows, f"expected_spend_{span if is_main else f'{days}_days'}")
    rivals = _answers(RIVALS_OF_VALUE, sales, case, days)
    every = {"product": ours, **rivals}
    rank = metrics.spearman(ours, happened)
    record |= {
        "spearman": {name: metrics.spearman(p, happened) for name, p in every.items()},
        "spearman_error": metrics.error(metrics.spearman, ours, happened),
        "mae": {name: float(np.abs(p - happened).mean()) for name, p in every.items()},
        "total_error": {name: metrics.total_error(p, happened) for name, p in every.items()},
        "total_realised": float(happened.sum()),
        "total_sampling_error": metrics.error(lambda p, h: h.sum() / len(h), ours, happened)
        / float(happened.mean()),
        "bars": {},
    }
    if days in case.spearman:
        record["spearman_limit"] = case.spearman[days]
        record["bars"][f"spearman at least {case.spearman[days]}"] = rank >= case.spearman[days]
    return record | (_intervals(scored, ours, happened, span, days) if is_main else {})


def _intervals(
    scored: product.Scored, ours: Floats, happened: Floats, span: str, days: int
) -> dict[str, Any]:
    """Coverage of the total's interval; over a year of the customers' intervals too, and their width."""
    rows = scored.rows
    reach, doubt = column(rows, "total_reach")[0], column(rows, f"total_doubt_{span}")[0]
    if np.isnan(reach):
        return {}
    half = reach * np.sqrt(np.sum(column(rows, f"spend_deviation_{span}") ** 2) + (doubt * ours.sum()) ** 2)
    found: dict[str, Any] = {
        "total_half_width": float(half / happened.sum()),
        "total_inside": bool(abs(happened.sum() - ours.sum()) <= half),
    }
    if days != 365:
        return found
    coverage, width, open_customers = _coverage(rows, happened)
    plain = (None, None, 0) if scored.uncalibrated is None else _coverage(scored.uncalibrated, happened)
    return found | {
        "level": intervals.LEVEL,
        "open_customers": open_customers,
        "coverage_of_open": coverage,
        "mean_width": width,
        "uncalibrated_coverage": plain[0],
        "uncalibrated_width": plain[1],
    }


def _coverage(rows: pa.Table, happened: Floats) -> tuple[float | None, float | None, int]:
    """Coverage and mean width of a year's intervals of customers with ``high`` > 0, and their number."""
    low, high = (column(rows, f"predicted_clv_1_year_{end}") for end in ("low", "high"))
    is_open = high > 0
    if not is_open.any():
        return None, None, 0
    spent = np.maximum(happened, 0.0)
    inside = (low - 0.01 <= spent) & (spent <= high + 0.01)  # money is rounded
    return float(inside[is_open].mean()), float((high - low)[is_open].mean()), int(is_open.sum())


def _next_order(case: Case, rows: pa.Table, sales: Sales) -> dict[str, Any]:
    """Share of customers with a median date who order by it; dates past the data are left out."""
    known = sales.known(case.as_of)
    dates = rows[MEDIAN].cast(pa.int32()).to_numpy(zero_copy_only=False).astype(float)
    after = sales.between(case.as_of, 36_500).sale_days()
    first = np.full(len(sales.ids), np.inf)
    np.minimum.at(first, after.customer, after.day)
    seen = np.isfinite(dates) & (dates <= sales.day.max())
    if not seen.any():
        return {}
    return {
        "next_order": {
            "customers": int(np.isfinite(dates).sum()),
            "checked": int(seen.sum()),
            "ordered_by_median": float((first[known][seen] <= dates[seen]).mean()),
            "median_days": float(np.median(dates[seen]) - number(case.as_of)),
        }
    }


def _answers(
    rivals: dict[str, Callable[..., Floats | None]], sales: Sales, case: Case, days: int
) -> dict[str, Floats]:
    past = sales.before(case.as_of)
    found = {name: rival(past, as_of=case.as_of, horizon_days=days) for name, rival in rivals.items()}
    return {name: predicted for name, predicted in found.items() if predicted is not None}


def _head(case: Case, module: str, days: int, scored: product.Scored, happened: Floats) -> dict[str, Any]:
    return {
        "firm": case.firm,
        "as_of": case.as_of.isoformat(),
        "module": module,
        "horizon_days": days,
        "ends": (case.as_of + timedelta(days=days)).isoformat(),
        "customers": len(happened),
        "mean": float(happened.mean()),
        "method": scored.rows["method"][0].as_py(),
        "cpu_seconds": scored.seconds,
    }


def column(rows: pa.Table, name: str) -> Floats:
    """A column as floats; null becomes nan."""
    return rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
