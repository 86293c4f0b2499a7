"""When simulated customers buy and what they spend, in numpy: one array element a customer or an order.

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
    """Customers' own parameters, drawn from the firm's."""

    rate: Floats  # lambda, purchases a week
    dropout: Floats  # p
    spend_rate: Floats  # nu
    first_at: Floats  # days from the firm's start


@dataclass(frozen=True)
class Purchases:
    """Who bought when, sorted by customer and time, and who was still alive at the end."""

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
) -> Buyers:
    """Buyers of a firm with BG/NBD ``r, alpha, a, b`` and Gamma-Gamma ``p, q, gamma``."""
    r, alpha, a, b = counts
    _, q, gamma = spend
    dropout = rng.beta(a, b, customers)
    dropout[rng.random(customers) < one_timer_share] = 1.0
    return Buyers(
        rate=rng.gamma(r, 1 / alpha, customers),
        dropout=dropout,
        spend_rate=rng.gamma(q, 1 / gamma, customers),
        first_at=rng.random(customers) * joining_days,
    )


def draw_purchases(rng: np.random.Generator, buyers: Buyers, *, days: float, season: Season) -> Purchases:
    """Every buyer's purchases up to ``days``, the first one included."""
    who = np.arange(len(buyers.rate))
    at = season.to_operational(buyers.first_at)
    end = season.to_operational(np.array([days]))[0]
    found_who, found_at = [who], [at]
    left = np.zeros(len(who), dtype=bool)
    while len(who):
        leaves = rng.random(len(who)) < buyers.dropout[who]
        left[who[leaves]] = True
        who, at = who[~leaves], at[~leaves]
        # A rate may underflow to nothing; such a buyer never comes back, alive or not.
        wait = rng.exponential(1.0, len(who)) / np.maximum(buyers.rate[who], 1e-12) * WEEK_DAYS
        at = at + wait
        who, at = who[at < end], at[at < end]
        found_who.append(who)
        found_at.append(at)
    buyer, moment = np.concatenate(found_who), np.concatenate(found_at)
    order = np.lexsort((moment, buyer))
    return Purchases(buyer[order], season.to_days(moment[order]), ~left)


def draw_values(rng: np.random.Generator, nu: Floats, *, shape: float) -> Ints:
    """An order's value in cents, at least one."""
    cents = rng.gamma(shape, 1.0, len(nu)) / np.maximum(nu, 1e-9) * 100
    return np.maximum(np.rint(np.minimum(cents, 1e9)), 1).astype(np.int64)


def split(rng: np.random.Generator, cents: Ints, lines: Ints) -> tuple[Ints, Ints, Ints]:
    """Orders into lines: the order of each line, its number from 1, its cents; cents add up exactly."""
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
    """A yearly wave of demand: BG/NBD time runs faster in high season, so its parameters stay true."""

    def __init__(self, *, days: int, strength: float, start_day: int = 1) -> None:
        """``strength`` 0 is none, 0.5 swings half as high and half as low as the mean."""
        day = np.arange(days + 1)
        pace = 1 + strength * np.cos(2 * np.pi * (day + start_day - 350) / 365.25)
        self._days = day.astype(np.float64)
        self._operational = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2)])

    def to_operational(self, at: Floats) -> Floats:
        """Calendar days from the start to the process's own time."""
        return np.interp(at, self._days, self._operational)

    def to_days(self, at: Floats) -> Floats:
        """The process's own time to calendar days from the start."""
        return np.interp(at, self._operational, self._days)
