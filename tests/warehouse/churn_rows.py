"""Churn rows for a shop: a model's artefact as training writes it, and customers at risk."""

from datetime import timedelta

from include.datasets.churn import CHURN_MODEL, CHURN_RISK
from include.models.churn import artefact as churn_artefact
from tests.warehouse.shop import TABLES

TABLES.update(
    {
        "churn_models": CHURN_MODEL,
        "fact_customer_churn_risk": CHURN_RISK,
    }
)
HORIZON = 30


def artefact(anchor, *, method="bgnbd", canaries=(), horizon=HORIZON, reason="It was best.", **evidence):
    """A model's artefact and its version; ``evidence`` are further parts."""
    parts = {"spend_cuts": [1.0, 2.0], "sentinel": list(canaries), **evidence}
    header = {
        "anchor": anchor.isoformat(),
        "horizon_days": horizon,
        "cutoffs": ["2026-01-01", "2026-02-01"],
        "customers": [10, 12],
        "settings": {"churn_threshold_days": horizon},
        "is_sufficient": True,
        "method": method,
        "reason": reason,
        "parts": sorted(parts),
    }
    table = churn_artefact.write({**parts, "header": header})
    return table.to_pylist(), churn_artefact.version_of(table)


def model(shop, anchor, *, as_of=None, **more) -> str:
    """Load an anchor's model; its version."""
    rows, version = artefact(anchor, **more)
    shop.load("churn_models", str(anchor), rows, as_of=as_of or anchor)
    return version


def at_risk(customer, as_of, version, *, probability=0.5, factors=(), days=1, category="Low", **more) -> dict:
    """One customer's churn risk at a snapshot."""
    factors = [*factors, None, None, None][:3]
    score = 50 if probability is None else round(100 * probability)
    return {
        "customer_id": customer,
        "days_since_last_order": days,
        "orders_last_30_days": 1,
        "orders_last_90_days": 2,
        "spend_last_30_days": 10,
        "spend_last_90_days": 20,
        "order_frequency_trend": "stable",
        "spend_trend": "stable",
        "returns_count_90_days": 0,
        "churn_probability": probability,
        "churn_risk_score": score,
        "churn_risk_category": category,
        "churn_risk_band": "low",
        "predicted_churn_date": as_of + timedelta(days=HORIZON - days),
        "days_until_predicted_churn": HORIZON - days,
        **{f"top_churn_factor_{n}": code for n, code in enumerate(factors, 1)},
        **{f"top_churn_factor_{n}_text": code and code.title() for n, code in enumerate(factors, 1)},
        "intervention_priority": 5,
        "recommended_action": "monitor_engagement",
        "recommended_action_text": "Monitor engagement",
        "method": "bgnbd" if probability is not None else "rules",
        "model_version": version,
    } | more
