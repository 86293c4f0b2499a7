"""The page of the glossary."""

from __future__ import annotations

from pathlib import Path

from include.metrics.glossary import GLOSSARY, sql_of
from include.metrics.row import Metric

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
INTRODUCTION = """# Metrics

Written from `include/metrics/` by `python -m include.metrics`; a test compares them. One name, one formula,
one unit: views, insight, reports and lists take them from here. "The period" is the firm's churn threshold.
Below the history that a metric needs, and without its module, its value is null and no sentence about it is
written. SQL names the common table expressions of `include/sql/query/firm_measures.sql`; a customer's metric
is the column of its fact.
"""


def render() -> str:
    """The page's text."""
    lines = [INTRODUCTION]
    for grain in dict.fromkeys(metric.grain for metric in GLOSSARY):
        lines += [
            f"## Of a {grain}\n",
            "| name | label | Turkish | formula | unit | needs | SQL |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(_row(metric) for metric in GLOSSARY if metric.grain == grain),
            "",
        ]
    return "\n".join(lines)


def _row(metric: Metric) -> str:
    names = f"`{metric.name}`" + "".join(f", `{name}`" for name in metric.also)
    sql = sql_of(metric)
    ratio = f"{sql.numerator} / {sql.denominator}" if sql.denominator else sql.numerator
    kind = "expected: " if metric.is_prediction else ""
    cells = (names, metric.en, metric.tr, kind + metric.formula, metric.unit, _needs(metric), f"`{ratio}`")
    return f"| {' | '.join(cells)} |"


def _needs(metric: Metric) -> str:
    found = [f"module {metric.module}"] if metric.module else []
    found += [f"{metric.history_days} days"] if metric.history_days else []
    found += [f"{metric.history_periods} periods"] if metric.history_periods else []
    return ", ".join(found) or "nothing"
