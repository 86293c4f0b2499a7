"""Leakage check: a column that the source changes after the fact, such as the channel of a closed account.

Features of a past cutoff are computed from what the source holds today. A value that is written into old
orders when a customer leaves therefore marks, at past cutoffs, those who left after them; at the training
date hardly any active customer has it yet. No comparison of past windows shows this, so past cutoffs are
compared with the training date. Both sides are customers with a recent order: no longer ago than the churn
threshold, or than their own usual gap.

For each factor, customers are marked if its features raise their log-odds of churn by one of ``RAISES``
(TreeSHAP). A factor fails if marked customers were frequent at the last cutoff and mostly churned, and if on
the training date they are at most ``VANISHED`` times as frequent as at every past cutoff, by more than
chance.
Factors that follow from the days of orders, and sums of spend, are left out: they shift as a firm's customers
grow older.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.churn import trees
from include.models.churn.factors import code_of
from include.models.churn.leakage import Check

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHECK = "written_back"
RAISES = (1.0, 0.3)
FEWEST = 20
"""Marked customers at the last cutoff, and expected on the training date."""
SURE = 0.4
"""Least share of the way from the mean churn rate to 1."""
VANISHED = 0.6
ERRORS = 3.7
"""Standard errors of a difference of two shares; 3.7 are exceeded by chance once in 10,000 cases."""
MOST_ROWS = 2_000
MOST_WINDOWS = 3
WRITTEN = (
    "channel_habits",
    "discount_reliance",
    "low_engagement",
    "loyalty_inactive",
    "narrow_range",
    "returns",
    "service_trouble",
    "small_baskets",
)
"""Codes of factors that a source can change without changing the day or the sum of orders."""


class Marking(NamedTuple):
    """A feature that fails: shares of marked customers at the last cutoff and today, and their churn rate."""

    feature: str
    share: float
    share_now: float
    churn_rate: float


def check(
    model: trees.Trees, windows: Sequence[tuple[pa.Table, Bools]], newest: pa.Table, *, horizon_days: int
) -> Check:
    """Compare disjoint past windows, oldest first, with the customers of the training date.

    Without rows of the training date, or with one window, nothing is compared and the check passes.
    """
    codes = np.array([code_of(name) for name in model.features])
    asked = [code for code in WRITTEN if code in codes]
    found: list[Marking] = []
    if asked and len(windows) > 1:
        for is_regular in (True, False):
            kept = [_recent(rows, horizon_days, is_regular=is_regular) for rows, _ in windows[-MOST_WINDOWS:]]
            parts = [rows.take(at) for (rows, _), at in zip(windows[-MOST_WINDOWS:], kept, strict=True)]
            parts.append(newest.take(_recent(newest, horizon_days, is_regular=is_regular)))
            if min(part.num_rows for part in parts) < FEWEST:
                continue
            adds = [model.contributions(trees.matrix(part, model.features))[:, :-1] for part in parts]
            churned = windows[-1][1][kept[-1]]
            found += [
                mark
                for code in asked
                for least in RAISES
                if (mark := _marking(model.features, adds, churned, codes == code, least))
            ]
    found.sort(key=lambda mark: mark.share_now - mark.share)
    worst = max((mark.share - mark.share_now for mark in found), default=0.0)
    return Check(CHECK, worst, 0.0, not found, _message(found))


def _message(found: Sequence[Marking]) -> str:
    if not found:
        return "no factor marks customers who left later than a past cutoff, and none of today's"
    first = found[0]
    return (
        f"{first.feature} looks as if it is written after customers leave: at the last cutoff it marked "
        f"{100 * first.share:.1f} % of the customers with a recent order, of whom "
        f"{100 * first.churn_rate:.0f} % churned; today it marks {100 * first.share_now:.1f} %"
    )


def _recent(rows: pa.Table, horizon_days: int, *, is_regular: bool) -> NDArray[np.int64]:
    """Rows of customers with a recent order: by their own gap (``is_regular``), or by the threshold."""
    silent, gap = (
        trees.column_values(rows, name) for name in ("days_since_last_order", "avg_days_between_orders")
    )
    usual = np.clip(np.where(np.isnan(gap), horizon_days / 2, gap), 1.0, horizon_days)
    return np.flatnonzero(silent <= (usual if is_regular else horizon_days))[:MOST_ROWS]


def _marking(
    features: Sequence[str], adds: Sequence[Floats], churned: Bools, is_of_code: Bools, least: float
) -> Marking | None:
    """The factor, if it fails. ``adds`` are contributions: of past windows, oldest first, then of today."""
    marked = [part[:, is_of_code].sum(axis=1) >= least for part in adds]
    *shares, share_now = (float(part.mean()) for part in marked)
    last, now = marked[-2], marked[-1]
    if last.sum() < FEWEST or min(shares) * len(now) < FEWEST or share_now > VANISHED * min(shares):
        return None
    mean, rate = float(churned.mean()), float(churned[last].mean())
    before = np.concatenate(marked[-3:-1])
    error = _error(float(before.mean()), len(before), share_now, len(now))
    if rate < mean + SURE * (1.0 - mean) or float(before.mean()) - share_now < ERRORS * error:
        return None
    of_code = np.flatnonzero(is_of_code)
    most = of_code[int(np.argmax(adds[-2][last][:, of_code].sum(axis=0)))]
    return Marking(features[most], shares[-1], share_now, rate)


def _error(one: float, count: int, other: float, other_count: int) -> float:
    """Standard error of the difference of two shares, if they are equal."""
    pooled = (one * count + other * other_count) / (count + other_count)
    return float(np.sqrt(max(pooled * (1.0 - pooled), 1e-12) * (1.0 / count + 1.0 / other_count)))
