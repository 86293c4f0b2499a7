"""Receipts: where the numbers of an answer come from.

Every route of a firm takes ``receipt=true``. The answer then also has the SQL that was run, with its values
in place, so that an analyst's login gives the same rows; what each column means and its unit; the tables that
the SQL reads with the hashes of the handoffs they were loaded from; the models; and the runs of Airflow.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

from fastapi import Request

from include import sql_text
from include.console.reader import Session, Statement
from include.metrics import GLOSSARY
from include.modules import ROWS
from include.version import code_version

_NAMES = re.compile(r"\b(?P<schema>analytics|mart|control)\.(?P<name>[a-z_0-9]+)")
_MODELS = {module.snapshot: module.name for module in ROWS if module.training and module.snapshot}
_UNITS = (  # by the end of a column's name
    ("_pct", "percent"), ("_days", "days"), ("_seconds", "seconds"), ("seconds", "seconds"),
    ("_probability", "probability, 0 to 1"), ("_rate", "share, 0 to 1"), ("_rate_at_5", "share, 0 to 1"),
)  # fmt: skip
_MONEY = re.compile(r"spend|revenue|amount|_clv|clv_|_value|value_|cost|benefit|margin|_aov")
_NO_MONEY = re.compile(
    r"^(is_|has_|top_)|_(tier|segment|code|name|level|percentile|rank|count|trend|date|version)$"
)
_UNIT_OF = {name: metric.unit for metric in GLOSSARY for name in (metric.name, *metric.also)}


def is_asked(request: Request) -> bool:
    """Whether the request asks for a receipt."""
    return request.query_params.get("receipt", "").lower() in ("true", "1")


def receipt(
    session: Session, statements: list[Statement], firm_key: str, as_of: date | None
) -> dict[str, Any]:
    """The receipt of an answer that these statements gave; ``as_of`` is None where no snapshot was read."""
    body: dict[str, Any] = {
        "firm_key": firm_key,
        "as_of": as_of,
        "code_version": code_version(),
        "statements": [_described(session, statement) for statement in statements],
    }
    if as_of is None:
        return body
    tables = sorted({name for one in statements for name in tables_of(one.sql)})
    asked = {"firm_key": firm_key, "as_of": as_of}
    body["loads"] = session.rows("receipt_loads", tables=tables, **asked)
    body["runs"] = session.rows("receipt_runs", **asked)
    wanted = {module for table, module in _MODELS.items() if table in tables}
    body["models"] = [row for row in session.rows("receipt_models", **asked) if row["module"] in wanted]
    return body


def tables_of(sql: str) -> frozenset[str]:
    """The tables of ``analytics`` that a statement reads, also through functions and views of ``mart``."""
    found: set[str] = set()
    for schema, name in _names(sql):
        found |= _tables_of_view(name) if schema == "mart" else {name} if schema == "analytics" else set()
    return frozenset(found)


@cache
def _tables_of_view(name: str) -> frozenset[str]:
    view = f"vw_{name.removeprefix('vw_')}"
    if not sql_text.exists("view", view):
        return frozenset()
    text = sql_text.read("view", view)
    others = {
        (schema, other)
        for schema, other in _names(text)
        if other.removeprefix("vw_") != name.removeprefix("vw_")
    }
    return frozenset(
        table
        for schema, other in others
        for table in (
            _tables_of_view(other) if schema == "mart" else {other} if schema == "analytics" else ()
        )
    )


def _names(sql: str) -> set[tuple[str, str]]:
    code = re.sub(r"--[^\n]*|comment on (?s:.*?);", "", sql)
    return {(found["schema"], found["name"]) for found in _NAMES.finditer(code)}


def _described(session: Session, statement: Statement) -> dict[str, Any]:
    relations = [
        f"{schema}.{name}" if schema != "mart" or name.startswith("vw_") else f"mart.vw_{name}"
        for schema, name in sorted(_names(statement.sql))
    ]
    meanings = {
        row["column_name"]: row["meaning"] for row in session.rows("receipt_columns", relations=relations)
    }
    is_operational = any(schema == "control" for schema, _ in _names(statement.sql))
    return {
        "name": statement.name,
        "sql": statement.sql,
        "row_count": statement.row_count,
        "role": "platform" if is_operational else "analyst",
        "columns": [
            {"name": name, "unit": unit_of(name), "meaning": meanings.get(name)} for name in statement.columns
        ],
    }


def unit_of(column: str) -> str | None:
    """The unit of a column: the glossary's, else by its name. None: a text, a day, an instant or a count."""
    if column in _UNIT_OF:
        return _UNIT_OF[column]
    if found := next((unit for end, unit in _UNITS if column.endswith(end)), None):
        return found
    return "money" if _MONEY.search(column) and not _NO_MONEY.search(column) else None
