"""Whether intervals hold as often as they say, on simulated firms; ``make bench`` counts many more."""

import numpy as np
import pytest

from bench import value


@pytest.fixture(scope="module")
def firms(tmp_path_factory) -> list[value.Held]:
    """Firms of three kinds, two of each."""
    return [
        value.held(kind, seed, tmp_path_factory.mktemp(f"firm{seed}"), customers=400)
        for kind in value.KINDS
        for seed in (1, 2)
    ]


@pytest.mark.timeout(300)
def test_eighty_per_cent_intervals_hold_that_many_customers_in_the_year_after_the_anchor(firms):
    inside = np.concatenate([firm.customers for firm in firms])

    assert 0.75 <= inside.mean() <= 0.85


@pytest.mark.timeout(300)
def test_firms_totals_fall_within_their_intervals_at_about_the_stated_rate(firms):
    totals = [is_inside for firm in firms for is_inside in firm.totals]

    # Three windows, the horizon and the year of six firms; a firm's five totals share its luck.
    assert len(totals) == 30
    assert 0.7 <= np.mean(totals) <= 0.9
