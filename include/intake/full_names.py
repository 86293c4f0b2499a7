"""Join first and last name in one column, for files without another customer column."""

from __future__ import annotations

import dataclasses

import pyarrow.compute as pc

from include.intake.headers import SYNONYMS
from include.intake.mapping import CUSTOMERS
from include.intake.tables import Table, compact
from include.intake.vocabulary import WORDS, listed

FIRST_NAMES, LAST_NAMES = (frozenset(listed(WORDS[key])) for key in ("first_names", "last_names"))


def with_full_name(table: Table) -> Table:
    """Add a column with first and last name if no other column identifies the customer."""
    names = [compact(name) for name in table.header]
    if any(name in SYNONYMS[role] for name in names for role in CUSTOMERS):
        return table
    first = next((i for i, name in enumerate(names) if name in FIRST_NAMES), None)
    last = next((i for i, name in enumerate(names) if name in LAST_NAMES), None)
    if first is None or last is None:
        return table
    parts = [pc.fill_null(pc.utf8_trim_whitespace(table.columns[i]), "") for i in (first, last)]
    full = pc.binary_join_element_wise(*parts, " ")
    header = (*table.header, "Full Name")
    return dataclasses.replace(table, header=header, columns=[*table.columns, full])
