"""Lint for Oracle statements: only syntax that Oracle and Postgres share.

sqlglot parses Oracle's dialect, but takes more than Oracle does: what it lets through is denied here.
"""

import re

import sqlglot
from sqlglot import exp

DENIED = {
    "LIMIT": r"\blimit\b",
    "outer join by (+)": r"\(\s*\+\s*\)",
    "the clock": r"\b(sysdate|systimestamp|now|current_date|current_timestamp|localtimestamp)\b",
    "a cast by ::": r"::",
    "ILIKE": r"\bilike\b",
    "DECODE, NVL or ROWNUM": r"\b(decode|nvl2?|rownum|connect\s+by|minus)\b",
    "DUAL": r"\bdual\b",
    "a boolean": r"\b(true|false|boolean|is\s+not\s+true)\b",
    "a type of one system": r"\bas\s+(text|number|varchar2|timestamptz|int8?|bigint|double precision)\b",
    "FILTER or DISTINCT ON": r"\bfilter\s*\(|\bdistinct\s+on\b",
    "an interval with its unit inside": r"\binterval\s+'[^']*[a-z]",
    "comparison with empty text": r"(=|<>)\s*''",
    "a semicolon": r";",
}
NUMBERS = r"_amount$|^quantity$|^points_|_key$|^has_rows$"


def faults(text: str) -> list[str]:
    """What is wrong with a statement; none means that it may be sent."""
    bare = re.sub(r"--[^\n]*", "", text)
    tree = sqlglot.parse_one(bare, dialect="oracle")
    found = [name for name, pattern in DENIED.items() if re.search(pattern, bare, re.IGNORECASE)]
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.alias and re.search(rf"\b{table.name}\s+as\s+{table.alias}\b", bare, re.IGNORECASE):
            found.append(f"AS before the alias of {table.name}")
        if table.db:
            found.append(f"a schema written before {table.name}")
    if any(isinstance(node, exp.Star) for node in tree.expressions):
        found.append("select * in the last select")
    found += [
        f"{column.alias_or_name} is not cast outermost, so it may come as a float"
        for column in tree.expressions
        if re.search(NUMBERS, column.alias_or_name) and not isinstance(column.unalias(), exp.Cast)
    ]
    if not any(table.name not in named for table in tree.find_all(exp.Table)):
        found.append("no table")
    found += [f"alias {a.alias!r} over 30 letters" for a in tree.find_all(exp.Alias) if len(a.alias) > 30]
    return found
