import json

import numpy as np
import pyarrow as pa
import pytest

from include.models.purchases import model as purchases
from include.models.purchases import paretonbd
from include.models.purchases.likelihood import Rows
from include.models.purchases.paretonbd import ParetoNbd
from include.models.purchases.paretonbd_likelihood import decay_integral, likelihood
from tests.models.purchases.predictions import predictions


def params(r=0.553, alpha=10.578, s=0.606, beta=11.669) -> ParetoNbd:
    return ParetoNbd(
        r=r,
        alpha=alpha,
        s=s,
        beta=beta,
        log_likelihood=0.0,
        customers=1,
        is_boundary=False,
        is_converged=True,
        covariance=(0.0,) * 16,
    )


def test_paretonbd_matches_fader_hardie_lee_2005(cdnow_groups, golden):
    published, optimum = golden["paretonbd"]["published"], golden["paretonbd"]["optimum"]

    fitted = paretonbd.fit(cdnow_groups)

    for symbol in fitted.symbols:
        assert getattr(fitted, symbol) == pytest.approx(optimum[symbol], rel=1e-4)
        assert getattr(fitted, symbol) == pytest.approx(published[symbol], abs=6e-4)
    assert fitted.log_likelihood == pytest.approx(optimum["log_likelihood"], abs=0.001)
    assert not fitted.is_boundary


@pytest.mark.parametrize(
    "theta", [(0.553, 10.578, 0.606, 11.669), (3.0, 0.5, 0.05, 0.3), (0.2, 50.0, 5.0, 3.0)]
)
def test_gradient_and_hessian_agree_with_finite_differences(theta):
    data = Rows(
        x=np.array([0.0, 0.0, 1.0, 2.0, 7.0, 900.0, 4.0]),
        t_x=np.array([0.0, 0.0, 3.0, 30.4, 20.0, 38.0, 30.0]),
        T=np.array([38.9, 27.0, 38.9, 38.9, 30.0, 38.9, 30.0]),
        n=np.array([5.0, 3.0, 2.0, 4.0, 1.0, 1.0, 2.0]),
    )
    evaluate = likelihood(data)

    _, slope, curve = evaluate(np.array(theta))

    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5 * theta[i]
        above, below = evaluate(theta + step), evaluate(theta - step)
        assert slope[i] == pytest.approx((above[0] - below[0]) / (2 * step[i]), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(curve[i], (above[1] - below[1]) / (2 * step[i]), rtol=1e-5, atol=1e-4)


def test_doubling_the_quadrature_nodes_changes_nothing():
    rng = np.random.default_rng(3)
    rows = 20_000
    x, t_x, left = rng.integers(0, 900, rows), rng.uniform(0, 300, rows), rng.uniform(0, 300, rows)
    a = 10 ** rng.uniform(-3, 4, rows) + t_x
    b = 10 ** rng.uniform(-3, 4, rows) + t_x
    e, f = x + 10 ** rng.uniform(-2, 2, rows), 1.0 + 10 ** rng.uniform(-3, 2)

    once, twice = decay_integral(e, f, a, b, left), decay_integral(e, f, a, b, left, finer=2)

    assert np.isfinite(once).all()
    np.testing.assert_allclose(once, twice, rtol=1e-11)


def test_predictions_agree_with_simulation():
    model, rng = params(r=1.5, alpha=6.0, s=0.9, beta=20.0), np.random.default_rng(11)
    x, T, t, draws = 3, 30.0, 52.0, 400_000
    rate = rng.gamma(model.r + x, 1 / (model.alpha + T), draws)
    lasting = rng.exponential(1 / rng.gamma(model.s, 1 / (model.beta + T), draws))
    counts = rng.poisson(rate * np.minimum(lasting, t))
    history = np.array([3.0]), np.array([T]), t

    mean = model.purchases_if_alive(*history)[0]
    pairs, none = model.pairs_if_alive(*history)[0], model.none_if_alive(*history)[0]

    assert mean == pytest.approx(counts.mean(), rel=0.01)
    assert pairs == pytest.approx((counts * (counts - 1.0)).mean(), rel=0.02)
    assert none == pytest.approx((counts == 0).mean(), rel=0.01)


def test_probability_alive_agrees_with_bayes_on_simulated_histories():
    model, rng = params(r=2.0, alpha=8.0, s=1.2, beta=15.0), np.random.default_rng(5)
    T, customers = 20.0, 300_000
    rate = rng.gamma(model.r, 1 / model.alpha, customers)
    leaves = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, customers))
    alive, none_bought = leaves > T, rng.poisson(rate * np.minimum(leaves, T)) == 0

    probability = model.alive(np.zeros(1), np.zeros(1), np.array([T]))[0]

    assert probability == pytest.approx(alive[none_bought].mean(), abs=0.006)


@pytest.mark.parametrize("s", [1e-4, 1.0, 2.0, 1e4])
@pytest.mark.parametrize("beta", [1e-4, 1.0, 1e6])
def test_no_prediction_is_ever_nan_or_out_of_range(s, beta):
    model = params(s=s, beta=beta)
    x = np.array([0.0, 0.0, 1.0, 900.0, 900.0])
    t_x, T = np.array([0.0, 0.0, 1.0, 51.0, 2.0]), np.array([0.0, 52.0, 1.0, 52.0, 52.0])

    batch = pa.record_batch({"frequency": x, "recency_days": t_x * 7, "age_days": T * 7})
    found = predictions(model, batch)

    for name in ("alive_probability", "no_purchase_probability"):
        values = found[name]
        assert ((values >= 0) & (values <= 1)).all(), name
    for name in ("expected_purchases", "variance_purchases"):
        values = found[name]
        assert (np.isfinite(values) & (values >= 0)).all(), name


def test_a_customer_gets_the_same_bits_in_any_batch(cdnow):
    whole = cdnow.select(["frequency", "recency_days", "age_days"]).combine_chunks().to_batches()[0]
    places = list(range(0, 2357, 97))

    together = predictions(params(), whole)
    alone = [predictions(params(), whole.slice(row, 1)) for row in places]

    for name, values in together.items():
        np.testing.assert_array_equal(np.concatenate([one[name] for one in alone]), values[places])


def test_order_of_rows_changes_no_bit_and_the_row_survives_json(cdnow_groups):
    shuffled = cdnow_groups.take(np.random.default_rng(1).permutation(cdnow_groups.num_rows))

    fitted, again = paretonbd.fit(cdnow_groups), paretonbd.fit(shuffled)

    assert fitted == again
    assert ParetoNbd.from_row(json.loads(json.dumps(fitted.to_row()))) == fitted


def test_expectation_is_continuous_at_s_equal_to_one():
    history = np.array([3.0]), np.array([20.0]), np.array([39.0])

    at = [purchases.expected(params(s=s), *history, horizon_days=365)[0] for s in (1 - 1e-7, 1.0, 1 + 1e-7)]

    assert at[0] == pytest.approx(at[1], rel=1e-6)
    assert at[2] == pytest.approx(at[1], rel=1e-6)
