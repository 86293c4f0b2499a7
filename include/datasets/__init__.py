"""The datasets that steps exchange: grain, columns, types and units. The contract, as data.

``extracted`` and ``engagement`` hold what sources yield; the other modules hold what is computed from it.
``contract`` defines a dataset. A new dataset is a row in one of these modules.
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
    next_product,
    value,
)
from include.datasets.contract import AmountError, ContractError, Dataset, Earlier

MODULES: tuple[ModuleType, ...] = (
    extracted, computed, feature_groups, features, churn, value, insight, actions, engagement,
    next_product,
)  # fmt: skip


def catalogue() -> dict[str, Dataset]:
    """All datasets of ``include/datasets/``: a name, such as ``transactions``, and its Dataset."""
    return {row.name: row for module in MODULES for row in vars(module).values() if isinstance(row, Dataset)}


__all__ = ["AmountError", "ContractError", "Dataset", "Earlier", "catalogue"]
