"""The search for a likelihood's peak, on CDNOW."""

import numpy as np

from include.models.purchases import betageometric
from include.models.purchases import likelihood as purchases_likelihood

UPPER = (1e4, 1e6, 1e4, 1e4)


def test_a_search_ends_at_a_peak_already_found_and_at_no_other(cdnow_groups):
    data = purchases_likelihood.rows(cdnow_groups, "bgnbd")
    evaluate, counted = betageometric.likelihood(data, first_chance=0), []

    def search(peaks):
        counted.append(0)

        def count(theta):
            counted[-1] += 1
            return evaluate(theta)

        return purchases_likelihood.maximise(count, np.log([2.0, 20.0, 0.2, 2.0]), upper=UPPER, peaks=peaks)

    alone = search([])
    joined = search([np.log(alone.params)])
    passed = search([np.log(alone.params) + 2.0, np.log([2.0, 20.0, 0.2, 2.0])])

    assert counted[1] < counted[0] == counted[2]
    assert 0 < alone.log_likelihood - joined.log_likelihood < 1
    np.testing.assert_array_equal(passed.params, alone.params)
