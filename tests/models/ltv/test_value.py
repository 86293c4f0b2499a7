import numpy as np
import pyarrow as pa
import pytest
from scipy import special

from include.models.ltv import value
from include.models.ltv.prediction import SPANS
from include.models.purchases import bgnbd, gammagamma, paretonbd
from include.models.purchases import model as purchases
from include.models.purchases.bgnbd import BgNbd
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.mbgnbd import MbgNbd
from include.models.purchases.paretonbd import ParetoNbd

FIT = {"log_likelihood": 0.0, "customers": 1, "is_boundary": False, "is_converged": True}
BG = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426, covariance=(0.0,) * 16, **FIT)
MBG = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614, covariance=(0.0,) * 16, **FIT)
PARETO = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669, covariance=(0.0,) * 16, **FIT)
SPEND = GammaGamma(p=6.25, q=3.74, gamma=15.44, observed_spend=35.0, covariance=(0.0,) * 9, **FIT)
HISTORY = np.array([0.0, 2.0, 7.0]), np.array([0.0, 30.43, 35.0]), np.full(3, 38.86)


def simulate(rng, model, spend, customers, horizon_weeks):
    """Calibration histories with mean_spend, and what each customer really spends after them."""
    most = 120
    rate = rng.gamma(model.r, 1 / model.alpha, customers)
    ages = rng.integers(200, 600, customers)
    orders = np.cumsum(rng.exponential(1, (customers, most)), axis=1) / np.maximum(rate, 1e-9)[:, None]
    if isinstance(model, ParetoNbd):
        leaves = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, customers))[:, None]
        bought = orders <= leaves
    else:
        last = rng.geometric(np.maximum(rng.beta(model.a, model.b, customers), 1e-12))
        bought = np.arange(most) < last[:, None]
    known = bought & (orders <= ages[:, None] / 7)
    later = bought & ~known & (orders <= ages[:, None] / 7 + horizon_weeks)
    x, y = known.sum(axis=1), later.sum(axis=1)
    nu = rng.gamma(spend.q, 1 / spend.gamma, customers)
    m = np.where(x > 0, rng.gamma(spend.p * np.maximum(x, 1), 1 / nu) / np.maximum(x, 1), 0.0)
    spent = np.where(y > 0, rng.gamma(spend.p * np.maximum(y, 1), 1 / nu), 0.0)
    columns = {
        "frequency": x,
        "recency_days": np.where(known, orders, 0.0).max(axis=1) * 7,
        "age_days": ages.astype(float),
        "mean_spend": m,
        "customers": np.ones(customers),
    }
    return pa.record_batch(columns), spent


def histories(batch):
    """x, t_x and T in weeks, and m."""
    x, t_x, T, m = (batch.column(name).to_numpy().astype(float) for name in batch.schema.names[:4])
    return x, t_x / 7, T / 7, m


def test_pareto_dert_equals_the_closed_form_of_fader_hardie_lee_2005():
    rate, x, T = 0.15, HISTORY[0], HISTORY[2]

    got = value.discounted_purchases(PARETO, *HISTORY, horizon_days=np.inf, annual_discount_rate=rate)

    delta, at_beta = np.log1p(rate) * 7 / 365, PARETO.beta + T
    tricomi = special.hyperu(1.0, 2.0 - PARETO.s, delta * at_beta)
    dert = (PARETO.r + x) / (PARETO.alpha + T) * at_beta * tricomi * PARETO.alive(*HISTORY)
    np.testing.assert_allclose(got, dert, rtol=1e-8)


@pytest.mark.parametrize("model", [BG, MBG])
@pytest.mark.parametrize(("days", "rate"), [(365, 0.15), (np.inf, 0.15), (np.inf, 0.01)])
def test_discounted_purchases_agree_with_simulation(model, days, rate):
    rng, draws, delta, t = np.random.default_rng(4), 500_000, np.log1p(rate) * 7 / 365, days / 7
    x, t_x, T = (column[1:2] for column in HISTORY)
    lam = rng.gamma(model.r + x, 1 / (model.alpha + T), draws)
    p = rng.beta(model.a, model.b + x + model.first_chance, draws)
    # given lambda and p the flow at u is lambda e^(-lambda p u), discounted by e^(-delta u)
    speed = delta + lam * p
    drawn = lam * -np.expm1(-speed * min(t, 1e9)) / speed * model.alive(x, t_x, T)

    got = value.discounted_purchases(model, *HISTORY, horizon_days=days, annual_discount_rate=rate)

    assert got[1] == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(draws))


@pytest.mark.parametrize("model", [BG, MBG, PARETO])
def test_without_a_discount_a_year_is_the_expected_purchases_of_a_year(model):
    plain = purchases.expected(model, *HISTORY, horizon_days=365)

    undiscounted = value.discounted_purchases(model, *HISTORY, horizon_days=365, annual_discount_rate=0.0)

    np.testing.assert_allclose(undiscounted, plain, rtol=1e-9)


@pytest.mark.parametrize("model", [BG, PARETO])
def test_value_grows_with_the_horizon_and_falls_with_the_rate(model):
    def value_of(days, rate):
        return value.discounted_purchases(model, *HISTORY, horizon_days=days, annual_discount_rate=rate)

    year, three, life, dearer = (
        value_of(365, 0.1),
        value_of(1095, 0.1),
        value_of(np.inf, 0.1),
        value_of(365, 0.2),
    )

    assert (year < three).all()
    assert (three < life).all()
    assert (dearer < year).all()


def test_lifetime_without_a_discount_rate_is_refused():
    with pytest.raises(ValueError, match="annual_discount_rate is 0"):
        value.discounted_purchases(BG, *HISTORY, horizon_days=np.inf, annual_discount_rate=0.0)


@pytest.mark.parametrize(
    "model",
    [
        BgNbd(r=0.1, alpha=1e-4, a=1.0, b=1e-4, covariance=(0.0,) * 16, **FIT),
        BgNbd(r=1e4, alpha=1e6, a=1e-4, b=1e4, covariance=(0.0,) * 16, **FIT),
        ParetoNbd(r=1e-4, alpha=1e-4, s=1.0, beta=1e-4, covariance=(0.0,) * 16, **FIT),
        ParetoNbd(r=1e4, alpha=1e6, s=1e4, beta=1e6, covariance=(0.0,) * 16, **FIT),
        ParetoNbd(r=1.0, alpha=10.0, s=2.0, beta=1e6, covariance=(0.0,) * 16, **FIT),
    ],
)
def test_value_is_finite_on_every_boundary(model):
    x, weeks = np.array([0.0, 0, 1, 900, 900]), np.array([0.0, 365, 7, 365, 365]) / 7
    t_x, m = np.array([0.0, 0, 7, 360, 14]) / 7, np.array([0.0, 0, 5, 30, 30])
    spends = GammaGamma(p=0.3, q=0.9, gamma=2.0, observed_spend=9.0, covariance=(0.0,) * 9, **FIT)

    expected = value.spend(model, spends, x, t_x, weeks, m, horizon_days=90)
    found = {
        "order": spends.expected_spend(x, m),
        "mean": expected.mean,
        "variance": expected.variance,
        **dict(zip(("low", "high", "coverage"), value.interval(expected, level=0.8), strict=True)),
        **{
            span: value.discounted_purchases(
                model, x, t_x, weeks, horizon_days=days, annual_discount_rate=0.1
            )
            for span, days in SPANS.items()
        },
    }

    for name, values in found.items():
        assert (np.isfinite(values) & (values >= 0)).all(), name


@pytest.mark.parametrize("model", [BG, PARETO])
def test_moments_of_spend_agree_with_those_of_simulated_customers(model):
    rng = np.random.default_rng(9)
    batch, spent = simulate(rng, model, SPEND, 60_000, 52)

    expected = value.spend(model, SPEND, *histories(batch), horizon_days=364)

    error = (spent - expected.mean).std() / np.sqrt(len(spent))
    assert spent.mean() == pytest.approx(expected.mean.mean(), abs=4 * error)
    assert ((spent - expected.mean) ** 2).mean() == pytest.approx(expected.variance.mean(), rel=0.12)
    assert (spent == 0).mean() == pytest.approx(1 - expected.any.mean(), abs=0.006)


@pytest.mark.parametrize("model", [BG, PARETO])
def test_eighty_per_cent_intervals_cover_eighty_per_cent_of_customers(model):
    batch, spent = simulate(np.random.default_rng(3), model, SPEND, 20_000, 26)

    expected = value.spend(model, SPEND, *histories(batch), horizon_days=182)
    low, high, nominal = value.interval(expected, level=0.8)

    inside = (spent >= low) & (spent <= high)
    assert inside.mean() == pytest.approx(nominal.mean(), abs=0.01)
    assert 0.75 <= inside[high > 0].mean() <= 0.85


def test_firm_total_falls_within_its_interval_at_about_the_stated_rate():
    inside, firms = 0, 40

    for seed in range(firms):
        model, fit = (BG, bgnbd.fit) if seed % 2 else (PARETO, paretonbd.fit)
        batch, spent = simulate(np.random.default_rng(seed), model, SPEND, 600, 26)
        table = pa.Table.from_batches([batch])
        firm = value.total([batch], fit(table), gammagamma.fit(table), horizon_days=182, level=0.8)
        inside += firm.low <= spent.sum() <= firm.high

    assert 0.65 <= inside / firms <= 0.92  # 0.80 give or take two standard errors of 40 firms


def test_total_of_two_batches_is_that_of_one():
    batch, _ = simulate(np.random.default_rng(1), BG, SPEND, 400, 26)
    table = pa.Table.from_batches([batch])
    counts, spends = bgnbd.fit(table), gammagamma.fit(table)

    whole = value.total([batch], counts, spends, horizon_days=182, level=0.8)
    halves = value.total([batch.slice(0, 150), batch.slice(150)], counts, spends, horizon_days=182, level=0.8)

    assert halves.expected == pytest.approx(whole.expected)
    assert halves.high == pytest.approx(whole.high)


def test_total_purchases_of_cdnow_are_the_published_ones(cdnow_groups, golden):
    fitted = bgnbd.fit(cdnow_groups)
    (batch,) = cdnow_groups.combine_chunks().to_batches()

    firm = value.total([batch], fitted, None, horizon_days=39 * 7, level=0.8)

    assert firm.expected == pytest.approx(golden["bgnbd"]["holdout_expected"], abs=0.1)
    assert firm.low < firm.expected < firm.high
