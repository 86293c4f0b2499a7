"""Six regimes of simulated firms, chosen to be unkind: none may fail, be NaN, or end below the truth."""

import numpy as np
import pytest

from include.models.purchases import bgnbd, mbgnbd, paretonbd
from include.models.purchases.betageometric import likelihood as beta_likelihood
from include.models.purchases.likelihood import group, rows
from include.models.purchases.paretonbd_likelihood import likelihood as pareto_likelihood

SEEDS = range(10)
# In order: r, alpha in weeks, a, b and how many customers.
BETA_REGIMES = {
    "like CDNOW": (0.24, 4.4, 0.79, 2.4, 1200),
    "a subscription": (8.0, 4.0, 0.5, 20.0, 600),
    "one and done": (0.1, 3.0, 3.0, 1.0, 1500),
    "nobody leaves": (1.5, 10.0, 0.01, 5.0, 600),
    "alike customers": (60.0, 200.0, 40.0, 160.0, 600),
    "few customers": (0.5, 8.0, 0.8, 1.5, 60),
}
# In order: r, alpha in weeks, s, beta in weeks and how many customers.
PARETO_REGIMES = {
    "like CDNOW": (0.55, 10.6, 0.61, 11.7, 800),
    "a subscription": (8.0, 4.0, 1.5, 60.0, 300),
    "gone at once": (0.5, 5.0, 2.0, 4.0, 1200),
    "nobody leaves": (1.5, 10.0, 0.01, 50.0, 600),
    "alike customers": (60.0, 200.0, 40.0, 1600.0, 600),
    "few customers": (0.5, 8.0, 0.6, 10.0, 60),
}


def histories(rng, rate, leaves, chance, first_chance):
    """Whole-day histories; a customer leaves at time ``leaves``, or with ``chance`` after an order."""
    ages = rng.integers(27 * 7, 40 * 7, len(rate))
    out = []
    for i, age in enumerate(ages):
        orders = np.cumsum(rng.exponential(1 / max(rate[i], 1e-9), rng.poisson(rate[i] * 45) + 5))
        orders = orders[orders < min(age / 7, leaves[i])]
        stay = rng.random(len(orders) + first_chance) >= chance[i]
        left = np.flatnonzero(~stay)
        if len(left):
            orders = orders[: left[0] + 1 - first_chance]
        days = np.unique(np.ceil(orders * 7).astype(int))
        days = days[days <= age]
        out.append((len(days), days[-1] if len(days) else 0, age))
    return group(*np.array(out).T)


def finite(fitted) -> bool:
    return bool(np.isfinite([fitted.log_likelihood, *fitted.values, *fitted.covariance]).all())


@pytest.mark.parametrize("first_chance", [0, 1])
@pytest.mark.parametrize("regime", BETA_REGIMES)
def test_beta_geometric_fits_never_fail(regime, first_chance):
    r, alpha, a, b, customers = BETA_REGIMES[regime]
    model = mbgnbd if first_chance else bgnbd

    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        chance = rng.beta(a, b, customers)
        never = np.full(customers, np.inf)
        groups = histories(rng, rng.gamma(r, 1 / alpha, customers), never, chance, first_chance)
        fitted = model.fit(groups)

        truth = beta_likelihood(rows(groups, "test"), first_chance=first_chance)
        assert finite(fitted)
        assert fitted.is_converged
        assert fitted.log_likelihood >= truth(np.array([r, alpha, a, b]))[0] - 1e-6


@pytest.mark.parametrize("regime", PARETO_REGIMES)
def test_pareto_fits_never_fail(regime):
    r, alpha, s, beta, customers = PARETO_REGIMES[regime]

    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        leaves = rng.exponential(1 / np.maximum(rng.gamma(s, 1 / beta, customers), 1e-12))
        rate = rng.gamma(r, 1 / alpha, customers)
        groups = histories(rng, rate, leaves, np.zeros(customers), 0)
        fitted = paretonbd.fit(groups)

        truth = pareto_likelihood(rows(groups, "test"))
        assert finite(fitted)
        assert fitted.is_converged
        assert fitted.log_likelihood >= truth(np.array([r, alpha, s, beta]))[0] - 1e-6
