"""Value rows for a shop: what customers are worth at a snapshot."""

from include.datasets.value import LTV
from tests.warehouse.shop import TABLES

TABLES["fact_customer_ltv"] = LTV
TIERS = {
    5: ("platinum", 95.0),
    4: ("gold", 80.0),
    3: ("silver", 50.0),
    2: ("bronze", 25.0),
    1: ("basic", 5.0),
}


def load(shop, as_of, *rows):
    """Load one snapshot of customers' value."""
    return shop.load("fact_customer_ltv", as_of.isoformat(), rows)


def valued(customer, *, year=100, tier=3, **more) -> dict:
    """One customer's value at a snapshot."""
    code, percentile = TIERS[tier]
    return {
        "customer_id": customer,
        "tenure_days": 100,
        "tenure_months": 3,
        "total_historical_revenue": 50,
        "total_historical_orders": 2,
        "total_historical_profit": 15,
        "avg_order_value": 25,
        "avg_orders_per_month": 0.6,
        "avg_margin_percentage": 30.0,
        "avg_monthly_revenue": 15,
        "historical_clv": 15,
        "predicted_clv_1_year": year,
        "predicted_clv_3_year": None if year is None else 2 * year,
        "predicted_clv_lifetime": None if year is None else 4 * year,
        "clv_segment": "Loyal",
        "tier_code": code,
        "tier_level": tier,
        "value_percentile": percentile,
        "lifecycle_stage": "Active",
        "margin_source": "setting",
        "method": "bgnbd",
        "model_version": "ltv-x",
    } | more
