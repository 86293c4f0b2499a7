"""Churn trees: at most 100 small LightGBM trees with weighted classes, deterministic to the bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_TREES = 100
MIN_TREES = 20
EARLY_STOPPING_ROUNDS = 20
CHUNK_ROWS = 16_384
SETTINGS = {
    "objective": "binary",
    "metric": "auc",
    "num_leaves": 8,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # parallelism is across firms; more threads would also change the last bits of sums
    "seed": 7,
    "verbosity": -1,
}
EXCLUDED = (
    "customer_id",
    "cutoff",
    "is_blind",
    "is_churned",
    "as_of_month",
    "as_of_quarter",
    "as_of_month_day",
)
"""Keys, the label, and the cutoff's calendar, which would identify the training window."""


def usable_features(training: pa.Table) -> list[str]:
    """Names of the features with more than one value in these rows."""
    return [
        name
        for name in training.schema.names
        if name not in EXCLUDED and _varies(column_values(training, name))
    ]


def _varies(values: NDArray[np.float32]) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and (len(known) < len(values) or bool((known != known[0]).any()))


def column_values(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[np.float32]:
    """One column as float32, shape (rows,); null becomes nan."""
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)


def matrix(table: pa.Table | pa.RecordBatch, features: list[str]) -> NDArray[np.float32]:
    """The features as a float32 array of shape (rows, features)."""
    array = np.empty((table.num_rows, len(features)), dtype=np.float32)
    for at, name in enumerate(features):
        array[:, at] = column_values(table, name)
    return array


def train(
    x: NDArray[np.float32],
    churned: Bools,
    features: list[str],
    *,
    trees: int = MAX_TREES,
    watch: tuple[NDArray[np.float32], Bools] | None = None,
    weighted: bool = True,
) -> tuple[str, int]:
    """Train; returns the model in LightGBM's text format and its number of trees.

    With ``watch``, the features and labels of a later window, training stops when its AUC stops improving.
    ``weighted`` gives both classes the same total weight; calibration corrects the resulting probabilities.
    """
    import lightgbm as lgb  # takes seconds to import; only churn steps need it

    events = max(int(churned.sum()), 1)
    weight = (len(churned) - int(churned.sum())) / events if weighted else 1.0
    settings = {**SETTINGS, "scale_pos_weight": max(weight, 1e-6)}
    data = lgb.Dataset(x, churned.astype(np.float64), feature_name=features, params=settings)
    if watch is None:
        booster = lgb.train(settings, data, trees)
        return booster.model_to_string(), trees
    later = lgb.Dataset(watch[0], watch[1].astype(np.float64), reference=data)
    booster = lgb.train(
        settings,
        data,
        trees,
        valid_sets=[later],
        callbacks=[lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)],
    )
    best = min(max(booster.best_iteration, MIN_TREES), booster.current_iteration())
    return booster.model_to_string(num_iteration=best), best


class Trees:
    """Trained trees, read from LightGBM's text format."""

    def __init__(self, text: str) -> None:
        """Read the model from its text."""
        import lightgbm as lgb

        self._booster = lgb.Booster(model_str=text)
        self.features: list[str] = self._booster.feature_name()

    def scores(self, x: NDArray[np.float32]) -> Floats:
        """Raw scores: log-odds under the class weights, before calibration. Shape (rows,)."""
        scores: Floats = self._booster.predict(x, raw_score=True, num_threads=1)  # type: ignore[assignment]
        return scores

    def contributions(self, x: NDArray[np.float32]) -> Floats:
        """TreeSHAP contributions, shape (rows, features + 1); the last column is the base value."""
        found: Floats = self._booster.predict(x, pred_contrib=True, num_threads=1)  # type: ignore[assignment]
        return found

    def importances(self) -> tuple[Floats, NDArray[np.int32]]:
        """Total gain and number of splits, one element per feature."""
        return (
            self._booster.feature_importance("gain"),
            self._booster.feature_importance("split"),
        )
