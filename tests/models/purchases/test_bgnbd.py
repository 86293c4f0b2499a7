import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import special

from include.models.purchases import betageometric, bgnbd
from include.models.purchases import model as purchases
from include.models.purchases.bgnbd import BgNbd
from include.models.purchases.likelihood import Rows, group
from tests.models.purchases.predictions import predictions


def params(r=0.243, alpha=4.414, a=0.793, b=2.426) -> BgNbd:
    return BgNbd(
        r=r,
        alpha=alpha,
        a=a,
        b=b,
        log_likelihood=0.0,
        customers=1,
        is_boundary=False,
        is_converged=True,
        covariance=(0.0,) * 16,
    )


def weeks(table: pa.Table) -> tuple[np.ndarray, ...]:
    return (
        table["frequency"].to_numpy().astype(float),
        table["recency_days"].to_numpy() / 7,
        table["age_days"].to_numpy() / 7,
    )


def test_cdnow_is_summarised_as_published(cdnow, golden):
    data = golden["data"]

    histogram = np.bincount(np.minimum(cdnow["frequency"].to_numpy(), 7)).tolist()
    first = cdnow.filter(pc.equal(cdnow["customer_id"], "0001")).to_pylist()
    totals = [pc.sum(cdnow["frequency"]).as_py(), pc.sum(cdnow["holdout_purchases"]).as_py()]

    assert histogram == data["frequency_histogram"]
    assert totals == [data["calibration_repeats"], data["holdout_purchases"]]
    assert [row["mean_spend"] for row in first] == [data["first_customer"]["mean_spend"]]


def test_bgnbd_matches_fader_hardie_lee_2005(cdnow_groups, golden):
    published, optimum = golden["bgnbd"]["published"], golden["bgnbd"]["optimum"]

    fitted = bgnbd.fit(cdnow_groups)

    for symbol in fitted.symbols:
        assert getattr(fitted, symbol) == pytest.approx(optimum[symbol], rel=1e-4)
        assert getattr(fitted, symbol) == pytest.approx(published[symbol], abs=6e-4)
    assert fitted.log_likelihood == pytest.approx(optimum["log_likelihood"], abs=0.01)
    assert (fitted.customers, fitted.is_boundary, fitted.is_converged) == (2357, False, True)


def test_bgnbd_expects_the_published_holdout_purchases(cdnow, cdnow_groups, golden):
    fitted = bgnbd.fit(cdnow_groups)

    expected = purchases.expected(fitted, *weeks(cdnow), horizon_days=39 * 7)
    first = purchases.expected(
        fitted, np.array([2.0]), np.array([30.43]), np.array([38.86]), horizon_days=39 * 7
    )

    assert expected.sum() == pytest.approx(golden["bgnbd"]["holdout_expected"], abs=0.1)
    assert first == pytest.approx(golden["bgnbd"]["first_customer_expected"], abs=5e-4)


def test_the_order_and_the_grouping_of_rows_change_no_bit(cdnow, cdnow_groups):
    shuffled = cdnow_groups.take(np.random.default_rng(1).permutation(cdnow_groups.num_rows))
    ungrouped = cdnow.append_column("customers", pa.array(np.ones(cdnow.num_rows)))

    fits = [bgnbd.fit(table) for table in (cdnow_groups, shuffled, ungrouped)]

    assert fits[0] == fits[1] == fits[2]


def test_group_agrees_with_a_group_by(cdnow, cdnow_groups):
    columns = [cdnow[name].to_numpy() for name in ("frequency", "recency_days", "age_days")]

    grouped = group(*columns)

    keys = [(name, "ascending") for name in ("frequency", "recency_days", "age_days")]
    assert grouped.to_pylist() == cdnow_groups.sort_by(keys).to_pylist()


@pytest.mark.parametrize("first_chance", [0, 1])
@pytest.mark.parametrize("theta", [(0.24, 4.4, 0.8, 2.4), (3.0, 0.5, 0.05, 0.3)])
def test_gradient_and_hessian_agree_with_finite_differences(first_chance, theta):
    data = Rows(
        x=np.array([0.0, 0.0, 1.0, 2.0, 7.0, 900.0]),
        t_x=np.array([0.0, 0.0, 3.0, 30.4, 20.0, 38.0]),
        T=np.array([38.9, 27.0, 38.9, 38.9, 30.0, 38.9]),
        n=np.array([5.0, 3.0, 2.0, 4.0, 1.0, 1.0]),
    )
    evaluate = betageometric.likelihood(data, first_chance=first_chance)

    _, slope, curve = evaluate(np.array(theta))

    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5 * theta[i]
        above, below = evaluate(theta + step), evaluate(theta - step)
        assert slope[i] == pytest.approx((above[0] - below[0]) / (2 * step[i]), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(curve[i], (above[1] - below[1]) / (2 * step[i]), rtol=1e-5, atol=1e-4)


def test_expected_purchases_equal_the_closed_form_of_the_paper():
    model, x, t_x, T, t = params(a=1.7), np.array([0.0, 2.0, 9.0]), np.array([0.0, 30.0, 35.0]), 39.0, 26.0

    got = purchases.expected(model, x, t_x, np.full(3, T), horizon_days=t * 7)

    r, alpha, a, b = model.values
    z = t / (alpha + T + t)
    bracket = 1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * special.hyp2f1(r + x, b + x, a + b + x - 1, z)
    left = np.where(x > 0, a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x), 0.0)
    np.testing.assert_allclose(got, (a + b + x - 1) / (a - 1) * bracket / (1 + left), rtol=1e-9)


@pytest.mark.parametrize(("a", "b"), [(1.0, 2.4), (0.3, 0.4), (1e-4, 1e-4), (1e4, 1e4), (0.8, 1e4)])
def test_no_prediction_is_ever_nan_or_out_of_range(a, b):
    model = params(a=a, b=b)
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


def test_expectation_is_continuous_at_a_equal_to_one():
    history = np.array([3.0]), np.array([20.0]), np.array([39.0])

    at = [purchases.expected(params(a=a), *history, horizon_days=365)[0] for a in (1 - 1e-7, 1.0, 1 + 1e-7)]

    assert at[0] == pytest.approx(at[1], rel=1e-6)
    assert at[2] == pytest.approx(at[1], rel=1e-6)


def test_one_time_buyer_is_alive_but_may_well_not_buy():
    model = params()
    history = np.array([0.0]), np.array([0.0]), np.array([38.86])

    none = purchases.none(model, *history, horizon_days=90)

    still = ((4.414 + 38.86) / (4.414 + 38.86 + 90 / 7)) ** 0.243
    assert model.alive(*history) == 1.0
    assert none == pytest.approx(still)


def test_moments_of_future_purchases_agree_with_simulation():
    model, rng = params(r=1.5, alpha=6.0, a=0.8, b=2.5), np.random.default_rng(7)
    x, T, t, draws = 3, 30.0, 52.0, 400_000
    rate = rng.gamma(model.r + x, 1 / (model.alpha + T), draws)
    leaving = rng.beta(model.a, model.b + x, draws)
    lasting = rng.geometric(np.maximum(leaving, 1e-12))  # the purchase after which one leaves
    counts = np.minimum(rng.poisson(rate * t), lasting)

    mean = model.purchases_if_alive(np.array([3.0]), np.array([T]), t)[0]
    pairs = model.pairs_if_alive(np.array([3.0]), np.array([T]), t)[0]
    none = model.none_if_alive(np.array([3.0]), np.array([T]), t)[0]

    assert mean == pytest.approx(counts.mean(), rel=0.01)
    assert pairs == pytest.approx((counts * (counts - 1.0)).mean(), rel=0.02)
    assert none == pytest.approx((counts == 0).mean(), rel=0.01)


def test_a_customer_gets_the_same_bits_in_any_batch(cdnow):
    whole = cdnow.select(["frequency", "recency_days", "age_days"]).combine_chunks().to_batches()[0]

    together = predictions(params(), whole)
    alone = [predictions(params(), whole.slice(start, 500)) for start in range(0, 2357, 500)]

    for name, values in together.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in alone]), values)


@pytest.mark.parametrize("most_pairs", [8_000_000, 10])
@pytest.mark.parametrize("shape", [{}, {"r": 120.0, "alpha": 0.05}], ids=["slow", "odds beyond a float"])
def test_expectation_from_whole_days_is_the_same(cdnow, monkeypatch, most_pairs, shape):
    days = [cdnow[name].to_numpy() for name in ("frequency", "recency_days", "age_days")]
    monkeypatch.setattr(purchases, "MAX_PAIRS", most_pairs)

    from_days = purchases.expected_from_days(params(**shape), *days, horizon_days=90)

    expected = purchases.expected(params(**shape), *weeks(cdnow), horizon_days=90)
    np.testing.assert_allclose(from_days, expected, rtol=1e-12, atol=1e-200)


def test_expectation_from_whole_days_has_the_same_bits_in_any_batch(cdnow):
    days = np.stack([cdnow[name].to_numpy() for name in ("frequency", "recency_days", "age_days")])
    order = np.random.default_rng(2).permutation(days.shape[1])

    together = purchases.expected_from_days(params(), *days, horizon_days=90)
    parts = [purchases.expected_from_days(params(), *part, horizon_days=90) for part in
             np.array_split(days[:, order], 7, axis=1)]  # fmt: skip

    np.testing.assert_array_equal(np.concatenate(parts), together[order])


def test_fit_survives_its_row_in_json(cdnow_groups):
    fitted = bgnbd.fit(cdnow_groups)

    row = json.loads(json.dumps(fitted.to_row()))

    assert BgNbd.from_row(row) == fitted
    with pytest.raises(ValueError, match="has parameters of 'other'"):
        BgNbd.from_row({**row, "model": "other"})


def errors(fitted: BgNbd) -> np.ndarray:
    """Standard errors of the parameters' logarithms."""
    return np.sqrt(np.diag(fitted.log_covariance))


def test_standard_errors_shrink_with_the_root_of_the_customers(cdnow_groups):
    customers = pa.array(cdnow_groups["customers"].to_numpy() * 4)
    four = cdnow_groups.set_column(3, "customers", customers)

    once, fourfold = bgnbd.fit(cdnow_groups), bgnbd.fit(four)

    np.testing.assert_allclose(errors(fourfold), errors(once) / 2, rtol=1e-3)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"frequency": [1], "recency_days": [8], "age_days": [7], "customers": [1]}, "break 0 <="),
        ({"frequency": [1], "recency_days": [None], "age_days": [7], "customers": [1]}, "1 nulls"),
        ({"frequency": [1], "recency_days": [1], "age_days": [7]}, "missing column 'customers'"),
        ({"frequency": [], "recency_days": [], "age_days": [], "customers": []}, "no customers"),
    ],
)
def test_unusable_input_is_refused_with_the_reason(columns, message):
    types = [(name, pa.float64()) for name in columns]

    table = pa.table(columns, schema=pa.schema(types))

    with pytest.raises(ValueError, match=message):
        bgnbd.fit(table)


@pytest.mark.parametrize(
    "frequency",
    [[0, 0, 0], [5, 5, 5], [900, 900, 0]],
)
def test_an_optimum_on_the_boundary_is_flagged_and_still_finite(frequency):
    table = pa.table(
        {
            "frequency": frequency,
            "recency_days": [100 if x else 0 for x in frequency],
            "age_days": [100, 200, 300],
            "customers": [400, 300, 300],
        }
    )

    fitted = bgnbd.fit(table)

    assert fitted.is_boundary
    assert np.isfinite([*fitted.values, *fitted.covariance, fitted.log_likelihood]).all()


def test_a_parameter_at_its_bound_has_no_standard_error():
    nobody_returns = pa.table({"frequency": [0], "recency_days": [0], "age_days": [100], "customers": [500]})

    fitted = bgnbd.fit(nobody_returns)

    assert fitted.is_boundary
    assert fitted.r < 1e-3
    assert errors(fitted)[fitted.symbols.index("r")] == 0.0
