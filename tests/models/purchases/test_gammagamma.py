import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from include.models.purchases import gammagamma
from include.models.purchases.gammagamma import GammaGamma, _likelihood


def spenders(table: pa.Table) -> pa.Table:
    return table.select(["frequency", "mean_spend"]).append_column(
        "customers", pa.array(np.ones(table.num_rows))
    )


def params(p=6.25, q=3.74, gamma=15.44) -> GammaGamma:
    return GammaGamma(
        p=p,
        q=q,
        gamma=gamma,
        observed_spend=35.0,
        log_likelihood=0.0,
        customers=1,
        is_boundary=False,
        is_converged=True,
        covariance=(0.0,) * 9,
    )


def simulate(rng, p, q, gamma, customers) -> pa.Table:
    x = rng.geometric(0.3, customers)
    m = rng.gamma(p * x, 1 / rng.gamma(q, 1 / gamma, customers)) / x
    return pa.table({"frequency": x, "mean_spend": m, "customers": np.ones(customers)})


def test_gammagamma_matches_fader_hardie_2013(cdnow, golden):
    published, optimum = golden["gammagamma"]["published"], golden["gammagamma"]["optimum"]

    fitted = gammagamma.fit(spenders(cdnow))

    for symbol in fitted.symbols:
        assert getattr(fitted, symbol) == pytest.approx(optimum[symbol], rel=1e-4)
        assert getattr(fitted, symbol) == pytest.approx(published[symbol], abs=6e-3)
    assert fitted.log_likelihood == pytest.approx(optimum["log_likelihood"], abs=0.01)
    assert (fitted.customers, fitted.is_boundary) == (946, False)


def test_gradient_and_hessian_agree_with_finite_differences():
    x, m = np.array([1.0, 1.0, 3.0, 900.0]), np.array([4.0, 80.0, 35.0, 20.0])
    evaluate, theta = _likelihood(x, x * m, np.array([2.0, 1.0, 3.0, 1.0])), np.array([6.25, 3.74, 15.44])

    _, slope, curve = evaluate(theta)

    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-5 * theta[i]
        above, below = evaluate(theta + step), evaluate(theta - step)
        assert slope[i] == pytest.approx((above[0] - below[0]) / (2 * step[i]), rel=1e-6)
        np.testing.assert_allclose(curve[i], (above[1] - below[1]) / (2 * step[i]), rtol=1e-5, atol=1e-7)


def test_expected_spend_shrinks_the_mean_towards_the_firm():
    model = params()

    (none, one, many) = model.expected_spend(np.array([0.0, 1.0, 900.0]), np.array([0.0, 100.0, 100.0]))

    assert none == pytest.approx(6.25 * 15.44 / 2.74)
    assert one == pytest.approx(6.25 * (15.44 + 100) / (6.25 + 2.74))
    assert many == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("q", [1e-4, 0.8, 1.0, 1.01, 2.0])
def test_no_mean_across_customers_means_the_observed_average_never_a_negative_one(q):
    model = params(p=0.4, q=q)

    spend = model.expected_spend(np.array([0.0, 1.0, 2.0, 900.0]), np.array([0.0, 10.0, 20.0, 30.0]))

    assert (np.isfinite(spend) & (spend > 0)).all()
    assert spend[0] == (35.0 if q < 1.5 else pytest.approx(0.4 * 15.44))


def test_moments_of_order_values_agree_with_simulation():
    model, rng = params(), np.random.default_rng(2)
    x, m = 2, 60.0
    nu = rng.gamma(model.q + model.p * x, 1 / (model.gamma + x * m), 1_000_000)
    first, second = rng.gamma(model.p, 1 / nu), rng.gamma(model.p, 1 / nu)

    one, two = model.second_moments(np.array([2.0]), np.array([m]))

    assert one[0] == pytest.approx((first**2).mean(), rel=0.01)
    assert two[0] == pytest.approx((first * second).mean(), rel=0.01)


@pytest.mark.parametrize(
    ("p", "q", "gamma"),
    [
        (6.25, 3.74, 15.4),
        (0.6, 0.7, 5.0),
        (50.0, 40.0, 900.0),
        (1.0, 1.0, 1e-2),
        (3.0, 2.0, 1e6),
        (0.2, 8.0, 30.0),
    ],
)
def test_simulated_fits_never_fail_nor_end_below_the_truth(p, q, gamma):
    for seed in range(8):
        table = simulate(np.random.default_rng(seed), p, q, gamma, 400 if seed else 12)

        fitted = gammagamma.fit(table)

        x, total = table["frequency"].to_numpy().astype(float), table["mean_spend"].to_numpy()
        truth = _likelihood(x, x * total, np.ones(len(x)))(np.array([p, q, gamma]))[0]
        assert np.isfinite([*fitted.values, *fitted.covariance]).all()
        assert fitted.is_converged
        assert fitted.log_likelihood >= truth - 1e-6


def test_order_of_rows_and_their_weights_change_no_bit(cdnow):
    table = spenders(cdnow)
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))

    fitted, again = gammagamma.fit(table), gammagamma.fit(shuffled)

    assert fitted == again
    assert GammaGamma.from_row(json.loads(json.dumps(fitted.to_row()))) == fitted


def test_weights_count_as_customers(cdnow):
    table = spenders(cdnow)
    twice = pa.concat_tables([table, table.slice(0, 1000)])
    weights = np.where(np.arange(table.num_rows) < 1000, 2.0, 1.0)
    weighted = table.set_column(2, "customers", pa.array(weights))

    repeated, counted = gammagamma.fit(twice), gammagamma.fit(weighted)

    np.testing.assert_allclose(repeated.values, counted.values, rtol=1e-6)
    assert repeated.customers == counted.customers


def test_currency_changes_gamma_alone(cdnow):
    table = spenders(cdnow)
    cents = table.set_column(1, "mean_spend", pa.array(table["mean_spend"].to_numpy() * 100))

    euros, cents = gammagamma.fit(table), gammagamma.fit(cents)

    assert cents.gamma == pytest.approx(100 * euros.gamma, rel=1e-6)
    assert (cents.p, cents.q) == pytest.approx((euros.p, euros.q), rel=1e-6)


def test_decimal_money_and_null_means_of_one_time_buyers_are_read():
    batch = pa.record_batch({"frequency": [0, 1], "mean_spend": [None, Decimal("100.00")]})

    spend = params().expected_spend(*gammagamma.histories(batch))

    assert spend == pytest.approx([6.25 * 15.44 / 2.74, 6.25 * 115.44 / 8.99])
