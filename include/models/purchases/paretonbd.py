"""Buy-till-you-die purchase counts: the Pareto/NBD model.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do
Next?", Management Science 33(1). While alive a customer buys at a Poisson rate lambda ~ Gamma(r, alpha);
its lifetime is exponential with rate mu ~ Gamma(s, beta), so it can leave at any time, not only after
an order.

The likelihood's second term, usually written with 2F1, is computed as the integral it is derived from (Fader
& Hardie 2005, "A Note on Deriving the Pareto/NBD Model"); its derivatives use the same nodes.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from scipy import special

from include.models.purchases import model as purchases
from include.models.purchases.likelihood import HIGHEST, Floats, Rows, maximise_in_stages, rows
from include.models.purchases.paretonbd_likelihood import decay_integral, likelihood

TIME_NODES = np.polynomial.legendre.leggauss(64)
# r, s, and beta as a multiple of the mean age; the last covers firms with a few immediate dropouts only
STARTS = (
    (0.5, 0.5, 0.3),
    (2.0, 0.3, 1.0),
    (1.0, 2.0, 2.0),
    (1.0, 0.02, 3.0),
    (1.0, 0.005, 0.001),
)


@dataclass(frozen=True, kw_only=True)
class ParetoNbd(purchases.PurchaseModel):
    """Fitted parameters; alpha and beta are in weeks, r and s have no unit."""

    model: ClassVar[str] = "paretonbd"
    symbols: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive at T | x, t_x, T): the share of the likelihood's first term."""
        at, at_beta, n = self.alpha + t_x, self.beta + t_x, self.r + x
        integral = decay_integral(n, self.s + 1.0, at, at_beta, T - t_x)
        wait, wait_beta = np.log1p((T - t_x) / at), np.log1p((T - t_x) / at_beta)
        with np.errstate(divide="ignore"):  # log(0) if t_x = T: no time to leave
            log_left = np.log(self.s / at_beta * integral)
        return special.expit(-(log_left + n * wait + self.s * wait_beta))

    def purchases_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) | alive at T]: E[lambda] times the expected time alive in (T, T + t)."""
        log_growth = np.log1p(t / (self.beta + T))
        time = (self.beta + T) * log_growth * special.exprel((1.0 - self.s) * log_growth)
        return (self.r + x) / (self.alpha + T) * time

    def pairs_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) (Y(t) - 1) | alive at T]: 2 E[lambda^2] times the integral of u P(alive at T + u)."""
        n, exposure = self.r + x, self.alpha + T
        return 2.0 * n * (n + 1) / exposure**2 * self._time_alive(T, t, rate=0.0, power=1)

    def none_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """P(Y(t) = 0 | alive at T): no order in t while alive, or none before leaving."""
        n, exposure, at_beta = self.r + x, self.alpha + T, self.beta + T
        stays = np.exp(-n * np.log1p(t / exposure) - self.s * np.log1p(t / at_beta))
        integral = decay_integral(n, self.s + 1.0, exposure, at_beta, np.full_like(T, t))
        return np.minimum(stays + self.s / at_beta * integral, 1.0)

    def discounted_if_alive(self, x: Floats, T: Floats, t: float, rate: float) -> Floats:
        """Expected purchases in (T, T + t) if alive, each discounted to T at ``rate`` a week."""
        return (self.r + x) / (self.alpha + T) * self._time_alive(T, t, rate=rate, power=0)

    def _time_alive(self, T: Floats, t: float, *, rate: float, power: int) -> Floats:
        """The integral of u^power e^(-rate u) P(alive at T + u | alive at T) over u in (0, t)."""
        at_beta = self.beta + T
        end = np.log1p((min(t, 45.0 / rate) if rate > 0 else t) / at_beta)
        if self.s > 2.0:  # the integrand is negligible beyond
            end = np.minimum(end, 60.0 / (self.s - 2.0))
        total = np.zeros_like(T)
        for point, share in zip(*TIME_NODES, strict=True):
            w = 0.5 * end * (1.0 + point)  # w = ln(1 + u / (beta + T))
            u = at_beta * np.expm1(w)
            total += share * u**power * np.exp((1.0 - self.s) * w - rate * u)
        return 0.5 * end * at_beta * total


def fit(groups: pa.Table) -> ParetoNbd:
    """Maximum likelihood from one row per distinct (frequency, recency_days, age_days) and its customers."""
    data = rows(groups, ParetoNbd.model)
    optimum = maximise_in_stages(likelihood, data, _starts(data), upper=(HIGHEST, 1e6, HIGHEST, 1e6))
    return ParetoNbd.at(optimum, float(data.n.sum()))


def _starts(data: Rows) -> list[tuple[float, float, float, float]]:
    bought = float(np.sum(data.n * data.x))
    active = float(np.sum(data.n * (data.t_x + data.T) / 2)) + 1e-9
    age = float(np.sum(data.n * data.T) / np.sum(data.n)) + 1e-3
    week = active / max(bought, 1.0)
    return [(r, min(max(r * week, 1e-3), 1e5), s, ages * age) for r, s, ages in STARTS]
