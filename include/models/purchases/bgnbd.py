"""Buy-till-you-die purchase counts: the BG/NBD model.

Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24(2). While alive a customer buys at a Poisson rate lambda ~ Gamma(r, alpha), and
leaves with probability p ~ Beta(a, b) after each repeat purchase; a one-time buyer is alive by definition.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from include.models.purchases import betageometric
from include.models.purchases import model as purchases
from include.models.purchases.betageometric import BLOCK
from include.models.purchases.likelihood import DAYS_PER_WEEK, Floats


@dataclass(frozen=True, kw_only=True)
class BgNbd(purchases.PurchaseModel):
    """Fitted parameters; alpha is in weeks, the others have no unit."""

    model: ClassVar[str] = "bgnbd"
    symbols: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    first_chance: ClassVar[int] = 0

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive at T | x, t_x, T), from the two terms of the likelihood."""
        alive = np.empty(np.broadcast(x, t_x, T).shape)
        for i in range(0, len(alive), BLOCK):  # blocks that fit the processor's cache
            part = slice(i, i + BLOCK)
            n = self.r + x[part]
            odds_left = np.log(self.alpha + T[part])
            odds_left *= n
            odds_left += np.log(self.a) - self._log_chances(x[part])
            n *= np.log(self.alpha + t_x[part])
            odds_left -= n
            np.minimum(odds_left, 650.0, out=odds_left)
            np.exp(odds_left, out=odds_left)
            if not self.first_chance:  # a one-time buyer is alive by definition
                odds_left *= np.minimum(x[part], 1.0)
            odds_left += 1.0
            np.divide(1.0, odds_left, out=alive[part])
        return alive

    def _log_chances(self, x: Floats) -> Floats:
        """ln(b + k - 1), with k >= 1 the opportunities to leave so far."""
        return np.log(np.maximum(x, 1.0 - self.first_chance) + (self.first_chance - 1.0 + self.b))

    def left_by_day(self, most: int, days: int) -> tuple[Floats, Floats]:
        """Log-odds of having left, as tables by whole days; see ``PurchaseModel``."""
        x = np.arange(most + 1.0)[:, None]
        at_last = (self.r + x) * np.log(self.alpha + np.arange(days) / DAYS_PER_WEEK)
        at_end = at_last + (np.log(self.a) - self._log_chances(x))
        if not self.first_chance:  # a one-time buyer is alive by definition
            at_end[0] = -np.inf
        return at_end, at_last

    def purchases_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) | alive at T], the factor beside P(alive) in eq. 10."""
        return betageometric.purchases_if_alive(*self._alive_posterior(x, T), t, **self._p(x))

    def pairs_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """E[Y(t) (Y(t) - 1) | alive at T]."""
        return betageometric.pairs_if_alive(*self._alive_posterior(x, T), t, **self._p(x))

    def none_if_alive(self, x: Floats, T: Floats, t: float) -> Floats:
        """P(Y(t) = 0 | alive at T): the customer stays alive until the next purchase."""
        return np.exp(-(self.r + x) * np.log1p(t / (self.alpha + T)))

    def discounted_if_alive(self, x: Floats, T: Floats, t: float, rate: float) -> Floats:
        """Expected purchases in (T, T + t) if alive, each discounted to T at ``rate`` a week."""
        posterior = self._alive_posterior(x, T)
        return betageometric.discounted_if_alive(*posterior, t, rate=rate, **self._p(x))

    def _alive_posterior(self, x: Floats, T: Floats) -> tuple[Floats, Floats]:
        return self.r + x, self.alpha + T

    def _p(self, x: Floats) -> dict:
        return {"a": self.a, "b_k": self.b + x + self.first_chance}


def fit(groups: pa.Table) -> BgNbd:
    """Maximum likelihood from one row per distinct (frequency, recency_days, age_days) and its customers."""
    return betageometric.fit(groups, BgNbd, first_chance=BgNbd.first_chance)
