"""Columns of the next order: chances and quartiles of its date, consistent with the churn probability."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import special

from include.models.churn import baselines
from include.models.churn.trees import column_values
from include.models.purchases import mbgnbd, next_order

Floats = NDArray[np.float64]
CHANCES = tuple(f"order_probability_{days}_days" for days in next_order.WITHIN_DAYS)
EVER = "any_order_probability"
YEAR_DAYS, NEAR_DAYS = 365, 31
LONGEST_COMPARED = 1100  # days between two cutoffs
MOST_COMPARED = 5_000
LAST_ORDERS = {
    1: "days_since_last_order",
    2: "days_since_order_2",
    3: "days_since_order_3",
    5: "days_since_order_5",
    10: "days_since_order_10",
}
DATES = ("next_order_date_25_pct", "next_order_date_50_pct", "next_order_date_75_pct")


class Fitted(NamedTuple):
    """The purchase model of the last window, and the firm's curve of the days ahead."""

    model: mbgnbd.MbgNbd
    timing: next_order.Timing


def fit(
    windows: Sequence[tuple[date, pa.Table, Floats | None]], *, anchor: date, horizon_days: int
) -> dict[str, Any] | None:
    """JSON of the fitted parts, from cutoffs, features and churn probabilities; oldest first.

    The first order after a cutoff follows from the days since the last orders at a later cutoff, or has a
    chance for each day where its day is hidden. The last rows may be those of the anchor, without
    probabilities. Of the windows up to a year long, those that start in the anchor's season count alone, if
    any.
    """
    scored = [window for window in windows if window[2] is not None]
    model = baselines.fit_next_order(scored[-1][1])
    if model is None:
        return None
    seen: list[tuple[bool, next_order.Seen]] = []
    for cutoff, whole, chance in scored:
        rows = whole.slice(0, MOST_COMPARED)
        probability = np.asarray(chance, dtype=np.float64)[:MOST_COMPARED]
        customers = next_order.hazard(
            model, *baselines.weeks(rows), none_in_horizon=probability, horizon_days=horizon_days
        )
        known = 0
        for later, after, _ in windows:
            days = (later - cutoff).days
            if not known < days <= LONGEST_COMPARED:
                continue
            at, earliest, hidden = _first_orders(rows, after, days)
            for ahead in next_order.days_within(known, days):
                ordered = chance_of_first(earliest, hidden, ahead)
                pair = next_order.Seen(float(ahead), customers.take(at), ordered)
                seen.append((_is_same_season(cutoff, anchor, ahead), pair))
            known = days
    of_season = {pair.days for is_same, pair in seen if is_same}
    kept = [pair for is_same, pair in seen if is_same or pair.days not in of_season]
    timing = next_order.fit_timing(kept, horizon_days=horizon_days)
    return {"counts": model.to_row(), "timing": timing._asdict()}


def _first_orders(rows: pa.Table, after: pa.Table, days: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Customers of both cutoffs (indices in ``rows``), their earliest known day with an order, hidden days.

    ``days`` part the cutoffs. The earliest known day counts from the first cutoff; without an order between
    the cutoffs it is infinite. Hidden are the days with an order before it: with n days between the cutoffs
    and only the k-th last of them known, n - k.
    """
    found = pc.index_in(rows["customer_id"], value_set=after["customer_id"].combine_chunks())
    at = np.flatnonzero(found.is_valid().to_numpy())
    there = after.take(found.drop_null())
    count = _column(there, "sale_day_count") - _column(rows, "sale_day_count")[at]
    earliest, hidden = np.full(len(at), np.inf), np.zeros(len(at))
    for rank, name in LAST_ORDERS.items():
        is_between = count >= rank
        earliest = np.where(is_between, days - _column(there, name), earliest)
        hidden = np.where(is_between, count - rank, hidden)
    return at, earliest, hidden


def chance_of_first(earliest: Floats, hidden: Floats, days: float) -> Floats:
    """Chance that the first order lies in the first ``days`` days, one element per customer.

    ``hidden`` orders lie on as many of the ``earliest`` days before the earliest known one; every choice of
    these days is equally likely (hypergeometric).
    """
    is_known = (hidden <= 0) | ~np.isfinite(earliest)
    before = np.where(is_known, 1.0, earliest)
    of, left = np.where(is_known, 0.0, hidden), np.maximum(before - days, 0.0)
    with np.errstate(invalid="ignore"):
        ways = special.gammaln([[left + 1], [left - of + 1], [before + 1], [before - of + 1]])[:, 0]
        none = np.where(left >= of, np.exp(ways[0] - ways[1] - ways[2] + ways[3]), 0.0)
    return np.where(is_known, earliest < days, 1.0 - none)


def _column(rows: pa.Table, name: str) -> Floats:
    return column_values(rows, name).astype(np.float64)


def _is_same_season(cutoff: date, anchor: date, days: int) -> bool:
    """Whether a window starts at most a month from the anchor's day in an earlier year; a year at most."""
    past = (anchor - cutoff).days % YEAR_DAYS
    return days <= YEAR_DAYS + 1 and min(past, YEAR_DAYS - past) <= NEAR_DAYS


def from_json(row: dict[str, Any]) -> Fitted:
    """Inverse of what ``fit`` returns."""
    timing = next_order.Timing(tuple(row["timing"]["days"]), tuple(row["timing"]["power"]))
    return Fitted(mbgnbd.MbgNbd.from_row(row["counts"]), timing)


def columns(
    rows: pa.RecordBatch,
    fitted: Fitted | None,
    probability: Floats | None,
    *,
    horizon_days: int,
    as_of: date,
) -> dict[str, pa.Array]:
    """Columns by name; null without a probability of churn or without a purchase model."""
    if fitted is None or probability is None:
        nothing = {name: pa.nulls(rows.num_rows, pa.float64()) for name in (*CHANCES, EVER)}
        return nothing | {name: pa.nulls(rows.num_rows, pa.date32()) for name in DATES}
    customers = next_order.hazard(
        fitted.model, *baselines.weeks(rows), none_in_horizon=probability, horizon_days=horizon_days
    )
    found = next_order.predict(customers, fitted.timing, horizon_days=horizon_days)
    return {
        **{name: pa.array(chance) for name, chance in zip(CHANCES, found.within.values(), strict=True)},
        EVER: pa.array(found.ever),
        **{name: _date(days, as_of) for name, days in zip(DATES, found.quartiles, strict=True)},
    }


def _date(days: Floats, as_of: date) -> pa.Array:
    """The day by whose end a chance is reached most nearly: its first ``n`` days end with as_of + n - 1."""
    epoch = (as_of - date(1970, 1, 1)) // timedelta(days=1)
    unknown = np.isnan(days)
    last = np.maximum(np.floor(np.where(unknown, 0.0, days) + 0.5) - 1.0, 0.0)
    whole = last.astype(np.int32) + np.int32(epoch)
    return pa.array(whole, pa.int32(), mask=unknown).cast(pa.date32())
