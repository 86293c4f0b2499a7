"""The quality gate: check what was extracted, slice by slice; a bad batch stops that firm.

``rules`` says what a rule is and one module per dataset holds its rules as literal rows. ``gate`` checks
them by SQL aggregates, and runs Great Expectations where those are not clear. Great Expectations, pandas and
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
