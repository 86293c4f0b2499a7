"""Order values: the Gamma-Gamma model.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Colombo & Jiang (1999), "A Stochastic RFM
Model". An order value is z ~ Gamma(p, nu), with nu ~ Gamma(q, gamma) across customers, independent of
purchase frequency. ``x`` is the number of repeat purchases and ``m`` their mean value; the first purchase is
excluded, as in the models of purchase counts (BG/NBD and its like).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import special

from include.models.purchases.fitted import Fitted
from include.models.purchases.likelihood import HIGHEST, Evaluation, Floats, margin, maximise, numbers

BLOCK = 8_192  # a dot product of this size uses one thread, so sums are reproducible
COARSE_ROWS = 4_000
MIN_TAIL = 1.5
"""Least q of a usable mean: below it the mean is infinite, or too unstable to estimate from a sample."""
MIN_VARIANCE_TAIL = 2.1


@dataclass(frozen=True, kw_only=True)
class GammaGamma(Fitted):
    """Fitted parameters; gamma is in the firm's currency, p and q have no unit.

    ``observed_spend`` is the average value of a repeat order, used where the model has no finite mean.
    """

    model: ClassVar[str] = "gammagamma"
    symbols: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    p: float
    q: float
    gamma: float
    observed_spend: float

    def expected_spend(self, x: Floats, m: Floats) -> Floats:
        """E[value of an order | x, m] (eq. 5): p (gamma + x m) / (p x + q - 1).

        With q <= 1 the mean across customers is infinite and the formula turns negative; a customer whose
        px + q is under ``MIN_TAIL`` gets the firm's own average order instead.
        """
        tail = self.p * x + self.q
        mean = self.p * (self.gamma + x * m) / np.maximum(tail - 1.0, MIN_TAIL - 1.0)
        return np.where(tail >= MIN_TAIL, mean, self.observed_spend)

    def second_moments(self, x: Floats, m: Floats) -> tuple[Floats, Floats]:
        """E[z^2] of one order and E[z z'] of two orders of the customer, given x and m.

        The two orders share the customer's nu, so they are dependent. The tail index is at least 2.1,
        where the variance is large but finite.
        """
        tail = np.maximum(self.p * x + self.q, MIN_VARIANCE_TAIL)
        two = self.expected_spend(x, m) ** 2 * (tail - 1.0) / (tail - 2.0)
        return two * (self.p + 1.0) / self.p, two


def fit(groups: pa.Table) -> GammaGamma:
    """Maximum likelihood from rows of frequency, mean_spend and the customers that share them.

    Customers without a repeat purchase, or with repeat spend of 0, are excluded: they carry no information on
    the spread between customers. ValueError if none is left.
    """
    x = numbers(groups, "frequency", GammaGamma.model)
    m = numbers(groups, "mean_spend", GammaGamma.model)
    n = numbers(groups, "customers", GammaGamma.model)
    keep = (x > 0) & (m > 0) & (n > 0)
    if not keep.any():
        raise ValueError("gammagamma: no customer with a repeat purchase and positive mean_spend")
    x, total, n = x[keep], x[keep] * m[keep], n[keep]
    x, total, n = _in_order(x, total, n)
    # in units of the average order, so the search does not depend on the currency
    unit = float(np.sum(n * total) / np.sum(n * x))
    total = total / unit
    step = max(1, len(x) // COARSE_ROWS)
    upper = (HIGHEST, HIGHEST, 1e6)
    few = _likelihood(x[::step], total[::step], n[::step])
    starts = ((1.0, 2.0, 1.0), (5.0, 3.0, 0.5), (2.0, 10.0, 5.0))
    best = max(
        (maximise(few, np.log(start), upper=upper) for start in starts),
        key=lambda optimum: optimum.log_likelihood,
    )
    if step > 1:
        best = maximise(_likelihood(x, total, n), np.log(best.params), upper=upper)
    fitted = GammaGamma.at(best, float(np.sum(n)), observed_spend=unit)
    return replace(
        fitted,
        gamma=fitted.gamma * unit,
        log_likelihood=fitted.log_likelihood - fitted.customers * float(np.log(unit)),
    )


def histories(batch: pa.Table | pa.RecordBatch) -> tuple[Floats, Floats]:
    """x and m (currency), one element per row; m is 0 without repeat purchases or if it is negative."""
    x = numbers(batch, "frequency", GammaGamma.model)
    spend = batch.column("mean_spend")
    m = numbers(pa.table({"mean_spend": pc.fill_null(spend, 0)}), "mean_spend", GammaGamma.model)
    return x, np.where(x > 0, np.maximum(m, 0.0), 0.0)


def _in_order(x: Floats, total: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Sort the rows canonically, so the result does not depend on the order of the input."""
    if n.min() == n.max() and x.max() < 65_536:
        # one weight for all: sort the totals within each x, several times faster than a lexsort
        order = np.argsort(x.astype(np.uint16), kind="stable")
        x, total = x[order], total[order]
        ends = np.flatnonzero(np.diff(x)) + 1
        for part in np.split(total, ends):
            part.sort()
        return x, total, n
    order = np.lexsort((n, total, x))
    return x[order], total[order], n[order]


def _likelihood(x: Floats, total: Floats, n: Floats) -> Callable[[Floats], Evaluation]:
    """The log-likelihood of (p, q, gamma) with its exact gradient and Hessian; ``total`` is x m.

    A customer adds

        ln G(px+q) - ln G(px) - ln G(q) + q ln gamma + px ln(x m) - ln m - (px+q) ln(gamma + x m)

    Only the last term needs all rows (six sums); the other terms need the distinct values of x.
    """
    x_values, x_count = margin(x, n)
    customers, n_x = float(np.sum(n)), n * x
    log_total = np.log(total)
    bought = float(np.sum(n_x * log_total))
    constant = -float(np.sum(n * (log_total - np.log(x))))
    slices = [slice(i, i + BLOCK) for i in range(0, len(x), BLOCK)]

    def evaluate(theta: Floats) -> Evaluation:
        p, q, gamma = theta.tolist()
        sums = np.zeros((3, 2))
        for part in slices:
            spent = gamma + total[part]
            over = 1.0 / spent
            for i, term in enumerate((np.log(spent), over, over * over)):
                sums[i] += np.dot(n[part], term), np.dot(n_x[part], term)
        (log_n, log_x), (over_n, over_x), (over2_n, over2_x) = sums.tolist()
        p_x = p * x_values
        value = (
            float(np.sum(x_count * (special.gammaln(p_x + q) - special.gammaln(p_x))))
            + customers * (q * np.log(gamma) - float(special.gammaln(q)))
            + p * bought
            + constant
            - p * log_x
            - q * log_n
        )
        psi, psi1 = special.psi(p_x + q), special.zeta(2.0, p_x + q)
        slope = np.array(
            [
                float(np.sum(x_count * x_values * (psi - special.psi(p_x)))) + bought - log_x,
                float(np.sum(x_count * psi)) + customers * (np.log(gamma) - special.psi(q)) - log_n,
                customers * q / gamma - p * over_x - q * over_n,
            ]
        )
        p_p = float(np.sum(x_count * x_values**2 * (psi1 - special.zeta(2.0, p_x))))
        p_q = float(np.sum(x_count * x_values * psi1))
        q_q = float(np.sum(x_count * psi1)) - customers * float(special.zeta(2.0, q))
        q_gamma = customers / gamma - over_n
        gamma_gamma = p * over2_x + q * over2_n - customers * q / gamma**2
        curve = [[p_p, p_q, -over_x], [p_q, q_q, q_gamma], [-over_x, q_gamma, gamma_gamma]]
        return value, slope, np.array(curve)

    return evaluate
