"""Headers whose columns are months, quarters or years: a pivot table has sums, not orders."""

from __future__ import annotations

import re
from collections.abc import Sequence

from include.intake.months import MONTHS
from include.intake.tables import compact

FEWEST = 3
_PERIOD = re.compile(
    r"(?:19|20)\d{2}(?:[-/._ ]?(?:0?[1-9]|1[0-2]|[qQ][1-4]|[hH][12]))?"
    r"|(?:0?[1-9]|1[0-2])[-/._ ](?:19|20)\d{2}"
    r"|[qQ][1-4](?:[-/._ ]*(?:19|20)?\d{2})?"
)


def period_columns(header: Sequence[str]) -> list[str]:
    """The columns that are called like a period, if there are three or more and half of all columns."""
    found = [name for name in header if is_period(name)]
    return found if len(found) >= FEWEST and 2 * len(found) >= len(header) else []


def is_period(name: str) -> bool:
    """Whether a header is a month, a quarter or a year: 2025-01, Jan 2025, Januar, Q1 25."""
    text = name.strip()
    if _PERIOD.fullmatch(text):
        return True
    words = [word for word in re.split(r"[\W\d_]+", text) if word]
    return len(words) == 1 and compact(words[0]) in MONTHS
