"""Cutoffs of churn training: never more than the setting, and enough windows that do not overlap."""

from datetime import date, timedelta

import pytest

from include.firms import Churn
from include.models.churn.sufficiency import MIN_CUTOFFS, disjoint
from include.training.churn import cutoffs_of

ANCHOR = date(2026, 1, 1)
FEWEST = next(rule.ge for rule in Churn.model_fields["most_cutoffs"].metadata if hasattr(rule, "ge"))


@pytest.mark.parametrize("horizon_days", [1, 30, 60, 89, 90, 91, 134, 135, 136, 180, 365])
def test_any_number_of_cutoffs_that_a_firm_may_set_has_three_windows_apart(horizon_days):
    first_day = ANCHOR - timedelta(days=(MIN_CUTOFFS + 1) * horizon_days)

    for most in range(FEWEST, 20):
        found = cutoffs_of(ANCHOR, first_day=first_day, horizon_days=horizon_days, most=most)

        assert len(found) <= most
        assert found[-1] == ANCHOR - timedelta(days=horizon_days)
        assert len(disjoint(found, horizon_days=horizon_days)) >= MIN_CUTOFFS, most
