"""Join the tables of several files or sheets: equal headers in any order, or headers with added columns."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Findings, Refused
from include.intake.concepts import role_of
from include.intake.headers import KNOWN
from include.intake.tables import Table, compact

ENOUGH_KNOWN = 3  # known column names that two headers must share to be joined


def joined(tables: list[Table], findings: Findings) -> Table:
    """One table: join the tables whose header has the most known columns."""
    tables = [table for table in tables if table.columns]
    if not tables:
        raise Refused("no_rows", "the file has no table", "Export the sales as csv, xlsx, json or parquet")
    chosen = _of_one_shape(tables)
    if left := [table.name for table in tables if table not in chosen and table.rows]:
        findings.warn("other_tables", f"not read, because their header differs: {', '.join(left[:5])}")
    unique = _aligned(_unique(chosen, findings), findings)
    for table in unique:
        for code, text in table.notes:
            findings.note(code, text if len(unique) == 1 else f"{table.name}: {text}")
    if len(unique) == 1:
        return unique[0]
    findings.note(
        "joined",
        f"{len(unique)} tables with one header were read together: {', '.join(t.name for t in unique[:5])}",
    )
    unique = _without_overlap(unique, findings)
    first = unique[0]
    columns = [pa.concat_arrays([t.columns[i] for t in unique]) for i in range(len(first.header))]
    typed = frozenset.intersection(*(t.typed for t in unique))
    ragged = [row for t in unique for row in t.ragged]
    return Table(first.name, first.header, columns, typed, ragged, has_header=first.has_header)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(compact(name) for name in table.header)


def _of_one_shape(tables: list[Table]) -> list[Table]:
    """The tables of the header with the most known names, and those whose header it contains or extends."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        groups.setdefault(tuple(sorted(_names(table))), []).append(table)
    key = max(
        groups, key=lambda k: (min(sum(name in KNOWN for name in k), 6), sum(t.rows for t in groups[k]))
    )
    alike = [key]
    for other in groups:
        shared = set(other) & set(key)
        is_part = shared in (set(other), set(key)) and len(set(other)) == len(other)
        known = sum(_is_known(name, groups[key][0]) for name in shared)
        if other != key and is_part and len(set(key)) == len(key) and known >= ENOUGH_KNOWN:
            alike.append(other)
    return [table for table in tables if tuple(sorted(_names(table))) in alike]


def _is_known(name: str, table: Table) -> bool:
    return name in KNOWN or role_of(table.header[_names(table).index(name)]) is not None


def _unique(tables: list[Table], findings: Findings) -> list[Table]:
    """The tables without those that have the same rows as an earlier one."""
    seen: dict[str, str] = {}
    unique = []
    for table in tables:
        digest = _digest(table)
        if digest in seen and table.rows:
            findings.warn(
                "same_file_twice", f"{table.name} has the same rows as {seen[digest]} and was read once"
            )
            continue
        seen[digest] = table.name
        unique.append(table)
    return unique


def _aligned(tables: list[Table], findings: Findings) -> list[Table]:
    """The tables with the columns of the widest header in its order; a missing column is blank."""
    widest = max(tables, key=lambda table: len(table.header))
    wanted = _names(widest)
    aligned = []
    for table in tables:
        names = _names(table)
        if names == wanted:
            aligned.append(table)
            continue
        missing = [name for name, plain in zip(widest.header, wanted, strict=True) if plain not in names]
        if missing:
            findings.note("joined", f"{table.name} has no column {', '.join(missing[:5])}")
        at = [names.index(name) if name in names else None for name in wanted]
        blank = pa.nulls(table.rows, pa.string())
        columns = [blank if i is None else table.columns[i] for i in at]
        typed = frozenset(to for to, i in enumerate(at) if i is None or i in table.typed)
        aligned.append(dataclasses.replace(table, header=widest.header, columns=columns, typed=typed))
    return aligned


def _without_overlap(tables: list[Table], findings: Findings) -> list[Table]:
    """Leave out rows that an earlier table also has, as in exports of overlapping periods."""
    names = [f"c{i}" for i in range(len(tables[0].header))]
    kept: list[Table] = []
    seen: pa.Table | None = None
    for table in tables:
        rows = pa.table({n: pc.fill_null(c, "") for n, c in zip(names, table.columns, strict=True)})
        if seen is not None:
            numbered = rows.append_column("at", pa.array(np.arange(table.rows)))
            new = numbered.join(seen, keys=names, join_type="left anti")["at"].combine_chunks()
            new = pc.take(new, pc.sort_indices(new))
            if len(new) < table.rows:
                left = table.rows - len(new)
                findings.warn(
                    "overlapping_files",
                    f"{left} rows of {table.name} are also in an earlier file and were read once",
                )
            columns = [column.take(new) for column in table.columns]
            table = dataclasses.replace(table, columns=columns)
        kept.append(table)
        both = rows if seen is None else pa.concat_tables([seen, rows])
        seen = both.group_by(names).aggregate([])
    return kept


def _digest(table: Table) -> str:
    digest = hashlib.sha256()
    for column in table.columns:
        for buffer in pa.concat_arrays([column]).buffers():
            digest.update(b"-" if buffer is None else memoryview(buffer))
    return digest.hexdigest()
