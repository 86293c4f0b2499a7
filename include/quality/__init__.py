"""The quality gate: Great Expectations on what was extracted, slice by slice; a bad batch stops that firm.

``rules`` says what a rule is, one module per dataset holds its rules as literal rows, ``gate`` puts
them to the data. Great Expectations itself is imported only when something is checked.
"""

from include.quality.gate import check
from include.quality.report import Report, Result, Slice

__all__ = ["Report", "Result", "Slice", "check"]
