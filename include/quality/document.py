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

The gate checks extracted data before any step computes from it: events by month, every other dataset by
snapshot, and only slices that changed since they last passed. A rule that stops the firm fails the step
`validate_<dataset>`. The message names the rule, the column, values that break the rule, and the command to
run after the source is corrected. Other firms continue, and the firm's last snapshot does not change. A
warning stops nothing. Every result is a row of `control.quality`.

One SQL statement per slice evaluates all rules on DuckDB. Great Expectations runs, and its counts are used,

- on the whole suite at the first extraction of a dataset and on each training date (the first of every
  `retrain_months`-th month);
- otherwise on every rule that fails, or that has used at least 90 % of what a limit allows: of the share of
  rows, or of the distance from the usual value of a measure;
- on the whole suite and on every slice, passed or not, with `python -m include validate FIRM --as-of DAY
  --full`. Without `--full` the command runs the gate as a run does.

A share is a part of the rows checked: 0.05 is one row in twenty. A ratio compares a number with the firm's
own history, the median of up to twelve earlier months or snapshots; 1 is usual. A first extraction has no
history and passes, and so does a firm without rows. Too little data, such as a month of less than a week or a
volume of less than twenty rows, may warn but never stops. The shares of rejected rows and of their money
need no history: they are measured from the first extraction on, on each month and on all months of the run,
without rows that are left out on purpose (cancelled orders, exact duplicates). Months that the gate stopped
are read again by the next run. A period without events up to as_of stops a firm
only if half a year of events is known or the period is longer than two weeks. After ninety days without
events it no longer stops: the firm has stopped trading, not its source.

A firm changes a limit in its own row, without code; `null` removes it:

```yaml
quality:
  transactions:
    product_known: {fail_above: 0.2}
    freshness: {warn_above: 1, fail_above: 1}
```

## Validation results and Data Docs

Each check writes one Great Expectations validation result per slice to the firm's handoffs, under
`quality/as_of=<day>/<dataset>-<slice>.json`; `<dataset>.json` is of the dataset as a whole. The mark
`meta: {"built_from": "aggregates"}` says that SQL counted, `"great_expectations"` that Great Expectations
did; each expectation has the same mark. Documents hold counts and no values, so an erasure does not change
them.

`success` is the gate's result, limits included. Data Docs are built from the files:

```python
import json
from pathlib import Path

import great_expectations as gx
from great_expectations.core import expectationSuiteValidationResultSchema as schema
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

context = gx.get_context(mode="ephemeral")
folder = str(Path("data_docs").resolve())
store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
context.add_data_docs_site("files", {"class_name": "SiteBuilder", "store_backend": store})
for file in Path("/data/handoffs/acme/quality/as_of=2026-11-01").glob("*.json"):
    result = schema.load(json.loads(file.read_text()))
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(result.suite_name),
        run_id=RunIdentifier(**result.meta["run_id"]),
        batch_identifier=file.stem,
    )
    context.validation_results_store.set(key, result)
context.build_data_docs(site_names=["files"])  # then open data_docs/index.html
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
        limit = "stops" if rule.is_critical else "warned; never stops"
    else:
        limit = limits(rule).strip("()")
    column = f"`{rule.column}`" if rule.column else ""
    return f"| `{rule.name}` | {column} | {rule.about} | {limit} | `{rule.expectation}` |"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
