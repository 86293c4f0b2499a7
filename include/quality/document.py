"""``docs/quality.md``, written from the rules themselves: ``python -m include.quality.document``."""

from __future__ import annotations

from pathlib import Path

from include.datasets import Dataset
from include.datasets.engagement import DIRECTORY, INTERACTIONS, LEADS
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.quality.rules import ColumnsRule, Rule, limits, suite

PAGE = Path(__file__).parents[2] / "docs" / "quality.md"
DATASETS = (TRANSACTIONS, CUSTOMERS, PRODUCTS, LOYALTY_MOVEMENTS, INTERACTIONS, DIRECTORY, LEADS)

INTRODUCTION = """\
# The quality gate

What is extracted is checked by Great Expectations before anything is computed from it: events a month at
a time, everything else a snapshot at a time, and only what has changed since it last passed. A rule that
stops the firm fails the task `validate_<dataset>` with a message that names the rule, the column, values
that break it and the command to run once the source is mended. Other firms go on, and the snapshot before
stands. A warning stops nobody. Every result is a row of `control.quality`.

Shares are of the rows looked at, 0.05 being one in twenty. Ratios compare with the firm's own past, 1
being usual: the median of up to twelve earlier months or snapshots. A first extraction has no past and
passes, and so does a firm without rows. Too little data, such as a month of less than a week or a volume
of less than twenty rows, may warn but never stops. Silence up to as_of stops a firm only when it is known
for half a year or silent for more than two weeks, and no longer once it has been silent for ninety days:
then the firm has stopped, not its source.

A firm moves a limit in its own row, without code; `null` takes it away:

```yaml
quality:
  transactions:
    product_known: {fail_above: 0.2}
    freshness: {warn_above: 1, fail_above: 1}
```

This page is written by `python -m include.quality.document` from the rows in `include/quality/`, so do
not edit it by hand.
"""


def page() -> str:
    """The whole page, from the rules as they are now."""
    return "\n".join([INTRODUCTION, *(_table(dataset) for dataset in DATASETS)])


def _table(dataset: Dataset) -> str:
    lines = [
        f"## {dataset.name}",
        "",
        dataset.about,
        "",
        "| rule | column | expected | limits | Great Expectations |",
        "| --- | --- | --- | --- | --- |",
        *(_line(rule) for rule in suite(dataset)),
        "",
    ]
    return "\n".join(lines)


def _line(rule: Rule) -> str:
    if isinstance(rule, ColumnsRule):
        said = "stops" if rule.is_critical else "warned; never stops"
    else:
        said = limits(rule).strip("()")
    column = f"`{rule.column}`" if rule.column else ""
    return f"| `{rule.name}` | {column} | {rule.about} | {said} | `{rule.expectation}` |"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
