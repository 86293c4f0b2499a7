"""When a customer orders next, or whether at all: MBG/NBD, made consistent with a churn probability.

Under MBG/NBD P(no order by day t) is S(t) = 1 - P(alive) (1 - ((alpha+T)/(alpha+T+t))^(r+x)). It counts
customers who have left, so it has a median only where a further order is likely. Another model may know the
probability p of no order in H days better, so S(t)^(g k(t)) is used. g = ln p / ln S(H) is the customer's: it
multiplies the hazard (proportional hazards). k is the firm's: a curve of the days ahead with k(H) = 1, which
makes the mean chance equal to the realised one on past windows of several lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from include.models.purchases.bgnbd import BgNbd
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats
from include.models.purchases.model import LONGEST_WAIT_DAYS

QUARTILES = (0.25, 0.5, 0.75)
WITHIN_DAYS = (30, 90, 365)
GRID = np.unique([*np.geomspace(1.0, LONGEST_WAIT_DAYS, 40).round(), *range(15, 740, 15), *WITHIN_DAYS])
MIN_POWER, MAX_POWER = 0.02, 20.0
_CLIP = 1e-9


class Timing(NamedTuple):
    """The curve k at some days ahead, rising; linear in ln days between them, constant beyond both ends."""

    days: tuple[float, ...]
    power: tuple[float, ...]

    def __call__(self, days: float) -> float:
        """k of one number of days."""
        return float(np.interp(np.log(max(days, 1.0)), np.log(self.days), self.power)) if self.days else 1.0


class NextOrder(NamedTuple):
    """Per customer: chance of an order within each of some days, of any order in ten years, and quartiles.

    ``quartiles`` are days ahead; nan where the chance of an order in ten years is below the quartile.
    """

    within: dict[int, Floats]
    ever: Floats
    quartiles: tuple[Floats, ...]


class Hazard(NamedTuple):
    """MBG/NBD histories of some customers, and g of each; shape (customers,)."""

    alive: Floats
    exposure: Floats
    orders: Floats
    power: Floats

    def log_none(self, days: float) -> Floats:
        """ln S(t) of MBG/NBD, before g and k."""
        some = -np.expm1(-self.orders * np.log1p(days / DAYS_PER_WEEK / self.exposure))
        found: Floats = np.log1p(-np.clip(self.alive * some, _CLIP, 1.0 - _CLIP))
        return found

    def take(self, at: NDArray[np.int64]) -> Hazard:
        """Some of the customers."""
        return Hazard(*(values[at] for values in self))


def hazard(
    model: BgNbd, x: Floats, t_x: Floats, T: Floats, *, none_in_horizon: Floats, horizon_days: float
) -> Hazard:
    """Histories (times in weeks) with g from ``none_in_horizon``, P(no order in the horizon)."""
    plain = Hazard(model.alive(x, t_x, T), model.alpha + T, model.r + x, np.ones_like(T))
    wanted = np.log(np.clip(none_in_horizon, _CLIP, 1.0 - _CLIP))
    return plain._replace(power=wanted / plain.log_none(horizon_days))


class Seen(NamedTuple):
    """Customers of a past cutoff, and whether each ordered within ``days``: 0, 1 or its chance."""

    days: float
    customers: Hazard
    ordered: Floats


def days_within(after: float, until: float) -> list[int]:
    """Days of ``GRID`` above ``after``, up to and with ``until``."""
    inside = GRID[(after < GRID) & (until > GRID)]
    return [*(int(day) for day in inside), int(until)]


def fit_timing(seen: Sequence[Seen], *, horizon_days: float) -> Timing:
    """k from past windows; windows of one length are pooled."""
    found = {float(horizon_days): 1.0}
    for days in sorted({pair.days for pair in seen} - {float(horizon_days)}):
        parts = [pair for pair in seen if pair.days == days]
        hazards = np.concatenate([pair.customers.power * pair.customers.log_none(days) for pair in parts])
        found[days] = _power(hazards, sum(float(pair.ordered.sum()) for pair in parts))
    return Timing(tuple(sorted(found)), tuple(found[days] for days in sorted(found)))


def _power(log_none: Floats, ordered: float) -> float:
    """k that makes the expected number of customers with an order equal to ``ordered``; by bisection."""
    low, high = np.log(MIN_POWER), np.log(MAX_POWER)
    for _ in range(16):
        middle = (low + high) / 2
        if float(-np.expm1(np.exp(middle) * log_none).sum()) < ordered:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def predict(customers: Hazard, timing: Timing, *, horizon_days: float) -> NextOrder:
    """Next order of each customer; chances rise with the days, and at the horizon equal 1 - p."""
    log_none = np.stack([timing(days) * customers.log_none(days) for days in GRID], axis=1)
    chance = -np.expm1(customers.power[:, None] * log_none)
    at_horizon = -np.expm1(customers.power * customers.log_none(horizon_days))[:, None]
    is_before = horizon_days > GRID
    chance = np.where(is_before, np.minimum(chance, at_horizon), np.maximum(chance, at_horizon))
    chance = np.maximum.accumulate(chance, axis=1)
    ever = chance[:, -1]
    quartiles = []
    for share in QUARTILES:
        at = np.minimum((chance < share).sum(axis=1), len(GRID) - 1)
        rows, before = np.arange(len(at)), np.maximum(at - 1, 0)
        low = np.where(at > 0, chance[rows, before], 0.0)
        start = np.where(at > 0, GRID[before], 0.0)
        step = np.maximum(chance[rows, at] - low, _CLIP)
        days = start + (GRID[at] - start) * np.clip((share - low) / step, 0.0, 1.0)
        quartiles.append(np.where(ever >= share, days, np.nan))
    within = {days: chance[:, int(np.searchsorted(GRID, days))] for days in WITHIN_DAYS}
    return NextOrder(within, ever, tuple(quartiles))
