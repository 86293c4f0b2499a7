"""Where a customer could still be: every table, view, file and log, searched after erasing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from include.erasure import handoffs
from include.erasure.traces import Traces, is_free_text, names_customer
from include.settings import Settings
from include.warehouse.erasures import Erasures, Relation

TEXTS = ("text", "json", "jsonb", "character varying", "character", "text[]", "name")
LOG_SUFFIXES = (".log", ".json", ".txt", ".html", ".jsonl", ".csv", ".out", ".err", "")


@dataclass
class Searched:
    """How much of one kind of place was searched, and where a trace was found."""

    what: str
    count: int = 0
    found: list[str] = field(default_factory=list)


def search(
    warehouse: Erasures,
    settings: Settings,
    firm_key: str,
    traces: Traces,
    customer_sk: int | None,
    scratch: Path,
) -> list[Searched]:
    """Search all there is of the firm; what was searched and what was found."""
    tables, views = Searched("tables"), Searched("views")
    for relation in warehouse.relations():
        part = views if relation.kind in ("v", "m") else tables
        part.count += 1
        part.found += in_relation(warehouse, relation, firm_key, traces, customer_sk)
    statistics = Searched("columns' statistics", *in_statistics(warehouse, traces))
    files = Searched("parquet files", *handoffs.found_in(settings.root, firm_key, traces, scratch=scratch))
    logs = Searched("logs and reports")
    for path in texts(settings):
        logs.count += 1
        if any(line != traces.masked(line) for line in path.read_bytes().splitlines()):
            logs.found.append(str(path.relative_to(settings.home)))
    return [tables, views, statistics, files, logs]


def in_relation(
    warehouse: Erasures, relation: Relation, firm_key: str, traces: Traces, customer_sk: int | None
) -> list[str]:
    """The columns of a table or view that hold a trace, among the firm's rows; each is read once."""
    asked: dict[str, sql.Composable] = {}
    for column, kind in relation.columns.items():
        name = sql.Identifier(column)
        if column == "customer_sk" and customer_sk is not None:
            asked[column] = sql.SQL("bool_or({} = {})").format(name, sql.Literal(customer_sk))
        elif names_customer(column):
            asked[column] = sql.SQL("bool_or({}::text = {})").format(name, sql.Literal(traces.customer_id))
        elif kind in TEXTS:
            is_everywhere = traces.is_telling or is_free_text(column, kind)
            needles = [n for n in traces.needles if is_everywhere or n != traces.customer_id.lower()]
            asked[column] = sql.SQL(
                "array_agg(distinct {}::text) filter (where exists (select from unnest({}::text[]) "
                "as needle where strpos(lower({}::text), needle) > 0))"
            ).format(name, sql.Literal(needles), name)
    if not asked:
        return []
    query = sql.SQL("select {} from {} where {}").format(
        sql.SQL(", ").join(
            sql.SQL("{} as {}").format(query, sql.Identifier(column)) for column, query in asked.items()
        ),
        relation.identifier,
        relation.of_firm(firm_key, warehouse.firm_sk(firm_key)),
    )
    (row,) = warehouse.rows(query.as_string(warehouse.connection))
    found = []
    for column, held in row.items():
        told = traces.in_document if is_free_text(column, relation.columns[column]) else traces.in_text
        if held is True or any(told(text) for text in held or ()):
            found.append(f"{relation.full_name}.{column}")
    return found


def in_statistics(warehouse: Erasures, traces: Traces) -> tuple[int, list[str]]:
    """What the planner remembers of columns: it keeps values of rows."""
    rows = warehouse.rows(
        "select schemaname || '.' || tablename as table_name, attname as column_name, "
        "array_to_json(most_common_vals::text::text[])::text as common, "
        "array_to_json(histogram_bounds::text::text[])::text as bounds from pg_catalog.pg_stats "
        "where schemaname in ('analytics', 'control', 'pii', 'parts')"
    )
    found = []
    for row in rows:
        held = " ".join(filter(None, (row["common"], row["bounds"])))
        is_id = names_customer(row["column_name"]) and f'"{traces.customer_id}"' in held
        if is_id or traces.has_contact(held):
            found.append(f"{row['table_name']}.{row['column_name']}")
    return len(rows), found


def texts(settings: Settings) -> Iterator[Path]:
    """Logs and reports under the installation's home: all that is neither data nor the server's own."""
    for folder in (settings.logs, settings.home / "reports"):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and path.suffix in LOG_SUFFIXES:
                yield path


def mask_texts(settings: Settings, traces: Traces) -> int:
    """Star the traces out of logs and reports, in place: whoever appends to one goes on undisturbed."""
    count = 0
    for path in texts(settings):
        with path.open("r+b") as file:
            place = 0
            for line in file.read().splitlines(keepends=True):
                if (masked := traces.masked(line)) != line:
                    file.seek(place)
                    file.write(masked)
                    count += 1
                place += len(line)
    return count


def remove_copies(settings: Settings, firm_key: str) -> int:
    """Remove the copies of the firm's files that are kept to be read faster; how many files."""
    folder = settings.home / "cache" / firm_key
    count = sum(len(files) for _, _, files in os.walk(folder))
    shutil.rmtree(folder, ignore_errors=True)
    return count
