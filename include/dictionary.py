"""Write the dictionary of customer features from the contract: ``python -m include.dictionary``."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from include.datasets.features import CUSTOMER_FEATURES, GROUPS
from include.models.churn.factors import code_of

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
INTRODUCTION = """# Customer features

Generated from `include/datasets/features.py` and `feature_groups.py` by `python -m include.dictionary`; a
test compares them. Each group is one query of the same name in `include/sql/query/`.

- A feature describes one customer's history before `as_of`, an exclusive day in the firm's time zone.
  Scoring (as_of of the run) and training (as_of is a past cutoff) use the same queries.
- "Last 30 days" are the 30 days that end with the day before as_of.
- Null means unknown or a zero denominator: a one-time buyer has no gap, a firm may have no brands.
  Counts and amounts that a firm does not record are 0.
- Visits, messages and service need the module `engagement`; without it they are 0 or null and the trees do
  not use them. `engagement_score` uses only purchases and points, so every firm has it.
- *Factor* is the feature's churn reason (`include/models/churn/factors.py`). The trees use every feature
  except the three of as_of's calendar, which would identify the training window.
"""


def render() -> str:
    """The text of docs/features.md."""
    lines = [INTRODUCTION, f"{len(CUSTOMER_FEATURES.schema) - 1} features in {len(GROUPS)} groups."]
    for group in GROUPS:
        features = [name for name in group.schema.names if name != "customer_id"]
        lines += [
            f"\n## {group.name} ({len(features)})\n",
            f"{group.about}\n",
            "| feature | type | meaning | factor |",
            "| --- | --- | --- | --- |",
            *(
                f"| `{name}` | {_type(group.schema.field(name).type)} | {group.about_column(name)} "
                f"| {code_of(name)} |"
                for name in features
            ),
        ]
    return "\n".join(lines) + "\n"


def _type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return "decimal"
    if pa.types.is_boolean(kind):
        return "yes or no"
    return "count" if pa.types.is_integer(kind) else "number"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
