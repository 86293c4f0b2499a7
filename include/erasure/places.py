"""Search every table, view, statistic, file and log for an erased customer; mask logs and reports."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from include.erasure import handoffs
from include.erasure.search_terms import SearchTerms, is_free_text, names_customer
from include.settings import Settings
from include.warehouse import Warehouse
from include.warehouse.relations import Relation

TEXTS = ("text", "json", "jsonb", "character varying", "character", "text[]", "name")
LOG_SUFFIXES = (".log", ".json", ".txt", ".html", ".jsonl", ".csv", ".out", ".err", "")


@dataclass
class Searched:
    """How many places of one kind were searched, and which of them hold the customer."""

    what: str
    count: int = 0
    found: list[str] = field(default_factory=list)


def search(
    warehouse: Warehouse,
    settings: Settings,
    firm_key: str,
    terms: SearchTerms,
    customer_sk: int | None,
    scratch: Path,
    others: Collection[str],
) -> list[Searched]:
    """Search all of the firm's data; one result for each kind of place.

    ``others`` are the keys of the other firms: their rows, statistics and task logs are not searched.
    """
    tables, views = Searched("tables"), Searched("views")
    for relation in warehouse.erasures.relations():
        part = views if relation.kind in ("v", "m") else tables
        part.count += 1
        part.found += in_relation(warehouse, relation, firm_key, terms, customer_sk)
    statistics = Searched("columns' statistics", *in_statistics(warehouse, terms, firm_key))
    files = Searched("parquet files", *handoffs.search_files(settings.root, firm_key, terms, scratch=scratch))
    logs = Searched("logs and reports")
    for path in texts(settings, others):
        logs.count += 1
        if any(line != terms.masked(line) for line in path.read_bytes().splitlines()):
            logs.found.append(str(path.relative_to(settings.home)))
    return [tables, views, statistics, files, logs]


def in_relation(
    warehouse: Warehouse, relation: Relation, firm_key: str, terms: SearchTerms, customer_sk: int | None
) -> list[str]:
    """The columns of a table or view that match, among the firm's rows; the relation is read once."""
    asked: dict[str, sql.Composable] = {}
    for column, kind in relation.columns.items():
        name = sql.Identifier(column)
        if column == "customer_sk" and customer_sk is not None:
            asked[column] = sql.SQL("bool_or({} = {})").format(name, sql.Literal(customer_sk))
        elif names_customer(column):
            asked[column] = sql.SQL("bool_or({}::text = {})").format(name, sql.Literal(terms.customer_id))
        elif kind in TEXTS:
            is_everywhere = terms.is_distinctive or is_free_text(column, kind)
            substrings = [n for n in terms.substrings if is_everywhere or n != terms.customer_id.lower()]
            asked[column] = sql.SQL(
                "array_agg(distinct {}::text) filter (where exists (select from unnest({}::text[]) "
                "as needle where strpos(lower({}::text), needle) > 0))"
            ).format(name, sql.Literal(substrings), name)
    if not asked:
        return []
    query = sql.SQL("select {} from {} where {}").format(
        sql.SQL(", ").join(
            sql.SQL("{} as {}").format(query, sql.Identifier(column)) for column, query in asked.items()
        ),
        relation.identifier,
        relation.of_firm(firm_key, warehouse.erasures.firm_sk(firm_key)),
    )
    (row,) = warehouse.session.rows(query.as_string(warehouse.session.connection))
    found = []
    for column, held in row.items():
        matches = (
            terms.matches_document if is_free_text(column, relation.columns[column]) else terms.matches_text
        )
        if held is True or any(matches(text) for text in held or ()):
            found.append(f"{relation.full_name}.{column}")
    return found


def in_statistics(warehouse: Warehouse, terms: SearchTerms, firm_key: str) -> tuple[int, list[str]]:
    """Search the planner's statistics, which contain row values: columns searched, and columns that match.

    Tables that firms share have one set of statistics. A value that a row of another firm holds belongs to
    that firm and is not reported.
    """
    firm_sk = warehouse.erasures.firm_sk(firm_key)
    relations = {relation.full_name: relation for relation in warehouse.erasures.relations()}
    rows = warehouse.session.rows(
        "select stats.schemaname || '.' || stats.tablename as table_name, stats.attname as column_name, "
        "coalesce(parent.oid::regclass::text, '') as parent_name, "
        "pg_get_expr(part.relpartbound, part.oid) = format('FOR VALUES IN (%%s)', %s) as is_of_firm, "
        "array_to_json(most_common_vals::text::text[])::text as common, "
        "array_to_json(histogram_bounds::text::text[])::text as bounds "
        "from pg_catalog.pg_stats as stats "
        "join pg_catalog.pg_class as part on part.relname = stats.tablename "
        "and part.relnamespace = to_regnamespace(quote_ident(stats.schemaname)) "
        "left join pg_catalog.pg_inherits on pg_inherits.inhrelid = part.oid "
        "left join pg_catalog.pg_class as parent on parent.oid = pg_inherits.inhparent "
        "where stats.schemaname in ('analytics', 'control', 'pii', 'parts')",
        [firm_sk],
    )
    found = []
    for row in rows:
        if row["is_of_firm"] is False:
            continue  # the partition of another firm
        is_id = names_customer(row["column_name"])
        held = [text for name in ("common", "bounds") for text in json.loads(row[name] or "[]") if text]
        values = {text for text in held if (is_id and text == terms.customer_id) or terms.has_contact(text)}
        relation = None if row["parent_name"] else relations.get(row["table_name"])
        if relation is not None and values:
            values -= warehouse.erasures.held_by_others(
                relation, row["column_name"], values, firm_key, firm_sk
            )
        if values:
            found.append(f"{row['table_name']}.{row['column_name']}")
    return len(rows), found


def texts(settings: Settings, others: Collection[str]) -> Iterator[Path]:
    """Logs and reports under the installation's home, without the task logs of the other firms."""
    skipped = {f"dag_id=firm_{key}" for key in others}
    for folder in (settings.logs, settings.home / "reports"):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and path.suffix in LOG_SUFFIXES and skipped.isdisjoint(path.parts):
                yield path


def mask_texts(settings: Settings, terms: SearchTerms, others: Collection[str]) -> int:
    """Overwrite matches in logs and reports in place, so that open log files stay valid; lines changed."""
    count = 0
    for path in texts(settings, others):
        with path.open("r+b") as file:
            place = 0
            for line in file.read().splitlines(keepends=True):
                if (masked := terms.masked(line)) != line:
                    file.seek(place)
                    file.write(masked)
                    count += 1
                place += len(line)
    return count


def remove_copies(settings: Settings, firm_key: str) -> int:
    """Remove the cached copies of the firm's files; how many files."""
    folder = settings.home / "cache" / firm_key
    count = sum(len(files) for _, _, files in os.walk(folder))
    shutil.rmtree(folder, ignore_errors=True)
    return count
