"""Percentile, tier, segment and stage, customer by customer."""

import numpy as np
import pyarrow as pa
import pytest

from include.firm_scores import STANDARD_BOUNDS, TIER_CODES
from include.models.ltv import segments


def rows(*of):
    """Customers of (repeat days, days of silence, age in days)."""
    frequency, silence, age = zip(*of, strict=True)
    return pa.table({"frequency": frequency, "days_since_last_order": silence, "age_days": age})


def test_a_percentile_is_the_share_of_lower_values_plus_half_of_the_ties():
    values = np.array([1.0, 1.0, 2.0, 4.0])
    cuts = segments.cuts_of(values, values)

    found = segments.percentiles(np.array([0.0, 1.0, 2.0, 4.0, 9.0]), cuts.value)

    assert found == pytest.approx([0.0, 16.7, 50.0, 83.3, 100.0], abs=0.1)  # of quarters of a grid to thirds


def test_tiers_begin_at_their_percentiles():
    percentile = np.array([0.0, 19.9, 20.0, 39.9, 40.0, 69.9, 70.0, 89.9, 90.0, 100.0])

    level, code = segments.tiers(percentile, STANDARD_BOUNDS)

    assert level.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert code.tolist()[::2] == ["basic", "bronze", "silver", "gold", "platinum"]
    assert segments.TIERS == TIER_CODES


def test_a_firm_may_cut_its_tiers_elsewhere():
    level, code = segments.tiers(np.array([0.0, 49.9, 50.0, 95.0, 98.9, 99.0]), (50.0, 80.0, 95.0, 99.0))

    assert level.tolist() == [1, 1, 2, 4, 4, 5]
    assert level.dtype == np.int8
    assert code.tolist() == ["basic", "basic", "bronze", "gold", "gold", "platinum"]


def test_each_segment_has_its_customer():
    of = rows((0, 5, 5), (9, 5, 400), (9, 200, 400), (3, 5, 100), (1, 5, 100), (3, 5, 100), (9, 200, 400))
    value = np.array([99.0, 95.0, 60.0, 50.0, 60.0, 49.9, 95.0])
    revenue = np.array([99.0, 80.0, 60.0, 60.0, 60.0, 60.0, 79.0])
    alive = np.array([1.0, 0.4, 0.49, 0.5, 0.9, 0.9, 0.3])

    found = segments.segments(of, value, revenue, alive, churn_threshold_days=90)

    # One order; top fifth in both, alive or not; probably gone; two repeats and median value; one repeat;
    # lower value; high value with revenue below the top fifth, and gone.
    assert found.tolist() == [
        *("One-timer", "VIP", "Risky", "Loyal", "Potential growth", "Potential growth", "Risky")
    ]


def test_without_a_model_silence_beyond_the_threshold_is_risky():
    of = rows((3, 90, 400), (3, 91, 400))
    middling = np.array([60.0, 60.0])

    found = segments.segments(of, middling, middling, None, churn_threshold_days=90)

    assert found.tolist() == ["Loyal", "Risky"]


def test_lifecycle_stages_change_at_one_and_two_thresholds():
    of = rows((0, 30, 30), (0, 30, 31), (1, 31, 300), (1, 60, 300), (1, 61, 300))

    found = segments.stages(of, churn_threshold_days=30)

    assert found.tolist() == ["New", "Active", "Cooling", "Cooling", "Lapsed"]
