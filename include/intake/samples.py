"""Values of a column's first and last rows, used to recognise its content."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from include.intake.numbers import ascii_of
from include.intake.tables import Table

SAMPLE_ROWS = 2000


def sample_of(table: Table, at: int) -> pa.Array:
    """Unique values of the first and last rows of a column, without blanks."""
    column = table.columns[at]
    if len(column) > 2 * SAMPLE_ROWS:
        column = pa.concat_arrays([column.slice(0, SAMPLE_ROWS), column.slice(len(column) - SAMPLE_ROWS)])
    return pc.unique(ascii_of(column).drop_null())


def share_of(values: pa.Array, pattern: str) -> float:
    """The share of values that match a pattern."""
    return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py()) if len(values) else 0.0


def text_of(table: Table, at: int) -> pa.Array:
    """A column as trimmed text; blank is null."""
    column = pc.utf8_trim_whitespace(table.columns[at])
    return pc.if_else(pc.equal(column, ""), None, column)
