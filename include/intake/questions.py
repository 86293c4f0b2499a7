"""Questions about the columns of a table, with the columns that are possible."""

from __future__ import annotations

import pyarrow.compute as pc

from include.intake.answer import Asks, Question
from include.intake.datestyle import date_share
from include.intake.samples import sample_of, share_of
from include.intake.tables import Table


def which_column(role: str, code: str, text: str, table: Table, possible: list[int]) -> Question:
    """The question which of some columns is one of ours."""
    choices = {}
    for i in possible[:12]:
        shown = ", ".join(sample_of(table, i)[:3].to_pylist())
        choices[f"{role}={table.header[i]}"] = f"column {table.header[i]}: {shown}"
    return Question(code, f"{table.name}: {text}", None, choices, f"--map {role}=COLUMN")


def headerless(table: Table) -> Asks:
    """The question about a file without a header: columns are proposed by content, never by position."""
    at: dict[str, int] = {}
    unique = {i: len(pc.unique(table.columns[i].drop_null())) for i in range(len(table.header))}
    for i in range(len(table.header)):
        values = sample_of(table, i)
        if not len(values):
            continue
        if "occurred_at" not in at and (date_share(values) > 0.9):
            at["occurred_at"] = i
        elif share_of(values, r"\d[.,]\d{1,2}\D*$") > 0.3:
            at["net_amount"] = i
        elif unique[i] == table.rows and "transaction_id" not in at:
            at["transaction_id"] = i
        elif "customer_id" not in at and unique[i] > 2:
            at["customer_id"] = i
    shown = " ".join(f"--map {role}=#{i + 1}" for role, i in at.items())
    first = " | ".join(str(column[0].as_py()) for column in table.columns) if table.rows else ""
    return Asks(
        Question(
            "no_header",
            f"{table.name} has no header line; its first line is {first[:200]}. Map its columns",
            None,
            {shown: "as the values suggest; check them"} if shown else {},
            "--map customer_id=#1 (and so on), or add a header line",
        )
    )
