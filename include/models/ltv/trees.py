"""Value trees: LightGBM with a Tweedie objective, with the count model's predictions as features.

The count model describes purchase timing. The trees correct it with pace, season and returns, which it does
not model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from include.models.churn.trees import matrix
from include.models.ltv.candidates import expected_orders, floats, histories
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel

TREE_COUNT = 100
HEADING = "== horizon_days "
SUMMARY_FEATURES = [
    *("frequency", "recency_days", "age_days", "days_since_last_order", "mean_repeat_spend"),
    *(f"{what}_{days}_days" for days in (30, 90, 180, 365) for what in ("order_count", "total_spend")),
    *("order_count", "total_spend", "avg_order_value", "avg_days_between_orders", "return_count"),
]
EXPECTED_FEATURES = ["expected_orders", "expected_spend", "probability_alive", "expected_order_value"]
PACE_FEATURES = [
    *("spend_share_30_of_90_days", "spend_share_90_of_180_days", "orders_per_day", "spend_per_day"),
    *("silence_in_gaps", "active_share"),
]
FEATURES = [*SUMMARY_FEATURES, *EXPECTED_FEATURES, *PACE_FEATURES]
SETTINGS = {
    "objective": "tweedie",
    "tweedie_variance_power": 1.5,
    "num_leaves": 8,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,  # at 0.5 changing the seed moved ranks twice as much
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 7,
    "verbosity": -1,
}


class TrainingWindow(NamedTuple):
    """One training window: its rows, and the count and spend models fitted before its cutoff."""

    rows: pa.Table
    counts: PurchaseModel
    spends: GammaGamma
    horizon_days: int


def features(
    rows: pa.Table | pa.RecordBatch, counts: PurchaseModel, spends: GammaGamma, *, horizon_days: int
) -> Floats:
    """Feature matrix of shape (customers, len(FEATURES))."""
    x, t_x, T, m = histories(rows)
    orders = expected_orders(counts, rows, horizon_days=horizon_days)
    order = spends.expected_spend(x, m)
    age = np.maximum(floats(rows, "age_days"), 1.0)
    spent = {days: floats(rows, f"total_spend_{days}_days") for days in (30, 90, 180)}
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = [
            np.where(spent[90] > 0, spent[30] / spent[90], np.nan),
            np.where(spent[180] > 0, spent[90] / spent[180], np.nan),
            floats(rows, "order_count") / age,
            floats(rows, "total_spend") / age,
            floats(rows, "days_since_last_order") / np.maximum(floats(rows, "avg_days_between_orders"), 1.0),
            floats(rows, "recency_days") / age,
        ]
    expected = [orders, orders * order, counts.alive(x, t_x, T), order]
    return np.column_stack([matrix(rows, SUMMARY_FEATURES), *expected, *pace])


def train(windows: list[TrainingWindow]) -> str:
    """Train on windows with known spend; returns the model in LightGBM's text format."""
    import lightgbm as lgb  # takes seconds to import; only training and predicting by trees need it

    x = np.vstack([features(a.rows, a.counts, a.spends, horizon_days=a.horizon_days) for a in windows])
    spent = np.concatenate([np.maximum(floats(a.rows, "holdout_spend"), 0.0) for a in windows])
    data = lgb.Dataset(x, spent, feature_name=FEATURES, params=SETTINGS)
    return lgb.train(SETTINGS, data, TREE_COUNT).model_to_string()


def pack(trees: Mapping[int, str]) -> str:
    """Trees of several horizons as one text: a line with the horizon before each model."""
    return "".join(f"{HEADING}{days}\n{text}" for days, text in sorted(trees.items()))


def unpack(text: str, *, horizon_days: int) -> dict[int, Trees]:
    """Trees by horizon; a text without headings is the model of ``horizon_days``."""
    if not text.startswith(HEADING):
        return {horizon_days: Trees(text)}
    sections = (section.partition("\n") for section in text.split(HEADING)[1:])
    return {int(days): Trees(model) for days, _, model in sections}


class Trees:
    """Trained trees, read from LightGBM's text format."""

    def __init__(self, text: str) -> None:
        """Read the model from its text."""
        import lightgbm as lgb

        self._booster = lgb.Booster(model_str=text)

    def spend(
        self,
        rows: pa.Table | pa.RecordBatch,
        counts: PurchaseModel,
        spends: GammaGamma,
        *,
        horizon_days: int,
    ) -> Floats:
        """Expected net spend of each customer over the trained horizon, before scaling."""
        x = features(rows, counts, spends, horizon_days=horizon_days)
        found: Floats = self._booster.predict(x, num_threads=1)  # type: ignore[assignment]
        return found
