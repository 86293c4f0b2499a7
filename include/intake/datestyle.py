"""Decide the order of day, month and year of a column by all of its values and by what is possible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from include.intake.answer import Asks, Findings, Question
from include.intake.dates import Parts, parts_of

ENOUGH_TEXTS = 5
ENOUGH = 0.98  # of the values must be days under an order
MEANINGS = {
    "dmy": "day first: {0} is {1}",
    "mdy": "month first: {0} is {1}",
    "ymd": "year first: {0} is {1}",
}


@dataclass(frozen=True)
class Decision:
    """The order of a column, and the reason."""

    order: str
    why: str


def decide(
    column: str, values: pa.Array, parts: Parts, wanted: str | None, others: list[Parts], findings: Findings
) -> Decision:
    """The only order in which the values are valid days; Asks if two orders give different days."""
    if wanted:
        numeric = parts.valid & ~parts.fixed & ~parts.named & ~parts.is_ready
        if wanted != "ymd" and numeric.any() and _is_swapped(parts, numeric):
            swap = parts.fixed & parts.valid
            parts.b[swap], parts.c[swap] = parts.c[swap], parts.b[swap]
        return Decision(wanted, "--date-order")
    need = parts.valid & ~parts.fixed & ~parts.named & ~parts.is_ready
    if not need.any():
        return Decision("dmy", "the format itself")
    left, why = _possible(parts, need)
    if _is_swapped(parts, need):
        raise _swapped(column, values, parts)
    if len(left) > 1:
        for other in others:
            theirs = other.valid & ~other.fixed & ~other.named & ~other.is_ready
            if theirs.any():
                agreed, _ = _possible(other, theirs)
                if len(agreed) == 1 and agreed[0] in left:
                    findings.note("date_order", column=column, order=agreed[0])
                    return Decision(agreed[0], "another column")
    if not left:
        best = max(("dmy", "mdy", "ymd"), key=lambda order: int((~np.isnat(parts.day(order)[need])).sum()))
        good = float((~np.isnat(parts.day(best)[need])).mean())
        if good >= ENOUGH:
            findings.warn("mixed_dates", column=column, share=1 - good, order=best)
            return Decision(best, why)
        orders: tuple[str, ...] = ("dmy", "mdy")
        text = f"column {column}: some values have a number above 12 first, others second"
    elif len(left) == 1:
        return Decision(left[0], why)
    else:
        orders = left
        text = f"column {column}: no value shows whether day or month comes first"
    days = {order: parts.day(order) for order in orders}
    shown = np.flatnonzero(need & (days[orders[0]] != days[orders[1]]))
    at = int(shown[0]) if len(shown) else int(np.flatnonzero(need)[0])
    example = values[at].as_py()
    raise Asks(
        Question(
            "date_order",
            text,
            column,
            {order: MEANINGS[order].format(example, days[order][at]) for order in orders},
            "--date-order",
        )
    )


def _is_swapped(parts: Parts, need: np.ndarray) -> bool:
    """Whether a spreadsheet converted some days in the wrong order.

    A spreadsheet of another locale converts 05/03 to a date, with day and month swapped, and leaves 25/03 as
    text. So all dates have days up to 12, and all texts have a first or second number above 12.
    """
    fixed = parts.fixed & parts.valid & ~parts.is_ready
    if need.sum() < ENOUGH_TEXTS or fixed.sum() < ENOUGH_TEXTS:
        return False
    apart = np.maximum(parts.a, parts.b)[need] > 12
    return bool(apart.all() and (parts.c[fixed] <= 12).all() and not parts.wide_a[need].any())


def _swapped(column: str, values: pa.Array, parts: Parts) -> Asks:
    fixed = parts.fixed & parts.valid & ~parts.is_ready
    order = "dmy" if (parts.a > 12)[~fixed & parts.valid].any() else "mdy"
    at = int(np.flatnonzero(fixed & (parts.b != parts.c))[0]) if (parts.b != parts.c)[fixed].any() else 0
    year, month, day = int(parts.a[at]), int(parts.b[at]), int(parts.c[at])
    return Asks(
        Question(
            "date_order",
            f"column {column}: {int(fixed.sum())} cells are dates up to day 12, all others are text: a "
            "spreadsheet probably swapped their day and month",
            column,
            {
                order: f"swap them back: {values[at].as_py()} is {year}-{day:02}-{month:02}",
                "ymd": f"as stored: {values[at].as_py()} is {year}-{month:02}-{day:02}",
            },
            "--date-order",
        )
    )


def _possible(parts: Parts, need: np.ndarray) -> tuple[tuple[str, ...], str]:
    """The orders in which all values are valid days, except those that other facts exclude."""
    short = bool((~parts.wide_c[need]).any())
    orders = ("dmy", "mdy", "ymd") if short else ("dmy", "mdy")
    days = {order: parts.day(order)[need] for order in orders}
    left = [order for order in orders if not np.isnat(days[order]).any()]
    why = "all values"
    if len(left) > 1:
        tomorrow = np.datetime64(datetime.now(UTC).date()) + np.timedelta64(1, "D")
        ahead = {order: float((days[order] > tomorrow).mean()) for order in left}
        past = [order for order in left if ahead[order] == 0]
        if past and any(ahead[order] >= 0.01 for order in left):
            left, why = [o for o in left if ahead[o] < 0.01], "the others lie in the future"
    if len(left) > 1 and "ymd" in left:
        # To separate dd-mm-yy from yy-mm-dd: days have many values, years few.
        first, last = len(np.unique(parts.a[need])), len(np.unique(parts.c[need]))
        if first >= 12 and first >= 4 * last:
            left = [order for order in left if order != "ymd"]
        elif last >= 12 and last >= 4 * first:
            left = ["ymd"]
        why = "the day takes many values, the year few"
    if len(left) > 1 and all(np.array_equal(days[left[0]], days[order]) for order in left[1:]):
        left = left[:1]
    return tuple(left), why


def date_share(values: pa.Array) -> float:
    """The share of values that are written dates; serials and epochs do not count."""
    if not len(values):
        return 0.0
    return float(parts_of(values, serials=False).valid.mean())
