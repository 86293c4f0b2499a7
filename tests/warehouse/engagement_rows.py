"""Events, leads, points and a directory for a shop, a few columns a row."""

from datetime import UTC, datetime, time

from include.datasets.engagement import ACQUISITIONS, DIRECTORY, INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS
from tests.warehouse.shop import TABLES

TABLES.update(
    {
        "dim_campaign": DIRECTORY,
        "fact_interaction": INTERACTIONS,
        "fact_customer_acquisition": ACQUISITIONS,
        "fact_loyalty_movement": LOYALTY_MOVEMENTS,
    }
)


def event(key, day, kind, customer="ann", **more) -> dict:
    """One event at noon UTC."""
    return {
        "interaction_id": key,
        "activity_type": kind,
        "occurred_at": datetime.combine(day, time(12), tzinfo=UTC),
        "order_date": day,
        "customer_id": customer,
        "event_count": 1,
    } | more


def entry(kind, code, **more) -> dict:
    """One entry of the firm's directory."""
    return {"kind": kind, "code": code} | more


def won(key, day, customer, **more) -> dict:
    """A row of acquisitions whose customer was won by it on a day."""
    return {
        "acquisition_id": key,
        "lead_id": key,
        "customer_id": customer,
        "lead_created_date": day,
        "conversion_date": day,
        "days_to_convert": 0,
        "is_acquisition": True,
        "acquired_date": day,
    } | more


def lead(key, day, **more) -> dict:
    """A lead that has won nobody."""
    return {"acquisition_id": key, "lead_id": key, "lead_created_date": day, "is_acquisition": False} | more


def points(key, day, customer="ann", earned=0, used=0, programme="club", **more) -> dict:
    """One movement of points at noon UTC."""
    return {
        "movement_id": key,
        "occurred_at": datetime.combine(day, time(12), tzinfo=UTC),
        "order_date": day,
        "customer_id": customer,
        "programme_id": programme,
        "points_earned": earned,
        "points_used": used,
    } | more
