"""Shared part of BG/NBD and MBG/NBD: gamma purchase rates, beta dropout probabilities.

A customer buys at rate lambda ~ Gamma(r, alpha). At each dropout opportunity it leaves with probability
p ~ Beta(a, b). A customer alive after x repeat purchases has had ``k`` opportunities: x in BG/NBD (none after
the first purchase), x + 1 in MBG/NBD. This is the only difference between the two models.

Conditional on being alive at T, the posterior depends on (x, T) only: lambda ~ Gamma(r + x, alpha + T) and
p ~ Beta(a, b + k). The average over lambda has a closed form. The average over p uses quadrature, because the
textbook 2F1 form has poles at a = 1 and at a + b < 1. The arguments ``n`` and ``exposure`` are the parameters
of that gamma distribution, r + x and alpha + T.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from include.models.purchases.fitted import Fitted
from include.models.purchases.likelihood import (
    HIGHEST,
    Evaluation,
    Floats,
    Rows,
    margin,
    maximise_in_stages,
    rows,
)

Model = TypeVar("Model", bound=Fitted)

BLOCK = 8_192  # fits the cache; BLAS uses one thread at this size, so sums are reproducible
P_NODES = 64
SHORT, LONG = np.polynomial.legendre.leggauss(20), np.polynomial.legendre.leggauss(48)
PANEL_NODES = 12
TAIL = 1e-14
_CHEBYSHEV = np.cos(np.pi * (np.arange(PANEL_NODES) + 0.5) / PANEL_NODES)
_BARYCENTRIC = (-1.0) ** np.arange(PANEL_NODES) * np.sin(np.pi * (np.arange(PANEL_NODES) + 0.5) / PANEL_NODES)


def likelihood(data: Rows, *, first_chance: int) -> Callable[[Floats], Evaluation]:
    """The log-likelihood of (r, alpha, a, b) with its exact gradient and Hessian.

    ``first_chance`` is 0 for BG/NBD and 1 for MBG/NBD: opportunities to leave after the first purchase. With
    k = x + first_chance a customer adds

        ln G(r+x)/G(r) + r ln alpha + ln B(a, b+k)/B(a, b) - (r+x) ln(alpha+T) + ln(1 + e^u)

    where u = ln a - ln(b+k-1) + (r+x) ln((alpha+T)/(alpha+t_x)) is the log-odds of having left; the last
    term is absent when k = 0, so the loop skips those rows.
    """
    x_values, x_count = margin(data.x, data.n)
    ages, age_count, age_purchases = margin(data.T, data.n, data.n * data.x, unit=1 / 7)
    customers, k_values = float(data.n.sum()), x_values + first_chance
    some = slice(0 if first_chance else int(np.count_nonzero(data.x == 0)), None)  # sorted by x
    x, t_x, T, n = data.x[some], data.t_x[some], data.T[some], data.n[some]
    slices = [slice(i, i + BLOCK) for i in range(0, len(x), BLOCK)]

    def evaluate(theta: Floats) -> Evaluation:
        r, alpha, a, b = theta.tolist()
        late = alpha + ages
        exponent = r * age_count + age_purchases
        value = (
            float(np.sum(x_count * (special.gammaln(r + x_values) - special.gammaln(r))))
            + customers * r * np.log(alpha)
            + float(np.sum(x_count * (special.betaln(a, b + k_values) - special.betaln(a, b))))
            - float(np.sum(exponent * np.log(late)))
        )
        slope, curve = np.zeros(4), np.zeros((4, 4))
        slope[0] = float(np.sum(x_count * (special.psi(r + x_values) - special.psi(r))))
        slope[0] += customers * np.log(alpha) - float(np.sum(age_count * np.log(late)))
        slope[1] = customers * r / alpha - float(np.sum(exponent / late))
        psi_ab = special.psi(a + b) - special.psi(a + b + k_values)
        slope[2] = float(np.sum(x_count * psi_ab))
        slope[3] = float(np.sum(x_count * (special.psi(b + k_values) - special.psi(b) + psi_ab)))
        curve[0, 0] = float(np.sum(x_count * (_psi1(r + x_values) - _psi1(r))))
        curve[0, 1] = customers / alpha - float(np.sum(age_count / late))
        curve[1, 1] = float(np.sum(exponent / late**2)) - customers * r / alpha**2
        psi1_ab = _psi1(a + b) - _psi1(a + b + k_values)
        curve[2, 2] = curve[2, 3] = float(np.sum(x_count * psi1_ab))
        curve[3, 3] = float(np.sum(x_count * (_psi1(b + k_values) - _psi1(b) + psi1_ab)))

        u_slope = np.empty((4, min(BLOCK, len(x))))
        u_slope[2] = 1.0 / a
        for part in slices:
            chances = b - 1.0 + x[part] + first_chance
            end, last = alpha + T[part], alpha + t_x[part]
            over_end, over_last, r_x = 1.0 / end, 1.0 / last, r + x[part]
            du = u_slope[:, : len(end)]
            np.log(end * over_last, out=du[0])
            np.multiply(r_x, over_end - over_last, out=du[1])
            np.divide(-1.0, chances, out=du[3])
            # u is bounded below, by ln(a / chances), so e^-u cannot overflow
            u = r_x * du[0]
            u += np.log(a / chances)
            odds_stayed = np.exp(-u)
            left = 1.0 / (1.0 + odds_stayed)
            value += float(np.dot(n[part], u - np.log(left)))
            weight = n[part] * left
            slope += [np.dot(weight, row) for row in du]
            curve += ((weight * left * odds_stayed) * du) @ du.T
            curve[0, 1] += np.dot(weight, over_end - over_last)
            curve[1, 1] -= np.dot(weight * du[1], over_end + over_last)
            curve[2, 2] -= float(np.sum(weight)) / a**2
            curve[3, 3] += np.dot(weight * du[3], du[3])
        # the lower triangle holds only what the outer products put there
        return value, slope, np.triu(curve) + np.triu(curve, 1).T

    return evaluate


def _psi1(z: Floats | float) -> Floats:
    return special.zeta(2.0, z)


def starts(data: Rows) -> list[tuple[float, float, float, float]]:
    """Several starting points (r, alpha, a, b): the likelihood can have several maxima if dropout is rare."""
    purchases = float(np.sum(data.n * data.x))
    active = float(np.sum(data.n * (data.t_x + data.T) / 2)) + 1e-9
    week = active / max(purchases, 1.0)
    return [
        (r, min(max(r * week, 1e-3), 1e5), a, b)
        for r, a, b in ((0.5, 0.5, 1.5), (2.0, 0.2, 2.0), (1.0, 2.0, 8.0), (1.0, 0.02, 4.0))
    ]


def fit(groups: pa.Table, model: type[Model], *, first_chance: int) -> Model:
    """Fit BG/NBD (``first_chance`` 0) or MBG/NBD (1) to grouped purchase histories."""
    data = rows(groups, model.model)
    optimum = maximise_in_stages(
        lambda part: likelihood(part, first_chance=first_chance),
        data,
        starts(data),
        upper=(HIGHEST, 1e6, HIGHEST, HIGHEST),
    )
    return model.at(optimum, float(data.n.sum()))


def chances_nodes(a: float, b_k: Floats) -> tuple[Floats, Floats, Floats]:
    """Nodes p, weights, and mean of p ~ Beta(a, b_k), one row per element of ``b_k``.

    The trapezoid rule in v = ln(p / (1-p)), where a beta density has exponential tails. Its error is at most
    1e-9 once the function is reduced by its chord from p = 0 to p = 1 (see ``average``).
    """
    b_k = np.asarray(b_k, dtype=np.float64)[:, None]
    low = special.betaincinv(a + 1.0, b_k + 1.0, TAIL)
    high = special.betaincinv(b_k + 1.0, a + 1.0, TAIL)  # 1 - p, without cancellation
    v_low, v_high = np.log(low) - np.log1p(-low), np.log1p(-high) - np.log(high)
    width = (v_high - v_low) / (P_NODES - 1)
    v = v_low + width * np.arange(P_NODES)
    spread = np.logaddexp(0.0, -v)
    log_density = -a * spread - b_k * (v + spread) - special.betaln(a, b_k)
    return np.exp(-spread), width * np.exp(log_density), a / (a + b_k)


def average(
    f: Callable[[Floats, Floats, Floats], Floats], n: Floats, exposure: Floats, *, a: float, b_k: Floats
) -> Floats:
    """E[f(n, exposure, p)] over p ~ Beta(a, b_k), elementwise in n, exposure and b_k.

    f is evaluated at Chebyshev points of fixed unit panels of ln exposure, once per distinct (n, panel),
    and interpolated. A customer's value does not depend on its batch.
    """
    log_exposure = np.log(exposure)
    panel = np.floor(log_exposure)
    _, n_index = np.unique(n, return_inverse=True)
    _, first, where = np.unique(n_index * 4096 + panel, return_index=True, return_inverse=True)
    distinct = np.stack([n[first], panel[first]], axis=1)
    p, weight, mean = chances_nodes(a, b_k[first])
    nodes = np.exp(distinct[:, 1:2] + 0.5 + 0.5 * _CHEBYSHEV)
    table = np.empty_like(nodes)
    level = 1.0 - np.sum(weight, axis=1, keepdims=True)
    slope = mean - np.sum(weight * p, axis=1, keepdims=True)
    for i in range(0, len(distinct), 64):
        part = slice(i, i + 64)
        n_i, exposure_i, p_i = distinct[part, 0, None, None], nodes[part, :, None], p[part, None, :]
        none, all_ = f(n_i, exposure_i, np.zeros(1))[..., 0], f(n_i, exposure_i, np.ones(1))[..., 0]
        # the chord is averaged exactly, the remainder by the nodes; neither is stored
        weighted = f(n_i, exposure_i, p_i)
        weighted *= weight[part, None, :]
        table[part] = level[part] * none + slope[part] * (all_ - none) + np.sum(weighted, axis=-1)
    shares, at = _shares(log_exposure)
    out = np.empty(len(n))
    for i in range(0, len(n), 1024):
        part = slice(i, i + 1024)
        out[part] = np.einsum("ij,ij->i", shares[at[part]], table[where[part]])
    return out


def _shares(log_exposure: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Interpolation weights, shape (distinct exposures, nodes), and each customer's row in them."""
    distinct, at = np.unique(log_exposure, return_inverse=True)
    position = 2.0 * (distinct - np.floor(distinct)) - 1.0
    shares = np.empty((len(distinct), PANEL_NODES))
    for i in range(0, len(distinct), 1024):
        part = slice(i, i + 1024)
        offset = position[part, None] - _CHEBYSHEV
        share = _BARYCENTRIC / np.where(np.abs(offset) < 1e-15, 1e-15, offset)
        shares[part] = share / np.sum(share, axis=1, keepdims=True)
    return shares, at


def purchases_if_alive(n: Floats, exposure: Floats, t: float, *, a: float, b_k: Floats) -> Floats:
    """E[Y(t) | alive]: the mean of (1 - e^(-lambda p t)) / p."""

    def f(n: Floats, exposure: Floats, p: Floats) -> Floats:
        p = np.maximum(p, 1e-200)
        return -np.expm1(-n * np.log1p(p * (t / exposure))) / p

    return average(f, n, exposure, a=a, b_k=b_k)


def pairs_if_alive(n: Floats, exposure: Floats, t: float, *, a: float, b_k: Floats) -> Floats:
    """E[Y(t) (Y(t) - 1) | alive].

    The mean of 2 (1-p) ((1 - e^-m) / p - lambda t e^-m) / p, where m = lambda p t.
    """

    def f(n: Floats, exposure: Floats, p: Floats) -> Floats:
        z = t / exposure
        y = p * z
        series = 0.5 - (n + 2) * y * (1 / 3 - (n + 3) * y * (1 / 8 - (n + 4) * y / 30))
        near = (n + 4) * y < 1e-3  # the two terms cancel there
        p_far, log_far = np.where(near, 1.0, p), np.log1p(np.where(near, z, y))
        far = (-np.expm1(-n * log_far) / p_far - n * z * np.exp(-(n + 1) * log_far)) / p_far
        return 2 * (1 - p) * np.where(near, n * (n + 1) * z**2 * series, far)

    return average(f, n, exposure, a=a, b_k=b_k)


def discounted_if_alive(
    n: Floats, exposure: Floats, t: float, *, rate: float, a: float, b_k: Floats
) -> Floats:
    """The integral of e^(-rate u) E[purchase rate at T + u | alive] du over (0, t); t may be infinite.

    In w = ln(1 + u / exposure) the integrand is smooth for every alpha, so Gauss-Legendre converges fast.
    """
    end = min(t, 45.0 / rate) if rate > 0 else t
    points, shares = SHORT if end < 200 else LONG

    def f(n: Floats, exposure: Floats, p: Floats) -> Floats:
        half = 0.5 * np.log1p(end / exposure)
        total = np.zeros(np.broadcast_shapes(n.shape, exposure.shape, p.shape))
        for point, share in zip(points, shares, strict=True):
            w = half * (1.0 + point)
            z = np.expm1(w)
            total += share * np.exp(w - rate * exposure * z) * half * n * np.exp(-(n + 1) * np.log1p(p * z))
        return total

    return average(f, n, exposure, a=a, b_k=b_k)
