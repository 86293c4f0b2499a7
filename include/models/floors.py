"""Floors of segments: what a customer must have done for the segment's name to be true of it.

A floor is in purchase days and in the firm's usual gap: the median over repeat customers of their mean days
between orders. Silence is days since the last order. ``lately`` is up to two usual gaps, ``long`` is more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models.firm import FirmSettings

MIN_REPEAT_CUSTOMERS = 10  # below this the median gap is an accident of a few customers

Ints = NDArray[np.int64]


class Floor(NamedTuple):
    """Fewest purchase days; silence of more than ``min_gaps`` and at most ``max_gaps`` usual gaps."""

    min_orders: int = 1
    min_gaps: float | None = None
    max_gaps: float | None = None

    def checked(self) -> Floor:
        """The floor itself; ValueError if no customer can meet it."""
        if not isinstance(self.min_orders, int) or self.min_orders < 1:
            raise ValueError(f"min_orders must be a whole number of 1 or more, not {self.min_orders!r}")
        for name, gaps in (("min_gaps", self.min_gaps), ("max_gaps", self.max_gaps)):
            if gaps is not None and not (isinstance(gaps, int | float) and 0 < gaps < 1000):
                raise ValueError(f"{name} must be a number of usual gaps between 0 and 1000, not {gaps!r}")
        if self.min_gaps is not None and self.max_gaps is not None and self.min_gaps >= self.max_gaps:
            raise ValueError("min_gaps must be less than max_gaps")
        return self

    def accepts(self, *, orders: int, gaps: float) -> bool:
        """Whether a customer with so many purchase days, silent for so many usual gaps, meets it."""
        return (
            orders >= self.min_orders
            and (self.min_gaps is None or gaps > self.min_gaps)
            and (self.max_gaps is None or gaps <= self.max_gaps)
        )

    def days(self, usual_gap: float) -> tuple[int | None, int | None]:
        """Fewest and most days of silence, both inclusive; None: no bound."""
        least = None if self.min_gaps is None else math.floor(self.min_gaps * usual_gap) + 1
        most = None if self.max_gaps is None else math.floor(self.max_gaps * usual_gap)
        return least, most


NO_FLOOR = Floor()


def usual_gap_days(rhythm: pa.Table, *, firm: FirmSettings) -> float:
    """The firm's usual gap in days, at least 1.

    It is at most half of the RFM window, so that two usual gaps never exceed the days in which orders are
    counted. With fewer than ``MIN_REPEAT_CUSTOMERS`` repeat customers it is half of the churn threshold.
    """
    rows = rhythm.to_pylist()
    gap = firm.churn_threshold_days / 2
    if rows and rows[0]["repeat_customers"] >= MIN_REPEAT_CUSTOMERS:
        gap = float(rows[0]["median_days_between_orders"])
    return max(1.0, min(gap, firm.rfm.window_days / 2))


def outcomes(found: Iterable[Floor]) -> list[tuple[int, float]]:
    """One (orders, gaps) of every region between the bounds of the floors."""
    floors = list(found)
    orders = sorted({1, *(floor.min_orders for floor in floors)})
    bounds = sorted({g for floor in floors for g in (floor.min_gaps, floor.max_gaps) if g is not None})
    gaps = [*bounds, (bounds[-1] if bounds else 0.0) + 1.0]  # a bound belongs to the region below it
    return [(n, gap) for n in orders for gap in gaps]


def walk(
    code: str, floor_of: Mapping[str, Floor], next_of: Mapping[str, str], *, orders: int, gaps: float
) -> str | None:
    """The first segment from ``code`` on that accepts the customer; None if the chain ends without one."""
    for _ in floor_of:
        if floor_of[code].accepts(orders=orders, gaps=gaps):
            return code
        code = next_of[code]
        if code not in floor_of:
            return None
    return None


class Bounds(NamedTuple):
    """The floors of a decision table as arrays, one element per segment."""

    codes: tuple[str, ...]
    min_orders: Ints
    min_days: Ints
    max_days: Ints
    next_at: Ints  # position of the next segment; its own position without one


_NEVER = np.iinfo(np.int64).max


def bounds_of(table: pa.Table) -> Bounds:
    """The floors of the rows of segments."""
    rows = table.to_pylist()
    codes = tuple(row["segment_code"] for row in rows)
    at = {code: i for i, code in enumerate(codes)}

    def numbers(name: str, otherwise: int) -> Ints:
        return np.array([otherwise if row[name] is None else row[name] for row in rows], dtype=np.int64)

    return Bounds(
        codes=codes,
        min_orders=numbers("min_orders", 1),
        min_days=numbers("min_silent_days", 0),
        max_days=numbers("max_silent_days", _NEVER),
        next_at=np.array([at.get(row["next_segment"], i) for i, row in enumerate(rows)], dtype=np.int64),
    )


def move(segment_at: Ints, bounds: Bounds, *, orders: Ints, silent_days: Ints) -> Ints:
    """Position of each customer's segment after the floors; ``segment_at`` is the segment of its cell."""
    found = segment_at.copy()
    for _ in bounds.codes:
        misses = (
            (orders < bounds.min_orders[found])
            | (silent_days < bounds.min_days[found])
            | (silent_days > bounds.max_days[found])
        )
        if not misses.any():
            break
        found[misses] = bounds.next_at[found[misses]]
    return found
