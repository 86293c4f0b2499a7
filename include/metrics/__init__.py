"""The glossary of metrics: one name, one label per language, one formula and one unit for each.

``find("retention_rate").label("tr")`` is what a page writes beside the number, ``.formula`` what it explains.
The SQL of a metric is in one place: ``sql_of`` reads it from the query or the contract that computes it.
``python -m include.metrics`` writes ``docs/metrics.md``.
"""

from include.metrics.glossary import (
    GLOSSARY,
    Metric,
    find,
    named,
    of_grain,
    sql_of,
)

__all__ = ["GLOSSARY", "Metric", "find", "named", "of_grain", "sql_of"]
