"""Hash every fact and dimension of a warehouse, so that two code versions can be compared.

``python -m tools.facts_hash --dsn URL --out FILE`` writes, per firm, table and as_of, the row count and a
sha256. ``--compare FILE`` compares with an earlier output and exits 1 with the tables, columns and sample
keys that differ. Rows are hashed as PostgreSQL prints them (the shortest exact form of a float), sorted by
business key. Surrogate keys are replaced by business keys. Tokens, hashes of handoffs, load times and the
hash at the end of a model version depend on the attempt, not on the facts, and are left out.

Predictions changed by design with the method of version 2 (``docs/models.md``): differences in the tables of
``PREDICTIONS`` are printed and do not fail the comparison, unless ``--predictions`` asks for it.

A comparison uses the tables, keys and columns of the earlier output, so an added table or column changes
nothing. A renamed one belongs in ``RENAMED_TABLES`` or ``RENAMED_COLUMNS``: the names in FILE stay the old.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

RENAMED_TABLES: dict[str, str] = {}  # name in docs/baseline.json -> name today
RENAMED_COLUMNS: dict[
    str, dict[str, str]
] = {}  # table in docs/baseline.json -> {column there -> column today}

PREDICTIONS = {  # table -> why its facts differ from those of 6ebb6e7
    "fact_customer_ltv": "season, a model per horizon, P(alive) below 1 for one-time buyers",
    "fact_customer_churn_risk": "overlapping windows without calibration, season, scaled rules, own factors",
    "fact_firm_metric": "metrics of predicted value and churn",
    "fact_firm_insight": "sentences about predictions",
    "fact_action": "actions chosen by risk and value",
    "fact_scorecard": "predictions compared with what happened",
}

SURROGATES = {  # surrogate key -> (its dimension, the business key there), by today's names
    "customer_sk": ("dim_customer", "customer_id"),
    "product_sk": ("dim_product", "product_id"),
    "segment_sk": ("dim_customer_segment", "segment_code"),
    "tier_sk": ("dim_customer_tier", "tier_code"),
    "channel_sk": ("dim_interaction_channel", "channel_code"),
    "campaign_sk": ("dim_campaign", "campaign_id"),
    "program_sk": ("dim_program", "programme_id"),
}
NATURAL = {"date_sk"}  # a day as yyyymmdd is its own business key
KEYS = {  # business keys of tables without a natural primary key; names of docs/baseline.json
    "dim_firm": ["firm_key"],
    "fact_sales": ["transaction_id", "line_id", "kind"],
    "fact_interaction": ["interaction_id"],
    "fact_loyalty_movement": ["movement_id"],
    "fact_assignment": ["assignment_id"],
}
LEFT_OUT = {
    "firm_sk", "token", "manifest_token", "manifest_sha256", "loader_sha256", "scorer_sha256", "made_from",
    "code_version", "created_at", "decided_at", "loaded_at", "measured_at", "recorded_at", "scored_at",
}  # fmt: skip
SAMPLES = 3
CHUNK = 5_000
SHARED = "(every firm)"


@dataclass
class Slice:
    """The rows of one as_of, or of a whole table that is no snapshot."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    samples: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, line: bytes, keys: int) -> None:
        """Add the next row: fields separated by tabs, the business key first."""
        self.rows += 1
        self.digest.update(line)
        key = b"\t".join(line.rstrip(b"\n").split(b"\t")[:keys])
        rank = -int.from_bytes(hashlib.sha256(key).digest()[:8])
        if len(self.samples) < SAMPLES or rank > self.samples[0][0]:
            item = (rank, key.decode(), hashlib.sha256(line).hexdigest()[:12])
            (heapq.heappush if len(self.samples) < SAMPLES else heapq.heapreplace)(self.samples, item)

    def result(self) -> dict[str, Any]:
        """The slice as JSON. The samples are the same rows in every output: those whose key hashes lowest."""
        samples = {key: digest for _, key, digest in sorted(self.samples, reverse=True)}
        return {"rows": self.rows, "sha256": self.digest.hexdigest(), "samples": samples}


def hash_warehouse(dsn: str, like: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The hashes of every firm's facts and dimensions; ``like`` is an earlier output to be compared with."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set transaction isolation level repeatable read, read only")
        layouts = like["tables"] if like else describe(connection)
        there = {row[0] for row in _tables(connection)}
        columns = {name: set(_columns(connection, name)) for name in there}
        usable = {
            table: layout for table, layout in layouts.items() if RENAMED_TABLES.get(table, table) in there
        }
        firms: dict[str, dict[str, Any]] = {SHARED: {}}
        keys = connection.execute("select firm_sk, firm_key from analytics.dim_firm order by 2").fetchall()
        for firm_sk, firm_key in [(None, SHARED), *keys]:
            tables = {}
            for table, layout in usable.items():
                if layout["has_firm"] == (firm_sk is not None):
                    known = columns[RENAMED_TABLES.get(table, table)]
                    tables[table] = _hash_table(connection, table, layout, known, firm_sk)
            firms[firm_key] = tables
    return {"tables": layouts, "firms": firms}


def describe(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """The hashed columns of every table, its business key first, and whether it is a snapshot."""
    layouts = {}
    for table, primary in _tables(connection):
        names = _columns(connection, table)
        if unknown := sorted(n for n in names if n.endswith("_sk") and not _is_resolved(n)):
            raise ValueError(
                f"{table}: surrogate keys {unknown} are unknown; add them to SURROGATES in {__file__}"
            )
        kept = [n for n in names if n not in LEFT_OUT and not _own_surrogate(table, n)]
        key = [n for n in (KEYS.get(table) or primary) if n in kept]
        key = key or [k for dimension, k in SURROGATES.values() if dimension == table]
        has_as_of = table.startswith("fact_") and "as_of" in kept
        key = (["as_of"] if has_as_of else []) + [n for n in key if n != "as_of"]
        layouts[table] = {
            "key": key,
            "columns": [n for n in kept if n not in key],
            "has_firm": "firm_sk" in names,
            "is_snapshot": has_as_of,
        }
    return layouts


def _tables(connection: psycopg.Connection) -> list[tuple[str, list[str]]]:
    """Every fact and dimension with the columns of its primary key."""
    return connection.execute(
        "select c.relname, coalesce((select array_agg(a.attname::text order by k.n) "
        "from pg_constraint p cross join unnest(p.conkey) with ordinality as k (attnum, n) "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum "
        "where p.conrelid = c.oid and p.contype = 'p'), '{}') "
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = 'analytics' and c.relkind in ('r', 'p') and not c.relispartition "
        # Summaries are no facts: they are computed from them, and dim_summary says when.
        r"and c.relname ~ '^(fact|dim)_' and c.relname <> 'dim_summary' order by 1"
    ).fetchall()


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "select attname from pg_attribute where attrelid = format('analytics.%%I', %s::text)::regclass "
        "and attnum > 0 and not attisdropped order by attnum",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _surrogate(column: str) -> str | None:
    """The surrogate key a column holds: ``rfm_segment_sk`` holds a ``segment_sk``."""
    return next((sk for sk in SURROGATES if column == sk or column.endswith(f"_{sk}")), None)


def _is_resolved(column: str) -> bool:
    return column in NATURAL or column == "firm_sk" or _surrogate(column) is not None


def _own_surrogate(table: str, column: str) -> bool:
    """Whether the column is the surrogate key that this dimension itself defines."""
    return column in SURROGATES and SURROGATES[column][0] == table


def _hash_table(
    connection: psycopg.Connection,
    table: str,
    layout: Mapping[str, Any],
    known: set[str],
    firm_sk: int | None,
) -> dict[str, Any]:
    names = [*layout["key"], *layout["columns"]]
    renamed = RENAMED_COLUMNS.get(table, {})
    if missing := sorted(n for n in names if renamed.get(n, n) not in known):
        return {"missing_columns": missing}
    fields = [_field(renamed.get(name, name)) for name in names]
    # Sorted by what is hashed, byte by byte: independent of collation and of surrogate keys.
    order = [sql.SQL('{} collate "C"').format(sql.SQL("({})::text").format(f)) for f in fields]
    statement = sql.SQL("copy (select {} from analytics.{} as t{} order by {}) to stdout").format(
        sql.SQL(", ").join(fields),
        sql.Identifier(RENAMED_TABLES.get(table, table)),
        sql.SQL("") if firm_sk is None else sql.SQL(" where t.firm_sk = {}").format(sql.Literal(firm_sk)),
        sql.SQL(", ").join(order),
    )
    slices: dict[str, Slice] = {}
    digests = [hashlib.sha256() for _ in names]
    for lines in _lines(connection, statement):
        columns = zip(*(line[:-1].split(b"\t") for line in lines), strict=True)
        for digest, values in zip(digests, columns, strict=True):
            digest.update(b"\n".join(values) + b"\n")
        for line in lines:
            of = line.partition(b"\t")[0].decode() if layout["is_snapshot"] else "all"
            slices.setdefault(of, Slice()).add(line, len(layout["key"]))
    return {
        "slices": {of: found.result() for of, found in slices.items()},
        "columns": {n: d.hexdigest()[:12] for n, d in zip(names, digests, strict=True)} if slices else {},
    }


def _field(column: str) -> sql.Composable:
    """The expression that is hashed for a column."""
    name = sql.Identifier("t", column)
    if surrogate := _surrogate(column):
        dimension, key = SURROGATES[surrogate]
        return sql.SQL("(select d.{} from analytics.{} as d where d.{} = {})").format(
            sql.Identifier(key), sql.Identifier(dimension), sql.Identifier(surrogate), name
        )
    if column == "model_version":  # ends with a hash of the artefact
        return sql.SQL("regexp_replace({}, '-[0-9a-f]{{12}}$', '')").format(name)
    return name


def _lines(connection: psycopg.Connection, statement: sql.Composed) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    rest = b""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for data in copy:
            *whole, rest = (rest + bytes(data)).split(b"\n")  # a line break in a value is escaped
            lines += [line + b"\n" for line in whole]
            if len(lines) >= CHUNK:
                yield lines
                lines = []
    if lines:
        yield lines


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The differences, one line each; only what ``before`` holds is compared."""
    lines = []
    for firm, tables in before["firms"].items():
        if firm not in after["firms"]:
            lines.append(f"{firm}: the warehouse has no such firm")
            continue
        for table, then in tables.items():
            now = after["firms"][firm].get(table)
            lines += [f"{firm} {line}" for line in _differences(table, then, now)]
    return lines


def by_design(line: str) -> bool:
    """Whether a difference is in a table of predictions."""
    return any(f" {table} " in line for table in PREDICTIONS)


def _differences(table: str, then: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[str]:
    if now is None:
        return [f"{table}: the table is missing; if it was renamed, add it to RENAMED_TABLES"]
    if "missing_columns" in now:
        return [f"{table}: columns {now['missing_columns']} are missing; if renamed, see RENAMED_COLUMNS"]
    lines = []
    for of in sorted({*then["slices"], *now["slices"]}):
        had, has = then["slices"].get(of), now["slices"].get(of)
        if had is None or has is None:
            lines.append(f"{table} {of}: only in the {'warehouse' if had is None else 'earlier output'}")
        elif had["sha256"] != has["sha256"]:
            unlike = sorted(k for k in had["samples"] if had["samples"][k] != has["samples"].get(k))
            new = sorted(set(has["samples"]) - set(had["samples"]))
            columns = [c for c, digest in then["columns"].items() if now["columns"].get(c) != digest]
            keys = "; ".join(k.replace("\t", ", ") for k in [*unlike, *new][:SAMPLES])
            lines.append(
                f"{table} {of}: {had['rows']} rows before, {has['rows']} now; columns that differ: "
                f"{', '.join(columns)}; keys that differ: {keys or 'none of the sampled'}"
            )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.facts_hash")
    parser.add_argument("--dsn", required=True, help="URL of the warehouse")
    parser.add_argument("--out", type=Path, help="write the hashes to this file")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="an earlier output; exit 1 when facts differ"
    )
    parser.add_argument(
        "--predictions", action="store_true", help="count differences in tables of predictions as well"
    )
    given = parser.parse_args(arguments)
    before = json.loads(given.compare.read_text(encoding="utf-8")) if given.compare else None
    found = hash_warehouse(given.dsn, like=before)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if before is None:
        return 0
    lines = compare(before, found)
    faults = [line for line in lines if given.predictions or not by_design(line)]
    print("\n".join(lines) or "all facts are equal")
    if lines and not faults:
        print("all facts but predictions are equal")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
