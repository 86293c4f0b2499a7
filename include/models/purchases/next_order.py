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

from include.models.purchases.bgnbd import BgNbd
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats
from include.models.purchases.model import LONGEST_WAIT_DAYS

QUARTILES = (0.25, 0.5, 0.75)
WITHIN_DAYS = (30, 90, 365)
GRID = np.unique([*np.geomspace(1.0, LONGEST_WAIT_DAYS, 60).round(), *WITHIN_DAYS])
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

    def chance(self, days: float, k: float) -> Floats:
        """P(an order within ``days``)."""
        found: Floats = -np.expm1(k * self.power * self.log_none(days))
        return found


def hazard(
    model: BgNbd, x: Floats, t_x: Floats, T: Floats, *, none_in_horizon: Floats, horizon_days: float
) -> Hazard:
    """Histories (times in weeks) with g from ``none_in_horizon``, P(no order in the horizon)."""
    plain = Hazard(model.alive(x, t_x, T), model.alpha + T, model.r + x, np.ones_like(T))
    wanted = np.log(np.clip(none_in_horizon, _CLIP, 1.0 - _CLIP))
    return plain._replace(power=wanted / plain.log_none(horizon_days))


def fit_timing(seen: Sequence[tuple[float, Hazard, Floats]], *, horizon_days: float) -> Timing:
    """k from past windows: days, customers, and whether each ordered within these days.

    Windows of one length are pooled.
    """
    found = {float(horizon_days): 1.0}
    for days in sorted({length for length, _, _ in seen} - {float(horizon_days)}):
        parts = [(customers, ordered) for length, customers, ordered in seen if length == days]
        total = sum(float(ordered.sum()) for _, ordered in parts)
        low, high = np.log(0.05), np.log(20.0)
        for _ in range(30):
            middle = (low + high) / 2
            k = float(np.exp(middle))
            if sum(float(customers.chance(days, k).sum()) for customers, _ in parts) < total:
                low = middle
            else:
                high = middle
        found[days] = float(np.exp((low + high) / 2))
    return Timing(tuple(sorted(found)), tuple(found[days] for days in sorted(found)))


def predict(customers: Hazard, timing: Timing) -> NextOrder:
    """Next order of each customer; chances rise with the days, and at the horizon equal 1 - p."""
    log_none = np.stack([timing(days) * customers.log_none(days) for days in GRID], axis=1)
    chance = np.maximum.accumulate(-np.expm1(customers.power[:, None] * log_none), axis=1)
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
