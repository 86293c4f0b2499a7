"""A firm with the settings that value reads."""

from types import SimpleNamespace


def firm(**changes) -> SimpleNamespace:
    """``changes`` are of ``firm.ltv``."""
    settings = {
        "annual_discount_rate": 0.1,
        "tier_bounds": (20, 40, 70, 90),
        "margin_share": 0.3,
        "min_customers": 200,
        "min_repeat_buyers": 50,
    }
    return SimpleNamespace(churn_threshold_days=30, ltv=SimpleNamespace(**settings | changes))
