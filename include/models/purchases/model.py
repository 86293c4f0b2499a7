"""Predictions shared by all purchase-count models.

A model defines P(alive) and the behaviour of an alive customer. The behaviour depends on (frequency, age)
only, so it is computed once per distinct pair; P(alive) is computed per customer. A customer who has left
buys nothing, so every prediction is P(alive) times the prediction for an alive customer.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from include.models.purchases.fitted import Fitted
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats

BLOCK = 16_384
MAX_PAIRS = 8_000_000
LONGEST_WAIT_DAYS = 3650
"""A longer expected wait for the next order is reported as unknown (nan)."""
LARGEST_LOG_ODDS = 600.0
"""Larger log-odds are not split into two factors: one factor would overflow."""


@dataclass(frozen=True, kw_only=True)
class PurchaseModel(Fitted):
    """A fitted purchase-count model, in the papers' symbols; times in weeks, x repeat purchases."""

    r: float
    alpha: float

    @abstractmethod
    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive at T | x, t_x, T)."""

    def left_by_day(self, most: int, days: int) -> tuple[Floats, Floats] | None:
        """Log-odds of having left, by whole days, as the difference of two tables: of (x, T) and of (x, t_x).

        Both have shape (most + 1, days); -inf where a customer cannot have left. None if the model's odds do
        not separate into such tables.
        """
        del most, days
        return None

    @abstractmethod
    def purchases_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) | alive at T]: purchases in (T, T + t)."""

    @abstractmethod
    def pairs_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) (Y(t) - 1) | alive at T]."""

    @abstractmethod
    def none_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """P(Y(t) = 0 | alive at T)."""

    @abstractmethod
    def discounted_if_alive(self, x: Floats, T: Floats, t: float, rate: float) -> Floats:
        """Expected purchases in (T, T + t) if alive, each discounted to T at ``rate`` a week."""


def shared(
    f: Callable[[Floats, Floats], Floats], x: Floats, T: Floats, *, times: Floats | None = None
) -> Floats:
    """f(x, T) elementwise, evaluated once per distinct pair; T is in weeks.

    With ``times``, that array is multiplied by f in place and returned.
    """
    if times is None:
        times = np.ones(len(x))
    ages = _whole_days(T)
    if ages is not None:
        counts = x.astype(np.int64)
        found = _by_day(f, counts, ages)
        if found is not None:
            values = found.values.ravel()
            for part in _blocks(len(x)):
                times[part] *= values.take(found.cells[part])
            return times
    pairs, where = np.unique(np.stack([x, T], axis=1), axis=0, return_inverse=True)
    times *= f(pairs[:, 0], pairs[:, 1])[where.ravel()]
    return times


def _whole_days(T: Floats) -> NDArray[np.int64] | None:
    """Weeks as whole days; None if any is not a whole number of days. In blocks, to bound memory."""
    found = np.empty(len(T), dtype=np.int64)
    for part in _blocks(len(T)):
        days = T[part] * DAYS_PER_WEEK
        found[part] = np.rint(days)
        if np.abs(days - found[part]).max(initial=0) >= 1e-9:
            return None
    return found


def _blocks(rows: int) -> list[slice]:
    return [slice(i, i + BLOCK) for i in range(0, rows, BLOCK)]


class _ByDay(NamedTuple):
    """Values of a function by (x, day), and the flat index of each customer's cell."""

    values: Floats
    cells: NDArray[np.int64]


def _by_day(f: Callable[[Floats, Floats], Floats], x: NDArray, days: NDArray) -> _ByDay | None:
    """f at the pairs (x, days) that occur; None if the table would exceed ``MAX_PAIRS`` cells."""
    width, most = int(days.max(initial=0)) + 1, int(x.max(initial=0))
    if (most + 1) * width > MAX_PAIRS:
        return None
    seen, cells = np.zeros((most + 1) * width, dtype=bool), np.empty(len(x), dtype=np.int64)
    for part in _blocks(len(x)):
        cell = np.multiply(x[part], width, out=cells[part])
        cell += days[part]
        seen[cell] = True
    present = np.flatnonzero(seen)
    values = np.empty(len(seen))
    values[present] = f((present // width).astype(np.float64), (present % width) / DAYS_PER_WEEK)
    return _ByDay(values.reshape(most + 1, width), cells)


def expected_from_days(
    model: PurchaseModel,
    frequency: NDArray[np.integer],
    recency_days: NDArray[np.integer],
    age_days: NDArray[np.integer],
    *,
    horizon_days: float,
) -> Floats:
    """``expected`` from whole days, faster for many customers; equal within rounding. Shape (customers,)."""
    t = horizon_days / DAYS_PER_WEEK
    by_day = _by_day(lambda x, T: model.purchases_if_alive(x, T, t), frequency, age_days)
    left = None if by_day is None else model.left_by_day(len(by_day.values) - 1, by_day.values.shape[1])
    if by_day is not None and left is not None:
        out = _expected_by_tables(by_day, left, recency_days, age_days)
    else:
        out = np.full(len(frequency), np.nan)
    rest = np.flatnonzero(np.isnan(out))
    if len(rest):
        x = frequency[rest].astype(np.float64)
        t_x, T = recency_days[rest] / DAYS_PER_WEEK, age_days[rest] / DAYS_PER_WEEK
        out[rest] = expected(model, x, t_x, T, horizon_days=horizon_days)
    return out


def _expected_by_tables(
    by_day: _ByDay,
    left: tuple[Floats, Floats],
    recency_days: NDArray[np.integer],
    age_days: NDArray[np.integer],
) -> Floats:
    """Prediction of an alive customer, divided by 1 plus the odds of having left; nan if out of range.

    The odds are a factor of (x, T) times a factor of (x, t_x), computed once per cell. The result depends on
    the customer's own cell only, not on its batch.
    """
    at_end, at_last = left
    log_odds = at_end - at_last[:, :1]  # with the last order on the first day
    is_far = log_odds > LARGEST_LOG_ODDS
    values = np.where(is_far, np.nan, by_day.values).ravel()
    ends = np.exp(np.where(is_far, 0.0, log_odds)).ravel()
    lasts = np.exp(at_last[:, :1] - at_last).ravel()
    out = np.empty(len(by_day.cells))
    for part in _blocks(len(out)):
        at = by_day.cells[part]
        last = at - age_days[part]
        last += recency_days[part]
        odds = ends.take(at)
        odds *= lasts.take(last)
        odds += 1.0
        np.divide(values.take(at), odds, out=out[part])
    return out


def expected(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """E[purchases in the next ``horizon_days`` | x, t_x, T]."""
    t = horizon_days / DAYS_PER_WEEK
    alive = model.alive(x, t_x, T)
    return shared(lambda x, T: model.purchases_if_alive(x, T, t), x, T, times=alive)


def none(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """P(no purchase in the next ``horizon_days`` | x, t_x, T): the churn probability of these models.

    1 - P(alive) (1 - P(none | alive)); never 1 - P(alive), which is 0 for a one-time buyer in BG/NBD.
    """
    t = horizon_days / DAYS_PER_WEEK
    some = shared(lambda x, T: 1.0 - model.none_if_alive(x, T, t), x, T)
    return 1.0 - model.alive(x, t_x, T) * some


def variance(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """Var[purchases in the next ``horizon_days`` | x, t_x, T], with the parameters known."""
    t = horizon_days / DAYS_PER_WEEK
    alive = model.alive(x, t_x, T)
    mean = alive * shared(lambda x, T: model.purchases_if_alive(x, T, t), x, T)
    pairs = alive * shared(lambda x, T: model.pairs_if_alive(x, T, t), x, T)
    return np.maximum(pairs + mean - mean**2, 0.0)


def next_order_days(model: PurchaseModel, x: Floats, T: Floats, alive: Floats) -> Floats:
    """Median days until the next order, customers who have left included; nan if an order is unlikely.

    P(no order by t) = 1 - P(alive) (1 - ((alpha+T)/(alpha+T+t))^(r+x)). It has a median only if P(alive)
    exceeds one half; a median above ten years is nan too. The mean is infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(alive > 0.5, 1.0 - 0.5 / np.maximum(alive, 0.5), np.nan)
        days = DAYS_PER_WEEK * (model.alpha + T) * np.expm1(np.minimum(-np.log(left) / (model.r + x), 700.0))
    return np.where(days > LONGEST_WAIT_DAYS, np.nan, days)
