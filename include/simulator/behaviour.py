"""Purchase times and order values of simulated customers; one array element per customer or order.

Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way": while alive a customer buys with
exponential waiting times of rate lambda, and after every purchase leaves with probability p.
Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value": an order's value is gamma with
shape p and rate nu, nu being gamma over customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEK_DAYS = 7


@dataclass(frozen=True)
class Buyers:
    """Parameters of each customer, drawn from the firm's distributions. Shape (customers,)."""

    rate: Floats  # lambda, purchases a week
    dropout: Floats  # p
    spend_rate: Floats  # nu
    first_at: Floats  # days from the firm's start


@dataclass(frozen=True)
class Purchases:
    """Purchases sorted by customer and time, and whether each customer is alive at the end."""

    buyer: Ints
    at: Floats  # days from the firm's start
    is_alive: NDArray[np.bool_]


def draw_buyers(
    rng: np.random.Generator,
    customers: int,
    *,
    counts: tuple[float, float, float, float],
    spend: tuple[float, float, float],
    one_timer_share: float,
    joining_days: float,
    joining_power: float = 1.0,
) -> Buyers:
    """Draw buyers with BG/NBD parameters ``r, alpha, a, b`` and Gamma-Gamma parameters ``p, q, gamma``."""
    r, alpha, a, b = counts
    _, q, gamma = spend
    dropout = rng.beta(a, b, customers)
    dropout[rng.random(customers) < one_timer_share] = 1.0
    return Buyers(
        rate=rng.gamma(r, 1 / alpha, customers),
        dropout=dropout,
        spend_rate=rng.gamma(q, 1 / gamma, customers),
        first_at=rng.random(customers) ** joining_power * joining_days,
    )


def draw_purchases(
    rng: np.random.Generator, buyers: Buyers, *, days: float, season: Season, regularity: int = 1
) -> Purchases:
    """Draw all purchases of every buyer before day ``days``, including the first.

    Waiting times have mean 1 / rate; they are exponential, or Erlang with shape ``regularity``.
    """
    buyer_ids = np.arange(len(buyers.rate))
    at = season.to_operational(buyers.first_at)
    end = season.to_operational(np.array([days]))[0]
    found_buyers, found_at = [buyer_ids], [at]
    left = np.zeros(len(buyer_ids), dtype=bool)
    while len(buyer_ids):
        leaves = rng.random(len(buyer_ids)) < buyers.dropout[buyer_ids]
        left[buyer_ids[leaves]] = True
        buyer_ids, at = buyer_ids[~leaves], at[~leaves]
        # A rate may underflow to 0; such a buyer makes no further purchase.
        unit = draw_waits(rng, len(buyer_ids), regularity)
        wait = unit / np.maximum(buyers.rate[buyer_ids], 1e-12) * WEEK_DAYS
        at = at + wait
        buyer_ids, at = buyer_ids[at < end], at[at < end]
        found_buyers.append(buyer_ids)
        found_at.append(at)
    buyer, at_all = np.concatenate(found_buyers), np.concatenate(found_at)
    order = np.lexsort((at_all, buyer))
    return Purchases(buyer[order], season.to_days(at_all[order]), ~left)


def draw_waits(rng: np.random.Generator, count: int, regularity: int) -> Floats:
    """Draw waiting times of mean 1."""
    if regularity == 1:
        return rng.exponential(1.0, count)
    return rng.gamma(regularity, 1 / regularity, count)


def draw_values(rng: np.random.Generator, nu: Floats, *, shape: float) -> Ints:
    """Draw order values in cents, at least 1."""
    cents = rng.gamma(shape, 1.0, len(nu)) / np.maximum(nu, 1e-9) * 100
    return np.maximum(np.rint(np.minimum(cents, 1e9)), 1).astype(np.int64)


def split(rng: np.random.Generator, cents: Ints, lines: Ints) -> tuple[Ints, Ints, Ints]:
    """Split orders into lines: order index, line number from 1, and cents per line; cents add up exactly."""
    order = np.repeat(np.arange(len(cents)), lines)
    starts = np.cumsum(lines) - lines
    number = np.arange(len(order)) - starts[order]
    if not len(order):
        return order, number, order
    weight = rng.exponential(1.0, len(order))
    share = weight / np.add.reduceat(weight, starts)[order]
    part = np.floor(cents[order] * share).astype(np.int64)
    part[starts] += cents - np.add.reduceat(part, starts)
    return order, number + 1, part


class Season:
    """A yearly season: BG/NBD time runs faster in the high season, so the parameters stay exact."""

    def __init__(self, *, days: int, strength: float, start_day: int = 1) -> None:
        """``strength`` 0 is no season; 0.5 varies demand by 50 % around its mean."""
        day = np.arange(days + 1)
        pace = 1 + strength * np.cos(2 * np.pi * (day + start_day - 350) / 365.25)
        self._days = day.astype(np.float64)
        self._operational = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2)])

    def to_operational(self, at: Floats) -> Floats:
        """Convert calendar days from the start to operational time."""
        return np.interp(at, self._days, self._operational)

    def to_days(self, at: Floats) -> Floats:
        """Convert operational time to calendar days from the start."""
        return np.interp(at, self._operational, self._days)
