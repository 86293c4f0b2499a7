"""Reports grouped by a line above: the customer's name is alone on a row, its sales below it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.messages import Message
from include.intake.tables import Table, is_total

FEWEST_GROUPS = 2
MOST_OTHERS = 0.02  # of the rows with several values, those that have a value in the first column too
VALUES_OF_A_SALE = 3
FIRST_ROWS = 5  # one of them names a group


def with_groups(table: Table) -> Table:
    """Copy the value of a group's row to the rows below it, and leave out the group's row.

    This applies if the first column is filled only on rows without other values and on totals.
    """
    if len(table.columns) < 1 + VALUES_OF_A_SALE or not table.rows:
        return table
    if not any(_is_head(table, i) for i in range(min(FIRST_ROWS, table.rows))):
        return table
    filled = [_filled(column) for column in table.columns]
    others = np.sum(filled[1:], axis=0)
    first = filled[0]
    head = first & (others == 0)
    line = others >= VALUES_OF_A_SALE
    if head.sum() < FEWEST_GROUPS or head.sum() > line.sum() or head.sum() < 0.01 * table.rows:
        return table
    values = table.columns[0]
    named = np.flatnonzero(line & first)
    totals = sum(is_total(values[int(i)].as_py()) for i in named) if len(named) <= 2 * head.sum() else 0
    if len(named) - totals > MOST_OTHERS * line.sum():
        return table
    heads = np.flatnonzero(head)
    heads = heads[[not is_total(values[int(i)].as_py()) for i in heads]]
    is_head = np.zeros(table.rows, bool)
    is_head[heads] = True
    group = pc.fill_null_forward(pc.if_else(pa.array(is_head), values, None))
    column = pc.if_else(pa.array(line & ~first), group, values)
    keep = pa.array(~is_head)
    columns = [c.filter(keep) for c in (column, *table.columns[1:])]
    note = Message("group_rows", values={"rows": len(heads), "column": table.header[0]})
    position = np.cumsum(~is_head) - 1
    repeated = [(message, position[rows[~is_head[rows]]]) for message, rows in table.repeated]
    members = table.members
    if members is not None:
        of_lines = ~is_head[members[0]]
        members = position[members[0][of_lines]], members[1][of_lines]
    return dataclasses.replace(
        table, columns=columns, notes=[*table.notes, note], repeated=repeated, members=members
    )


def _is_head(table: Table, row: int) -> bool:
    """Whether only the first column of a row has a value."""
    first, *others = [(column[row].as_py() or "").strip() for column in table.columns]
    return bool(first) and not any(others)


def _filled(column: pa.Array) -> np.ndarray:
    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    return np.asarray(pc.invert(pc.fill_null(blank, True)))
