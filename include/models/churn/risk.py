"""Churn risk of each customer, from its probability or score: bands, dates, trends, reasons, action."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import special

from include.models.churn.factors import TEXTS
from include.models.churn.trees import column_values
from include.models.firm import FirmSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CATEGORIES = ("Low", "Medium", "High", "Critical")
BANDS = ("low", "medium", "high")
ACTIONS = ("monitor_engagement", "retention_programme", "win_back_campaign", "personal_outreach")
ACTION_TEXTS = {
    "monitor_engagement": {"en": "Monitor engagement", "tr": "Etkileşimi izle"},
    "retention_programme": {"en": "Include in retention programme", "tr": "Elde tutma programına al"},
    "win_back_campaign": {"en": "Send win-back campaign", "tr": "Geri kazanma kampanyası gönder"},
    "personal_outreach": {"en": "Immediate personal outreach", "tr": "Hemen kişisel iletişim kur"},
}
PRIORITIES = np.array([[5, 5, 4], [5, 4, 3], [4, 3, 2], [3, 2, 1]])
"""Intervention priority by category and spend third: 1 is most urgent."""

FALL, RISE = 0.5, 1.5
CHANCE = 0.1
"""A trend is reported only if the recent count has a lower probability than this at the steady rate."""
TOP_FACTORS = 3
TOO_NEW, NO_KNOWN_OUTCOME = "too_new", "no_known_outcome"
OF_SCORE = (
    "churn_probability",
    "churn_risk_score",
    *(f"top_churn_factor_{rank}{text}" for rank in (1, 2, 3) for text in ("", "_text")),
)
"""Columns that a customer without a score has not."""
OF_CATEGORY = (
    "churn_risk_category",
    "churn_risk_band",
    "predicted_churn_date",
    "days_until_predicted_churn",
    "intervention_priority",
    "recommended_action",
    "recommended_action_text",
)
"""Columns that follow from comparing the score with bounds."""


def trend(recent: Floats, whole: Floats, orders_recent: Floats, orders_whole: Floats) -> list[str]:
    """Trend of each customer: the last 30 days against a third of the last 90.

    Below half is decreasing, above one and a half increasing. Ratios of small counts are noisy, so the number
    of orders must also be improbable at the steady rate (Poisson). Without an order in 90 days: 'inactive'.
    """
    usual = orders_whole / 3.0
    ratio = np.where(whole > 0, 3.0 * recent / np.where(whole > 0, whole, 1.0), 1.0)
    few = special.pdtr(orders_recent, usual) < CHANCE
    many = (orders_recent > 0) & (special.pdtrc(np.maximum(orders_recent - 1, 0), usual) < CHANCE)
    kinds = np.select(
        [orders_whole == 0, (ratio < FALL) & few, (ratio > RISE) & many],
        ["inactive", "decreasing", "increasing"],
        default="stable",
    )
    return kinds.tolist()


def top_factors(codes: list[str], adds: Floats) -> list[list[str | None]]:
    """The three factors that raise each customer's risk most, as three columns; None where fewer do."""
    order = np.argsort(-adds, axis=1, kind="stable")[:, :TOP_FACTORS]
    named = np.array([*codes, None], dtype=object)
    at = np.where(np.take_along_axis(adds, order, axis=1) > 0, order, len(codes))
    columns = [named[at[:, rank]].tolist() for rank in range(at.shape[1])]
    return columns + [[None] * len(adds)] * (TOP_FACTORS - len(columns))


def without_score(
    columns: dict[str, pa.Array], is_new: NDArray[np.bool_], *, is_known: bool
) -> dict[str, pa.Array]:
    """The columns without what is not known, and ``no_score_reason``.

    ``is_new`` marks customers who are too new for a score. Without a known outcome (``is_known``), no bound
    has a meaning for any customer.
    """
    code = pa.scalar(None if is_known else NO_KNOWN_OUTCOME, pa.string())
    new = pa.array(is_new)
    bare = new if is_known else pa.array(np.ones(len(is_new), dtype=np.bool_))
    masked = {
        name: pc.if_else(bare if name in OF_CATEGORY else new, pa.scalar(None, column.type), column)
        if name in OF_CATEGORY or name in OF_SCORE
        else column
        for name, column in columns.items()
    }
    return masked | {"no_score_reason": pc.if_else(new, pa.scalar(TOO_NEW), code)}


def describe(
    batch: pa.RecordBatch,
    *,
    probability: Floats | None,
    score: Floats,
    factors: tuple[list[str], Floats],
    spend_cuts: tuple[float, float],
    method: str,
    version: str,
    is_known: bool,
    firm: FirmSettings,
    as_of: date,
) -> dict[str, pa.Array]:
    """Columns of churn_risk for a batch of customer_features; ``score`` is 0 to 100.

    ``is_known``: the score is a probability, or scaled to a known outcome.
    """
    numbers = {name: column_values(batch, name).astype(np.float64) for name in _READ}
    whole = np.clip(np.rint(score), 0, 100).astype(np.int32)
    # A value on a bound belongs to the higher band. Compare the exact score, not the rounded one.
    category = np.searchsorted(np.asarray(firm.churn.category_bounds, dtype=np.float64), score, side="right")
    band = np.searchsorted(np.asarray(firm.churn.band_bounds, dtype=np.float64), score / 100.0, side="right")
    silent = numbers["days_since_last_order"]
    # An unknown bound is NaN, which sorts last: no customer is above it.
    third = np.searchsorted(np.asarray(spend_cuts, np.float64), numbers["total_spend_365_days"], side="right")
    # One step less urgent after twice the threshold without an order.
    urgency = np.minimum(PRIORITIES[category, third] + (silent > 2 * firm.churn_threshold_days), 5)
    remaining = firm.churn_threshold_days - silent
    is_expected_to_churn = score >= 100.0 * firm.churn.decision_threshold
    days = pa.array(remaining.astype(np.int32), mask=~is_expected_to_churn)
    epoch = (as_of - date(1970, 1, 1)).days
    dates = pa.array((remaining + epoch).astype(np.int32), mask=~is_expected_to_churn).cast(pa.date32())
    reasons = top_factors(*factors)
    action = [ACTIONS[at] for at in category]
    language = firm.language
    orders = (numbers["order_count_30_days"], numbers["order_count_90_days"])
    rows = batch.num_rows
    columns = {
        "customer_id": batch.column("customer_id"),
        "days_since_last_order": batch.column("days_since_last_order"),
        "orders_last_30_days": batch.column("order_count_30_days"),
        "orders_last_90_days": batch.column("order_count_90_days"),
        "spend_last_30_days": batch.column("total_spend_30_days"),
        "spend_last_90_days": batch.column("total_spend_90_days"),
        "order_frequency_trend": pa.array(trend(*orders, *orders), pa.string()),
        "spend_trend": pa.array(
            trend(numbers["total_spend_30_days"], numbers["total_spend_90_days"], *orders), pa.string()
        ),
        "avg_order_interval_change_pct": batch.column("avg_order_interval_change_pct"),
        "returns_count_90_days": batch.column("return_count_90_days"),
        "churn_probability": pa.nulls(rows, pa.float64()) if probability is None else pa.array(probability),
        "churn_risk_score": pa.array(whole),
        "churn_risk_category": pa.array([CATEGORIES[at] for at in category], pa.string()),
        "churn_risk_band": pa.array([BANDS[at] for at in band], pa.string()),
        "predicted_churn_date": dates,
        "days_until_predicted_churn": days,
        **{
            f"top_churn_factor_{rank + 1}": pa.array(codes, pa.string()) for rank, codes in enumerate(reasons)
        },
        **{
            f"top_churn_factor_{rank + 1}_text": pa.array(
                [code and TEXTS[code][language] for code in codes], pa.string()
            )
            for rank, codes in enumerate(reasons)
        },
        "intervention_priority": pa.array(urgency.astype(np.int8)),
        "recommended_action": pa.array(action, pa.string()),
        "recommended_action_text": pa.array([ACTION_TEXTS[name][language] for name in action], pa.string()),
        "method": pa.array([method] * rows, pa.string()),
        "model_version": pa.array([version] * rows, pa.string()),
    }
    is_new = numbers["age_days"] < firm.churn.min_tenure_days
    return without_score(columns, is_new, is_known=is_known)


_READ = (
    "age_days",
    "days_since_last_order",
    "order_count_30_days",
    "order_count_90_days",
    "total_spend_30_days",
    "total_spend_90_days",
    "total_spend_365_days",
)
