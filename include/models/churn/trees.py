"""The churn trees: a hundred small ones, weighted for the rarer class, the same bits every time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_TREES = 100
FEWEST_TREES = 20
PATIENCE = 20
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
    "num_threads": 1,  # the executor spreads firms; more threads would also change the sums' last bits
    "seed": 7,
    "verbosity": -1,
}
NOT_LEARNED = (
    "customer_id",
    "cutoff",
    "is_blind",
    "is_churned",
    "as_of_month",
    "as_of_quarter",
    "as_of_month_day",
)
"""Keys, the label, and the cutoff's own calendar, which names the training window instead of the customer."""


def usable_features(training: pa.Table) -> list[str]:
    """Features that take more than one value in these rows."""
    return [
        name
        for name in training.schema.names
        if name not in NOT_LEARNED and _varies(column_values(training, name))
    ]


def _varies(values: NDArray[np.float32]) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and (len(known) < len(values) or bool((known != known[0]).any()))


def column_values(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[np.float32]:
    """One column as float32, null as nan."""
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)


def matrix(table: pa.Table | pa.RecordBatch, features: list[str]) -> NDArray[np.float32]:
    """The features as a (rows, features) array."""
    array = np.empty((table.num_rows, len(features)), dtype=np.float32)
    for at, name in enumerate(features):
        array[:, at] = column_values(table, name)
    return array


def train(
    x: NDArray[np.float32],
    churned: Bools,
    features: list[str],
    *,
    trees: int = MOST_TREES,
    watch: tuple[NDArray[np.float32], Bools] | None = None,
    weighted: bool = True,
) -> tuple[str, int]:
    """The model as LightGBM's text, and its number of trees.

    With ``watch``, a later window, training stops when ranking there stops improving. ``weighted`` gives
    both classes equal weight in all; what that does to probabilities, calibration undoes.
    """
    import lightgbm as lgb  # seconds to import, and only churn's own steps need it

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
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )
    best = min(max(booster.best_iteration, FEWEST_TREES), booster.current_iteration())
    return booster.model_to_string(num_iteration=best), best


class Trees:
    """A trained model read back from its text."""

    def __init__(self, text: str) -> None:
        """Read LightGBM's text."""
        import lightgbm as lgb

        self._booster = lgb.Booster(model_str=text)
        self.features: list[str] = self._booster.feature_name()

    def scores(self, x: NDArray[np.float32]) -> Floats:
        """The trees' sum, in log-odds of the weighted classes; not yet a probability."""
        scores: Floats = self._booster.predict(x, raw_score=True, num_threads=1)  # type: ignore[assignment]
        return scores

    def contributions(self, x: NDArray[np.float32]) -> Floats:
        """TreeSHAP: what each feature adds to the score of each row; the last column is the base value."""
        found: Floats = self._booster.predict(x, pred_contrib=True, num_threads=1)  # type: ignore[assignment]
        return found

    def importances(self) -> tuple[Floats, NDArray[np.int32]]:
        """Total gain and number of splits by feature."""
        return (
            self._booster.feature_importance("gain"),
            self._booster.feature_importance("split"),
        )
