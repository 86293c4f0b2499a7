"""What must hold: each bar of the lane with the measured value, its error, and whether it holds.

``held`` is None for a bar that this run could not measure; ``note`` says why. A bar over several cases is
held if each case holds it, unless its text names a share of the cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.truth.cases import AUC_MARGIN, CHARITY

Record = Mapping[str, Any]
CHARITY_TOTALS = {180: 0.09, 365: 0.12}
COVERED, SHARE_COVERED, TOTALS_COVERED = (0.75, 0.85), 0.9, 0.7
WIDEST_TOTAL, LARGE, MOST_WIDER = 0.2, 5_000, 1.1
TOTALS_OF_UNSEEN = 0.12
SIMULATED = ("christmas", "grocer")
EARLIER = {
    ("charity", "2015-01-01", "churn", 365): {"auc": 0.8845, "brier": 0.1033, "ece": 0.0223},
    ("retail_transactions", "2014-09-15", "churn", 90): {"auc": 0.5609, "brier": 0.2116},
    ("charity", "2015-01-01", "value", 365): {"spearman": 0.4979, "mae": 22.6},
    ("charity", "2015-01-01", "value", 180): {"spearman": 0.2999, "mae": 11.1},
    ("retail_transactions", "2014-09-15", "value", 180): {"spearman": 0.3183, "mae": 83.9},
    ("complete_journey", "2017-12-01", "churn", 30): {"auc": 0.892, "brier": 0.095, "ece": 0.023},
    ("cdnow", "1998-04-02", "churn", 90): {"auc": 0.839, "brier": 0.089, "ece": 0.018},
}
"""Product and LightGBM figures of November 2026, by firm, day, module and horizon, that must not be lost."""
ROUNDING = {"mae": 0.05}
LOWER_IS_BETTER = ("brier", "ece", "mae")


class Bar(NamedTuple):
    """One bar. ``error`` is the standard error of ``measured``; ``cases`` lists what it was measured on."""

    bar: str
    measured: float | None
    error: float | None
    held: bool | None
    cases: Any = None
    note: str = ""


def bars(found: Sequence[Record]) -> Iterator[Bar]:
    """The bars of churn and value that the records can answer."""
    yield from _totals(found)
    yield from _spearman(found)
    yield from _churn(found)
    yield from _intervals(found)
    yield from _next_order(found)
    yield from _earlier(found)


def show(bar: Bar) -> str:
    """One bar in a line."""
    mark = {True: "held", False: "MISSED", None: "not measured"}[bar.held]
    figure = "" if bar.measured is None else f": {bar.measured:.4f}"
    error = "" if bar.error is None else f" (s.e. {bar.error:.4f})"
    return f"{mark}: {bar.bar}{figure}{error}{'; ' if bar.note else ''}{bar.note}"


def name(row: Record) -> str:
    """A record's case."""
    return f"{row['firm']} {row['as_of']} {row['module']} {row['horizon_days']}"


def _totals(found: Sequence[Record]) -> Iterator[Bar]:
    days = {day.isoformat() for day in CHARITY}
    for horizon, most in CHARITY_TOTALS.items():
        rows = [r for r in found if r["firm"] == "charity" and r["horizon_days"] == horizon]
        rows = [r for r in rows if "total_error" in r and r["as_of"] in days]
        if rows:
            errors = [abs(r["total_error"]["product"]) for r in rows]
            yield Bar(
                f"charity, mean absolute relative error of totals over {horizon} days is at most {most}",
                float(np.mean(errors)),
                float(np.std(errors) / np.sqrt(len(errors))),
                float(np.mean(errors)) <= most,
                {r["as_of"]: r["total_error"]["product"] for r in rows},
            )
    rows = [r for r in found if r["firm"] in SIMULATED and "total_error" in r]
    if rows:
        worst = max(rows, key=lambda r: abs(r["total_error"]["product"]))
        yield Bar(
            f"simulated firms, error of totals is at most {TOTALS_OF_UNSEEN}",
            abs(worst["total_error"]["product"]),
            worst["total_sampling_error"],
            abs(worst["total_error"]["product"]) <= TOTALS_OF_UNSEEN,
            {name(r): r["total_error"]["product"] for r in rows},
        )


def _spearman(found: Sequence[Record]) -> Iterator[Bar]:
    limits: dict[tuple[str, int, float], list[Record]] = {}
    for row in found:
        if "spearman_limit" in row:
            limits.setdefault((row["firm"], row["horizon_days"], row["spearman_limit"]), []).append(row)
    for (firm, days, least), rows in limits.items():
        worst = min(rows, key=lambda r: r["spearman"]["product"])
        yield Bar(
            f"{firm}, Spearman of value over {days} days is at least {least}",
            worst["spearman"]["product"],
            worst["spearman_error"],
            worst["spearman"]["product"] >= least,
            {r["as_of"]: {who: r["spearman"][who] for who in ("product", "lgb30")} for r in rows},
            "the lowest day is shown" if len(rows) > 1 else "",
        )


def _churn(found: Sequence[Record]) -> Iterator[Bar]:
    rows = [r for r in found if "auc_against_best" in r]
    if not rows:
        return
    worst = min(rows, key=lambda r: r["auc_against_best"]["high"])
    yield Bar(
        f"churn AUC is not below the best rival by more than {AUC_MARGIN}: the 95 % interval of the paired "
        f"difference reaches above -{AUC_MARGIN}",
        worst["auc_against_best"]["difference"],
        worst["auc_against_best"]["error"],
        all(r["auc_against_best"]["high"] >= -AUC_MARGIN for r in rows),
        {name(r): r["auc_against_best"] for r in rows},
        f"the least favourable case is shown: {name(worst)}",
    )
    year = [r for r in rows if r["firm"] == "charity" and r["horizon_days"] == 365]
    if year:
        excess = {r["as_of"]: r["ece_against_lgb30"] | {"product": r["ece"]["product"]} for r in year}
        missed = [
            day for day, of in excess.items() if of["product"] > 0.02 and of["difference"] > of["error"]
        ]
        mean = [of["difference"] for of in excess.values()]
        yield Bar(
            "charity, churn at 365 days: on each day ECE is at most .02 or not above lgb30's by more than "
            "one s.e. of the paired difference",
            float(np.mean(mean)),
            float(np.std(mean) / np.sqrt(len(mean))),
            not missed,
            excess,
            f"the mean difference is shown; missed on {len(missed)} of {len(excess)} days"
            + (f": {', '.join(missed)}" if missed else ""),
        )
    for most in sorted({r["most_ece"] for r in rows if r not in year}):
        of = [r for r in rows if r["most_ece"] == most and r not in year]
        worst = max(of, key=lambda r: r["ece"]["product"])
        yield Bar(
            f"churn ECE of {', '.join(sorted({r['firm'] for r in of}))} is at most {most}",
            worst["ece"]["product"],
            worst["ece_error"],
            worst["ece"]["product"] <= most,
            {name(r): r["ece"]["product"] for r in of},
            f"the highest is shown: {name(worst)}",
        )


def _intervals(found: Sequence[Record]) -> Iterator[Bar]:
    covered = {name(r): r["coverage_of_open"] for r in found if r.get("coverage_of_open") is not None}
    if covered:
        share = float(np.mean([COVERED[0] <= value <= COVERED[1] for value in covered.values()]))
        yield Bar(
            "80 % intervals of open customers cover 75 to 85 % in at least 9 of 10 firms and days",
            share,
            float(np.sqrt(share * (1 - share) / len(covered))),
            share >= SHARE_COVERED,
            covered,
        )
    wider = {
        name(r): r["mean_width"] / r["uncalibrated_width"]
        for r in found
        if r.get("uncalibrated_coverage") is not None
        and COVERED[0] <= r["uncalibrated_coverage"] <= COVERED[1]
    }
    if wider:
        most = max(wider.values())
        yield Bar(
            "where the uncalibrated interval covers 75 to 85 %, the calibrated one is at most 10 % wider",
            most,
            None,
            most <= MOST_WIDER,
            wider,
            "ratio of the mean widths; the highest is shown",
        )
    totals = [r for r in found if "total_inside" in r]
    if totals:
        share = float(np.mean([r["total_inside"] for r in totals]))
        yield Bar(
            "totals' intervals cover in at least 7 of 10",
            share,
            float(np.sqrt(share * (1 - share) / len(totals))),
            share >= TOTALS_COVERED,
            {name(r): r["total_inside"] for r in totals},
        )
    widths = {name(r): r["total_half_width"] for r in totals if r["customers"] >= LARGE}
    if widths:
        yield Bar(
            "half-width of a total's interval is at most .20 of the total from 5,000 customers on",
            max(widths.values()),
            None,
            max(widths.values()) <= WIDEST_TOTAL,
            widths,
            "the widest is shown",
        )


def _next_order(found: Sequence[Record]) -> Iterator[Bar]:
    by_firm: dict[str, list[Record]] = {}
    for row in found:
        if row.get("next_order"):
            by_firm.setdefault(row["firm"], []).append(row["next_order"])
    shares = {}
    for firm, rows in by_firm.items():
        checked = sum(row["checked"] for row in rows)
        shares[firm] = sum(row["ordered_by_median"] * row["checked"] for row in rows) / checked
    for firm, share in shares.items():
        checked = sum(row["checked"] for row in by_firm[firm])
        yield Bar(
            f"{firm}: of customers with a median next order date, 45 to 55 % order by it",
            share,
            float(np.sqrt(share * (1 - share) / checked)),
            0.45 <= share <= 0.55,
            [row["ordered_by_median"] for row in by_firm[firm]],
        )


def _earlier(found: Sequence[Record]) -> Iterator[Bar]:
    """Figures of November 2026: each at least as good now, within one standard error."""
    cases: dict[str, Any] = {}
    worst = np.inf
    for row in found:
        key = (row["firm"], row["as_of"], row["module"], row["horizon_days"])
        for metric, figure in EARLIER.get(key, {}).items():
            now, sign = row[metric]["product"], -1.0 if metric in LOWER_IS_BETTER else 1.0
            error = row.get(f"{metric}_error") or ROUNDING.get(metric)
            if error is None:
                continue
            cases[f"{name(row)} {metric}"] = {"then": figure, "now": now, "error": error}
            worst = min(worst, sign * (now - figure) / error)
    if cases:
        yield Bar(
            "no figure of November 2026 is lost by more than one s.e.",
            float(worst),
            None,
            bool(worst >= -1.0),
            cases,
            "the least favourable difference is shown, in standard errors; above 0 is better than then",
        )
