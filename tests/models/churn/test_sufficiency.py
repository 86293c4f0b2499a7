"""How much past churn needs: at each limit it is enough, one below it is not."""

from types import SimpleNamespace

import numpy as np
import pytest

from include.models.churn.sufficiency import shortfalls

LEAST = SimpleNamespace(min_customers=10, min_repeat_buyers=4, min_events=3)
FIRM = SimpleNamespace(churn=LEAST, churn_threshold_days=30)
SHORT = "history has fewer than 3 cutoffs (120 days are needed with a churn threshold of 30)"


def window(churned=3, stayed=7, repeat=4):
    """One cutoff's customers: so many who churned, who stayed, and who had bought again."""
    return np.arange(churned + stayed) < churned, np.arange(churned + stayed) < repeat


def test_a_history_exactly_at_every_limit_is_enough():
    assert shortfalls([window()] * 3, firm=FIRM) == []


@pytest.mark.parametrize(
    ("windows", "missing"),
    [
        ([], [SHORT]),
        ([window()] * 2, [SHORT]),
        ([window(), window(), window(3, 6)], ["9 of 10 customers"]),
        ([window(), window(), window(repeat=3)], ["3 of 4 repeat buyers"]),
        ([window(2, 8), window(), window()], ["2 of 3 churned customers in a window"]),
        ([window(8, 2), window(), window()], ["2 of 3 customers who stayed in a window"]),
        ([window(1, 1, 0), window(), window(), window()], []),  # what is older than three cutoffs is let be
        ([window(4, 4), window(4, 4, 1), window()], []),  # the last window alone says how many there are
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_its_limit(windows, missing):
    assert shortfalls(windows, firm=FIRM) == missing
