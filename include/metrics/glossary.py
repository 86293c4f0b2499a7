"""What a metric is, and how to find one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from include import sql_text
from include.metrics import customer, firm, firm_models, views
from include.metrics.row import Grain, Metric

__all__ = ["GLOSSARY", "Metric", "find", "named", "of_grain", "sql_of"]

GLOSSARY: tuple[Metric, ...] = (*firm.METRICS, *firm_models.METRICS, *customer.METRICS, *views.METRICS)
_BY_NAME = {metric.name: metric for metric in GLOSSARY}
_QUERY = "firm_measures"


@dataclass(frozen=True)
class Sql:
    """The SQL of a firm's metric: expressions over the common table expressions of its query."""

    numerator: str
    denominator: str | None


def find(name: str) -> Metric:
    """The metric of that name; KeyError names the glossary."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise KeyError(f"metric {name!r} is not in the glossary; add its row in include/metrics/") from None


def named(name: str, grain: Grain) -> Metric | None:
    """The metric of a grain with this name or another name of it; None: the glossary has none."""
    return next((m for m in of_grain(grain) if name == m.name or name in m.also), None)


def of_grain(grain: Grain) -> tuple[Metric, ...]:
    """The metrics of a grain, in the order of the glossary."""
    return tuple(metric for metric in GLOSSARY if metric.grain == grain)


def sql_of(metric: Metric) -> Sql:
    """The SQL that computes the metric: of a firm's metric its branches in ``firm_measures.sql``.

    The metric of a customer is a column: ``table.column`` of the fact that has it.
    """
    if metric.column or metric.sql:
        return Sql(metric.column or metric.sql, None)
    numerator, denominator = (_branch(metric.name, part) for part in ("numerator", "denominator"))
    if numerator is None:
        raise LookupError(f"metric {metric.name} has no branch in include/sql/query/{_QUERY}.sql")
    return Sql(numerator, denominator)


def _branch(name: str, part: str) -> str | None:
    """``when 'name' then ...`` of the firm's metrics, or the column of ``'name' as metric`` of the others."""
    text = sql_text.read("query", _QUERY)
    whole = text[text.index("whole_firm as (") : text.index("segments as (")]
    head, _, tail = whole.partition("end as numerator")
    case = head if part == "numerator" else tail.partition("end as denominator")[0]
    if found := re.search(rf"when '{name}'\s+then (.*?)(?=\n\s+when '|\n\s*$)", case, re.S):
        return " ".join(found[1].split())
    if found := re.search(rf"'{name}' as metric,.*?cast\((\S+) as double\) as {part}", text, re.S):
        return None if found[1] == "null" else found[1]
    return None
