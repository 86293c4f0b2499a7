"""The Pareto/NBD log-likelihood with its exact gradient and Hessian, by quadrature.

The integrand is a product of two decays, (1 + y/a)^-e (1 + y/b)^-f over y in (0, t). With c = min(a, b) and
w = ln(1 + y/c) it is analytic in a strip of half-width pi around the axis for all parameters, so
Gauss-Legendre quadrature converges geometrically. The range is cut where the integrand is negligible.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from include.models.purchases.likelihood import Evaluation, Floats, Rows, margin

BLOCK = 1_024
CUT = 40.0  # e^-40 of the integrand's first value
# nodes that suffice for a range of w up to `width` over which the integrand falls by up to e^-`fall`
RULES = ((8, 1.0, 2.0), (16, 4.0, 14.0), (48, np.inf, np.inf))
GAUSS = {nodes: np.polynomial.legendre.leggauss(nodes) for nodes in (8, 16, 32, 48, 96)}


def decay_integral(e: Floats, f: float, a: Floats, b: Floats, t: Floats, *, finer: int = 1) -> Floats:
    """The integral of (1 + y/a)^-e (1 + y/b)^-f over y in (0, t), elementwise.

    ``finer`` (1 or 2) multiplies the number of nodes, to check the accuracy.
    """
    total = np.zeros_like(t)
    for nodes, which, end in _ranges(e, f, a, b, t):
        c = np.minimum(a[which], b[which])
        part = np.zeros_like(end)
        for point, share in zip(*GAUSS[nodes * finer], strict=True):
            w = 0.5 * end * (1.0 + point)
            y = c * np.expm1(w)
            log_value = w - e[which] * np.log1p(y / a[which]) - f * np.log1p(y / b[which])
            part += share * np.exp(log_value)
        total[which] = 0.5 * end * c * part
    return total


def _ranges(
    e: Floats, f: float, a: Floats, b: Floats, t: Floats
) -> Iterator[tuple[int, NDArray[np.intp], Floats]]:
    """Rows by the number of nodes they need, with the end of their range of w."""
    c, far = np.minimum(a, b), np.maximum(a, b)
    e_c, e_far = np.where(a <= b, e, f), np.where(a <= b, f, e)

    def fall(w: Floats, i: NDArray) -> Floats:
        return (e_c[i] - 1.0) * w + e_far[i] * np.log1p(c[i] / far[i] * np.expm1(w))

    end = np.log1p(t / c)
    depth = fall(end, np.arange(len(t)))
    long = np.flatnonzero(depth > CUT)
    w = end[long]
    for _ in range(12):  # Newton from the right on a convex function never crosses the root
        grown = c[long] * np.exp(w)
        slope = e_c[long] - 1.0 + e_far[long] * grown / (far[long] - c[long] + grown)
        w = w - np.maximum(fall(w, long) - CUT, 0.0) / np.maximum(slope, 1e-12)
    end[long], depth[long] = w, fall(w, long)
    left = np.ones(len(t), dtype=bool)
    for nodes, width, deepest in RULES:
        chosen = left & (end <= width) & (depth <= deepest)
        left &= ~chosen
        which = np.flatnonzero(chosen)
        if len(which):
            yield nodes, which, end[which]


def likelihood(data: Rows) -> Callable[[Floats], Evaluation]:
    """The log-likelihood of (r, alpha, s, beta) with its exact gradient and Hessian.

    A customer adds ln G(r+x)/G(r) + r ln alpha + s ln beta + ln(e^u + e^v): u is the log-density of being
    alive at T, v that of having left somewhere between t_x and T.
    """
    x_values, x_count = margin(data.x, data.n)
    customers = float(data.n.sum())

    def evaluate(theta: Floats) -> Evaluation:
        r, alpha, s, beta = theta.tolist()
        slope, curve = np.zeros(4), np.zeros((4, 4))
        value = float(np.sum(x_count * (special.gammaln(r + x_values) - special.gammaln(r))))
        value += customers * (r * np.log(alpha) + s * np.log(beta))
        slope[0] = float(np.sum(x_count * (special.psi(r + x_values) - special.psi(r))))
        slope += customers * np.array([np.log(alpha), r / alpha, np.log(beta), s / beta])
        curve[0, 0] = float(np.sum(x_count * (special.zeta(2, r + x_values) - special.zeta(2, r))))
        curve[0, 1], curve[1, 1] = customers / alpha, -customers * r / alpha**2
        curve[2, 3], curve[3, 3] = customers / beta, -customers * s / beta**2

        at, at_beta = alpha + data.t_x, beta + data.t_x
        for nodes, which, end in _ranges(r + data.x, s + 1.0, at, at_beta, data.T - data.t_x):
            points, shares = GAUSS[nodes]
            for i in range(0, len(which), BLOCK):
                rows, ends = which[i : i + BLOCK], end[i : i + BLOCK]
                some = Rows(data.x[rows], data.t_x[rows], data.T[rows], data.n[rows])
                more = _block(some, theta, np.maximum(ends, 1e-250), points, shares)
                value, slope, curve = value + more[0], slope + more[1], curve + more[2]
        return value, slope, np.triu(curve) + np.triu(curve, 1).T

    return evaluate


def _block(data: Rows, theta: Floats, end: Floats, points: Floats, shares: Floats) -> Evaluation:
    """The sum over rows of n ln(e^u + e^v), its gradient, and the upper half of its Hessian."""
    r, alpha, s, beta = theta.tolist()
    n_x, at, at_beta = r + data.x, alpha + data.t_x, beta + data.t_x
    c = min(alpha, beta) + data.t_x
    w = np.multiply.outer(0.5 * (1.0 + points), end)
    y = c * np.expm1(w)
    # features of the integrand: how far each decay has gone, and its rate, at every node
    z, z_beta = at + y, at_beta + y
    gone, gone_beta = np.log(z / at), np.log(z_beta / at_beta)
    near, near_beta = 1.0 / z, 1.0 / z_beta
    mass = np.exp(w - n_x * gone - (s + 1.0) * gone_beta)
    mass *= shares[:, None]
    total = mass.sum(axis=0)
    mass /= total
    features = (-gone, -n_x * near, -gone_beta, -(s + 1.0) * near_beta)
    means = [np.einsum("kb,kb->b", mass, feature) for feature in features]

    log_end, log_end_beta = np.log((alpha + data.T) / at), np.log((beta + data.T) / at_beta)
    over_end, over_end_beta = 1.0 / (alpha + data.T), 1.0 / (beta + data.T)
    # both measured from the decays at t_x, which is added back at the end
    u = -n_x * log_end - s * log_end_beta
    v = np.log(0.5 * s * end * c / at_beta) + np.log(total)
    small = np.exp(-np.abs(v - u))
    left = np.where(v > u, 1.0, small) / (1.0 + small)
    log_at, log_at_beta = np.log(at), np.log(at_beta)
    start = -n_x * log_at - s * log_at_beta
    value = float(np.sum(data.n * (start + np.maximum(u, v) + np.log1p(small))))

    u_slope = (-log_end, -n_x * over_end, -log_end_beta, -s * over_end_beta)
    v_slope = (means[0], means[1], means[2] + 1.0 / s, means[3])
    weight, stay = data.n * left, data.n * (1.0 - left)
    slope = np.array([float(np.sum(stay * u_slope[i] + weight * v_slope[i])) for i in range(4)])
    slope[0] -= float(np.sum(data.n * log_at))
    slope[2] -= float(np.sum(data.n * log_at_beta))

    curve = np.zeros((4, 4))
    for i in range(4):
        heavy = mass * features[i]
        for j in range(i, 4):
            spread = np.einsum("kb,kb->b", heavy, features[j]) - means[i] * means[j]
            apart = (v_slope[i] - u_slope[i]) * (v_slope[j] - u_slope[j])
            curve[i, j] = float(np.sum(weight * (spread + (1.0 - left) * apart)))
    mean_near2 = np.einsum("kb,kb,kb->b", mass, near, near)
    mean_near2_beta = np.einsum("kb,kb,kb->b", mass, near_beta, near_beta)
    curve[0, 1] += float(np.sum(weight * means[1] / n_x - stay * over_end))
    curve[1, 1] += float(np.sum(n_x * (weight * mean_near2 + stay * over_end**2)))
    curve[2, 2] -= float(np.sum(weight)) / s**2
    curve[2, 3] += float(np.sum(weight * means[3] / (s + 1.0) - stay * over_end_beta))
    curve[3, 3] += float(np.sum((s + 1.0) * weight * mean_near2_beta + s * stay * over_end_beta**2))
    return value, slope, curve
