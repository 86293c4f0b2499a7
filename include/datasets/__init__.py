"""The datasets that steps hand to one another: grain, columns, types, units. The contract, as data.

``extracted`` holds what a firm's systems are read into, ``computed`` what comes of it; ``contract``
says what a dataset is. A new dataset is a row in one of them.
"""

from types import ModuleType

from include.datasets import (
    actions,
    churn,
    computed,
    engagement,
    extracted,
    feature_groups,
    features,
    insight,
    value,
)
from include.datasets.contract import ContractError, Dataset, Earlier

MODULES: tuple[ModuleType, ...] = (
    extracted, computed, feature_groups, features, churn, value, insight, actions, engagement,
)  # fmt: skip


def catalogue() -> dict[str, Dataset]:
    """Every dataset by name."""
    return {row.name: row for module in MODULES for row in vars(module).values() if isinstance(row, Dataset)}


__all__ = ["ContractError", "Dataset", "Earlier", "catalogue"]
