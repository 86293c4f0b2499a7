"""Churn trees: 100 small LightGBM trees, deterministic to the bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TREE_COUNT = 100
CHUNK_ROWS = 16_384
BINNED_ROWS = 50_000
"""Most rows from which LightGBM computes the bins. From 160,000 rows of 200 features it used 0.35 GB more."""
SETTINGS = {
    "objective": "binary",
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
    fill(array, table, features)
    return array


def fill(array: NDArray[np.float32], table: pa.Table | pa.RecordBatch, features: list[str]) -> None:
    """Write the features into an array of shape (rows, features)."""
    for at, name in enumerate(features):
        array[:, at] = column_values(table, name)


def train(x: NDArray[np.float32], churned: Bools, features: list[str], *, trees: int = TREE_COUNT) -> str:
    """Train on rows of shape (customers, features); returns the model in LightGBM's text format."""
    import lightgbm as lgb  # takes seconds to import; only churn steps need it

    # Not in SETTINGS: the model's text names its settings, and with fewer rows nothing changes.
    settings = SETTINGS | ({"bin_construct_sample_cnt": BINNED_ROWS} if len(x) > BINNED_ROWS else {})
    data = lgb.Dataset(x, churned.astype(np.float64), feature_name=features, params=settings)
    return lgb.train(settings, data, trees).model_to_string()


class Trees:
    """Trained trees, read from LightGBM's text format."""

    def __init__(self, text: str) -> None:
        """Read the model from its text."""
        import lightgbm as lgb

        self._booster = lgb.Booster(model_str=text)
        self.features: list[str] = self._booster.feature_name()

    def scores(self, x: NDArray[np.float32]) -> Floats:
        """Raw scores: log-odds before calibration. Shape (rows,)."""
        scores: Floats = self._booster.predict(x, raw_score=True, num_threads=1)  # type: ignore[assignment]
        return scores

    def probabilities(self, x: NDArray[np.float32]) -> Floats:
        """P(churned) of trees trained without class weights. Shape (rows,)."""
        found: Floats = special.expit(self.scores(x))
        return found

    def contributions(self, x: NDArray[np.float32]) -> Floats:
        """How much each feature adds to the raw score of each row, by TreeSHAP (Lundberg et al. 2020).

        Shape (rows, features + 1). The last column is the mean raw score, to which the others are added.
        """
        found: Floats = self._booster.predict(x, pred_contrib=True, num_threads=1)  # type: ignore[assignment]
        return found

    def importances(self) -> tuple[Floats, NDArray[np.int32]]:
        """Total gain and number of splits, one element per feature."""
        return (
            self._booster.feature_importance("gain"),
            self._booster.feature_importance("split"),
        )
