"""The quality gate: check what was extracted, slice by slice; a bad batch stops that firm.

``rules`` defines a rule. Each dataset has a module with its rules. ``gate`` checks them by SQL aggregates.
It runs Great Expectations where a rule fails or is close to its limit. Great Expectations, pandas and
DuckDB are imported only when they are used.
"""

from include.quality.errors import EvaluationError, QualityError
from include.quality.gate import check
from include.quality.measures import Profile, Unchanged
from include.quality.rejected import Extracted
from include.quality.report import Report, Result, Slice

__all__ = [
    "EvaluationError", "Extracted", "Profile", "QualityError", "Report", "Result", "Slice",
    "Unchanged", "check",
]  # fmt: skip
