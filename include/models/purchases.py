"""Predictions that every purchase-count model makes the same way.

Each model says two things: P(alive), and what an alive customer does. The second depends on (frequency, age)
only, so it is worked out once per distinct pair and shared; the first is worked out per customer.
A customer who has left buys nothing, hence every prediction is P(alive) times that of an alive customer.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from include.models.fitted import Fitted
from include.models.likelihood import DAYS_PER_WEEK, Floats, histories

LONGEST_WAIT_DAYS = 3650
"""A next order further off than this is reported as unknown."""


@dataclass(frozen=True, kw_only=True)
class PurchaseModel(Fitted):
    """A fitted purchase-count model, in the papers' symbols; times in weeks, x repeat purchases."""

    r: float
    alpha: float

    @abstractmethod
    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive at T | x, t_x, T)."""

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


def shared(f: Callable[[Floats, Floats], Floats], x: Floats, T: Floats) -> Floats:
    """f(x, T) elementwise, evaluated once per distinct pair; T is in weeks, exact to the day when whole."""
    days = T * DAYS_PER_WEEK
    whole = np.rint(days)
    width = int(whole.max(initial=0)) + 1
    size = (int(x.max(initial=0)) + 1) * width
    if size > 8_000_000 or np.abs(days - whole).max(initial=0) > 1e-9:
        pairs, where = np.unique(np.stack([x, T], axis=1), axis=0, return_inverse=True)
        return f(pairs[:, 0], pairs[:, 1])[where.ravel()]
    key = x.astype(np.int64) * width + whole.astype(np.int64)
    table = np.zeros(size)
    table[key] = 1.0
    present = np.flatnonzero(table)
    ages = (present % width) / DAYS_PER_WEEK
    table[present] = f((present // width).astype(np.float64), ages)
    return table[key]


def expected(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """E[purchases in the next ``horizon_days`` | x, t_x, T]."""
    t = horizon_days / DAYS_PER_WEEK
    return model.alive(x, t_x, T) * shared(lambda x, T: model.purchases_if_alive(x, T, t), x, T)


def none(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """P(no purchase in the next ``horizon_days`` | x, t_x, T): the churn probability of these models.

    1 - P(alive) (1 - P(none | alive)); never 1 - P(alive), which is 0 for a one-time buyer in BG/NBD.
    """
    t = horizon_days / DAYS_PER_WEEK
    some = shared(lambda x, T: 1.0 - model.none_if_alive(x, T, t), x, T)
    return 1.0 - model.alive(x, t_x, T) * some


def variance(model: PurchaseModel, x: Floats, t_x: Floats, T: Floats, *, horizon_days: float) -> Floats:
    """Var[purchases in the next ``horizon_days`` | x, t_x, T], parameters taken as known."""
    t = horizon_days / DAYS_PER_WEEK
    alive = model.alive(x, t_x, T)
    mean = alive * shared(lambda x, T: model.purchases_if_alive(x, T, t), x, T)
    pairs = alive * shared(lambda x, T: model.pairs_if_alive(x, T, t), x, T)
    return np.maximum(pairs + mean - mean**2, 0.0)


def next_order_days(model: PurchaseModel, x: Floats, T: Floats) -> Floats:
    """Days until the next order, at the median, of a customer who is still one; nan past ten years.

    An alive customer's next order is still ahead after t with probability ((alpha+T)/(alpha+T+t))^(r+x); the
    mean is infinite for r + x <= 1, the median never. It says nothing of whether the customer is alive.
    """
    doublings = np.minimum(np.log(2.0) / (model.r + x), 700.0)
    days = DAYS_PER_WEEK * (model.alpha + T) * np.expm1(doublings)
    return np.where(days > LONGEST_WAIT_DAYS, np.nan, days)


def predict(batch: pa.RecordBatch, model: PurchaseModel, *, horizon_days: int) -> pa.RecordBatch:
    """One row per customer, in the batch's order.

    Reads frequency, recency_days and age_days; writes alive_probability (at the snapshot),
    expected_purchases, their variance_purchases and no_purchase_probability over the horizon, and
    next_order_days (null when unknown). A ``customer_id`` column is carried along.
    """
    x, t_x, T = histories(batch, model.model)
    waits = next_order_days(model, x, T)
    columns = {
        "alive_probability": pa.array(model.alive(x, t_x, T)),
        "expected_purchases": pa.array(expected(model, x, t_x, T, horizon_days=horizon_days)),
        "variance_purchases": pa.array(variance(model, x, t_x, T, horizon_days=horizon_days)),
        "no_purchase_probability": pa.array(none(model, x, t_x, T, horizon_days=horizon_days)),
        "next_order_days": pa.array(waits, mask=np.isnan(waits)),
    }
    if "customer_id" in batch.schema.names:
        columns = {"customer_id": batch.column("customer_id"), **columns}
    return pa.RecordBatch.from_pydict(columns)
