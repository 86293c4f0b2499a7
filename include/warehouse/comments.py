"""Write comments on warehouse columns from the descriptions in the datasets.

A column with a comment in the SQL files keeps it. Every other column takes the text of the dataset
that its table is loaded from, else of the dataset that shares most columns with it, or of the list below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from psycopg import sql

from include import sql_text
from include.datasets import Dataset, catalogue
from include.warehouse.session import Row

SCHEMAS = ("control", "analytics", "mart", "pii")

EVERYWHERE = {
    "as_of": "Snapshot date, exclusive: nothing on or after it is known.",
    "currency": "ISO 4217 code of every amount of the firm.",
    "customer_sk": "Customer: row of dim_customer.",
    "date_sk": "Day as yyyymmdd: row of dim_date.",
    "firm_key": "Firm, by its short name.",
    "firm_sk": "Firm: row of dim_firm.",
    "manifest_token": "Attempt that wrote the handoff this row was loaded from; see control.attempts.",
    "product_sk": "Product: row of dim_product.",
    "segment_sk": "Segment: row of dim_customer_segment.",
}

_STAGED = re.compile(r"pg_temp\.stg_(\w+)")
_COMMENTED = re.compile(r"^comment on column\s+(\w+\.\w+\.\w+)", re.M)


def write_comments(connection: psycopg.Connection[Row]) -> None:
    """Comment every column that has a text here and none in the SQL files."""
    found = connection.execute(
        "select n.nspname as schema_name, c.relname as table_name, a.attname as column_name, "
        "col_description(c.oid, a.attnum) as comment from pg_catalog.pg_attribute a "
        "join pg_catalog.pg_class c on c.oid = a.attrelid "
        "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped",
        [list(SCHEMAS)],
    ).fetchall()
    tables: dict[tuple[str, str], dict[str, str | None]] = {}
    for row in found:
        tables.setdefault((row["schema_name"], row["table_name"]), {})[row["column_name"]] = row["comment"]
    written = explicit()
    for (schema, table), columns in tables.items():
        texts = texts_for(table, columns) | _of_view(tables, table)
        for column, comment in columns.items():
            if f"{schema}.{table}.{column}" in written or texts.get(column) in (None, comment):
                continue
            connection.execute(
                sql.SQL("comment on column {} is {}").format(
                    sql.Identifier(schema, table, column), sql.Literal(texts[column])
                )
            )


def _of_view(tables: Mapping[tuple[str, str], Mapping[str, str | None]], table: str) -> dict[str, str]:
    """Of a summary and of its history: the comments of the view with the same columns."""
    if not table.startswith("summary_") and not table.endswith("_history"):
        return {}
    view = "vw_" + table.removeprefix("summary_").removeprefix("vw_").removesuffix("_history")
    return {name: text for name, text in tables.get(("mart", view), {}).items() if text}


def explicit() -> set[str]:
    """Columns that a file of sql/schema or sql/view comments itself."""
    return {
        name
        for folder in ("schema", "view")
        for file in sql_text.names(folder)
        for name in _COMMENTED.findall(sql_text.read(folder, file))
    }


def loaded_from(table: str) -> str | None:
    """Name of the dataset that ``sql/load/<table>.sql`` loads; None for a table without such a file."""
    staged = _STAGED.search(sql_text.read("load", table)) if sql_text.exists("load", table) else None
    return staged[1] if staged else None


def texts_for(table: str, columns: Mapping[str, object]) -> dict[str, str]:
    """What each column means, for those known by name; the dataset that is loaded into the table is first."""
    own = loaded_from(table)

    def nearness(dataset: Dataset) -> tuple[bool, int]:
        return dataset.name == own, len(set(dataset.schema.names) & set(columns))

    texts: dict[str, str] = {}
    for dataset in sorted(catalogue().values(), key=nearness):
        texts.update({name: dataset.about_column(name) for name in dataset.schema.names})
    texts.update(EVERYWHERE)
    return {name: text for name, text in texts.items() if name in columns}
