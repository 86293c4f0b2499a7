"""What the simulator expects of each customer, given its true parameters and its past purchases.

The truth of a customer is its purchase rate and its chance to leave after each purchase. From these and its
silence follow the chance that it does not buy in a window, and the orders to expect, in the simulator's
operational time, so a season changes nothing. With exponential waiting times: BG/NBD of one customer (Fader,
Hardie & Lee 2005). With Erlang waiting times: the same by ``DRAWS`` draws per customer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from bench.statements.firms import YEAR, Simulated
from include.simulator.behaviour import WEEK_DAYS, Season

Floats = NDArray[np.float64]
DRAWS = 400


class Expected(NamedTuple):
    """What the simulator expects of each customer who had bought before the snapshot."""

    customer_id: list[str]
    no_purchase: Floats  # chance of none in the next churn_threshold_days
    orders_year: Floats
    order_value: Floats  # mean amount of an order, before returns


class _Buyers(NamedTuple):
    """Rate a day, chance to leave, and silence in operational days."""

    rate: Floats
    leaves: Floats
    silent: Floats


def expected(firm: Simulated, last_order_at: dict[str, float]) -> Expected:
    """``last_order_at``: days from the plan's start to the last order before the snapshot, by customer."""
    rows = {row["customer_id"]: row for row in firm.truth.to_pylist()}
    names = sorted(last_order_at)
    value = np.array([rows[name]["mean_order_value"] for name in names])
    start = firm.plan.start.timetuple().tm_yday
    season = Season(days=firm.plan.days, strength=firm.plan.season_strength, start_day=start)
    now = float((firm.as_of - firm.plan.start).days)
    at = season.to_operational(np.array([last_order_at[name] for name in names]))
    today = season.to_operational(np.array([now]))[0]

    def ahead(days: int) -> float:
        return float(season.to_operational(np.array([now + days]))[0] - today)

    buyers = _Buyers(
        np.array([rows[name]["rate_per_week"] for name in names]) / WEEK_DAYS,
        np.array([rows[name]["dropout_probability"] for name in names]),
        today - at,
    )
    window, year = ahead(firm.churn_threshold_days), ahead(YEAR)
    if firm.plan.regularity == 1:
        none, orders = _exponential(buyers, window, year)
    else:
        none, orders = _erlang(buyers, window, year, shape=firm.plan.regularity, seed=firm.plan.seed)
    return Expected(names, none, orders, value)


def _alive(buyers: _Buyers, silent: Floats) -> Floats:
    """Chance of being alive, where ``silent`` is the chance of so long a wait."""
    stays = (1 - buyers.leaves) * silent
    return stays / np.maximum(buyers.leaves + stays, 1e-300)


def _exponential(buyers: _Buyers, window: float, year: float) -> tuple[Floats, Floats]:
    alive = _alive(buyers, np.exp(-buyers.rate * buyers.silent))
    none = 1 - alive * (1 - np.exp(-buyers.rate * window))
    safe = np.maximum(buyers.leaves, 1e-12)
    return none, alive * (1 - np.exp(-buyers.rate * safe * year)) / safe


def _erlang(buyers: _Buyers, window: float, year: float, *, shape: int, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    waits = gamma(shape, scale=1 / (shape * np.maximum(buyers.rate, 1e-12)))
    alive = _alive(buyers, waits.sf(buyers.silent))
    is_alive = rng.random((DRAWS, len(alive))) < alive
    beyond = waits.isf(rng.random((DRAWS, len(alive))) * waits.sf(buyers.silent)) - buyers.silent
    at = np.where(is_alive & np.isfinite(beyond), beyond, np.inf)
    none = (at >= window).mean(axis=0)
    orders = np.zeros_like(at)
    while (soon := at < year).any():
        orders += soon
        leaves = rng.random(at.shape) < buyers.leaves
        at = np.where(soon & ~leaves, at + waits.rvs(at.shape, random_state=rng), np.inf)
    return none, orders.mean(axis=0)
