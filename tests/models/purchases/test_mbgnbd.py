import numpy as np
import pytest

from include.models.purchases import mbgnbd
from include.models.purchases import model as purchases


def test_mbgnbd_matches_batislam_denizel_filiztekin_2007(cdnow_groups, golden):
    optimum = golden["mbgnbd"]["optimum"]

    fitted = mbgnbd.fit(cdnow_groups)

    for symbol in fitted.symbols:
        assert getattr(fitted, symbol) == pytest.approx(optimum[symbol], rel=1e-4)
    assert fitted.log_likelihood == pytest.approx(optimum["log_likelihood"], abs=0.01)


def test_one_time_buyer_may_have_left(cdnow_groups):
    fitted = mbgnbd.fit(cdnow_groups)

    alive = fitted.alive(np.zeros(1), np.zeros(1), np.array([38.86]))

    odds = fitted.a / fitted.b * ((fitted.alpha + 38.86) / fitted.alpha) ** fitted.r
    assert alive == pytest.approx(1 / (1 + odds))


def test_no_purchase_is_likelier_than_having_left(cdnow_groups):
    fitted = mbgnbd.fit(cdnow_groups)
    x, t_x, T = np.array([0.0, 1.0, 6.0]), np.array([0.0, 20.0, 36.0]), np.full(3, 38.0)

    none = purchases.none(fitted, x, t_x, T, horizon_days=90)

    assert (none > 1 - fitted.alive(x, t_x, T)).all()
    assert (none < 1).all()
