"""Expected numbers against the simulator's expectation, and effects of actions that never took place."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.statements.expectation import Expected, expected
from bench.statements.firms import YEAR, Simulated
from include.models.uplift import adjusted, amount_effect, slope_of

QUARTER = 91
ABOUT = 0.05  # "about N of M customers": the share is right to 5 points and two standard deviations of chance


class Said(NamedTuple):
    """Where a firm's words have their numbers: rules said, values of metrics, figures, rows of churn_risk."""

    rules: set[str]
    values: Mapping[tuple[str, str], Decimal | None]
    sentences: set[str]
    figures: Mapping[str, float]
    risk: pa.Table


def outcomes(firm: Simulated, said: Said) -> dict[str, bool]:
    """Whether each interval that was stated holds the simulator's expectation."""
    lines = _known(firm)
    now = (firm.as_of - firm.plan.start).days
    past = lines[lines["day"] < now]
    orders = past[past["net_amount"] >= 0]
    last = orders.groupby("customer_id")["day"].max().to_dict()
    if not last:
        return {}
    truth = expected(firm, {name: float(np.floor(day)) for name, day in last.items()})
    sold = float(orders["net_amount"].sum())
    kept = float(past["net_amount"].sum()) / sold if sold else 1.0
    spend_year = kept * float((truth.orders_year * truth.order_value).sum())
    found = {}
    if "risk" in said.rules:
        total, leavers = _at_risk(firm, past, last, truth, now)
        found["insight: spend_at_risk"] = _holds(said.values, "spend_at_risk", total)
        active = [p for p, silent in _chances(said.risk) if silent <= firm.churn_threshold_days]
        found["insight: expected_leavers"] = _is_about(
            float(said.values["expected_leavers", ""] or 0), leavers, active
        )
    if "expected" in said.rules:
        found["insight: expected_spend_year"] = _holds(said.values, "expected_spend_year", spend_year)
    if "value_range" in said.sentences:
        low, high = said.figures["expected_spend_low"], said.figures["expected_spend_high"]
        found["page: expected_spend"] = low <= spend_year <= high
    if "leaving" in said.sentences:
        chances = [p for p, _ in _chances(said.risk)]
        found["page: expected_leavers"] = _is_about(
            said.figures["expected_leavers"], float(truth.no_purchase.sum()), chances
        )
    return found


def _at_risk(
    firm: Simulated, past: pd.DataFrame, last: Mapping[str, float], truth: Expected, now: int
) -> tuple[float, float]:
    """Expected sum of last year's spend of the active who leave, and how many leave."""
    year = past[past["day"] >= now - YEAR].groupby("customer_id")["net_amount"].sum().astype(float)
    silent = np.array([now - np.floor(last[name]) for name in truth.customer_id])
    spend = np.array([max(year.get(name, 0.0), 0.0) for name in truth.customer_id])
    is_active = silent <= firm.churn_threshold_days
    leaves = truth.no_purchase * is_active
    return float((leaves * spend).sum()), float(leaves.sum())


def _chances(risk: pa.Table) -> list[tuple[float, int]]:
    """Churn probability and days of silence of each customer who has a probability."""
    rows = risk.select(["churn_probability", "days_since_last_order"]).to_pylist()
    return [
        (row["churn_probability"], row["days_since_last_order"])
        for row in rows
        if row["churn_probability"] is not None
    ]


def _is_about(said: float, truth: float, chances: list[float]) -> bool:
    spread = 2 * sum(p * (1 - p) for p in chances) ** 0.5
    return abs(said - truth) <= ABOUT * len(chances) + spread


def _holds(values: Mapping[tuple[str, str], Decimal | None], name: str, truth: float) -> bool:
    low, high = values[f"{name}_low", ""], values[f"{name}_high", ""]
    return low is not None and high is not None and float(low) <= truth <= float(high)


def _known(firm: Simulated) -> pd.DataFrame:
    """Lines of known customers, with ``day``: days from the plan's start."""
    lines = firm.lines.select(["customer_id", "occurred_at", "net_amount"]).to_pandas()
    lines = lines[lines["customer_id"].notna()]
    at = lines["occurred_at"].dt.tz_convert("UTC").dt.tz_localize(None)
    return lines.assign(day=(at - np.datetime64(firm.plan.start, "ns")).dt.total_seconds() / 86400)


def null_effect(firm: Simulated, actions: pa.Table) -> bool | None:
    """Whether an effect is found though no action was carried out: the quarter after the snapshot."""
    lines = _known(firm)
    now = (firm.as_of - firm.plan.start).days
    end, begin = now + QUARTER, now - YEAR
    day = lines["day"]
    after = lines[(day >= now) & (day < end)].groupby("customer_id")["net_amount"].sum()
    before = lines[(day < now) & (day >= begin)].groupby("customer_id")["net_amount"].sum()
    rows = [row for row in actions.to_pylist() if row["is_chosen"] or row["is_holdout"]]
    if not rows:
        return None
    spent = [float(after.get(row["customer_id"], 0)) for row in rows]
    known = [float(before.get(row["customer_id"], 0)) for row in rows]
    found = adjusted(spent, known, slope=slope_of(spent, known), mean_before=sum(known) / len(known))
    treated = [amount for amount, row in zip(found, rows, strict=True) if row["is_chosen"]]
    held_out = [amount for amount, row in zip(found, rows, strict=True) if row["is_holdout"]]
    effect = amount_effect(treated, held_out)
    return None if effect is None else effect.is_beyond_chance
