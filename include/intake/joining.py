"""Join the tables of several files or sheets: equal headers in any order, or headers with added columns."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Findings, Refused
from include.intake.concepts import role_of
from include.intake.headers import KNOWN
from include.intake.messages import Message
from include.intake.money import Ints
from include.intake.tables import Table, compact

Part = tuple[str, ...]
ENOUGH_KNOWN = 3  # known column names that two headers must share to be joined


def joined(tables: list[Table], findings: Findings) -> Table:
    """One table: join the tables whose header has the most known columns."""
    tables = [table for table in tables if table.columns]
    if not tables:
        raise Refused("no_rows", "the file has no table", "Export the sales as csv, xlsx, json or parquet")
    chosen = _of_one_shape(tables)
    if left := [table.name for table in tables if table not in chosen and table.rows]:
        findings.warn("other_tables", files=tuple(left[:5]))
    numbers = {part: i for i, part in enumerate(sorted({table.part for table in chosen}))}
    unique, copies = _unique(chosen)
    unique = _aligned(unique, findings)
    for table in unique:
        for note in table.notes:
            findings.add(findings.notes, note if len(unique) == 1 else replace(note, where=table.name))
    if len(unique) == 1:
        every = np.arange(unique[0].rows)
        return replace(unique[0], repeated=[(warning, every) for warning, _, _ in copies])
    findings.note("joined", count=len(unique), files=tuple(table.name for table in unique[:5]))
    unique, overlaps = _without_overlap(unique)
    first = unique[0]
    starts = np.cumsum([0, *(table.rows for table in unique)])
    own = [start + np.arange(table.rows) for start, table in zip(starts, unique, strict=False)]
    repeated = [(warning, rows) for warning, rows, _ in overlaps]
    repeated += [(warning, own[at]) for warning, at, _ in copies]
    members = [
        *((rows, numbers[table.part]) for rows, table in zip(own, unique, strict=True)),
        *((rows, numbers[part]) for _, rows, part in overlaps),
        *((own[at], numbers[part]) for _, at, part in copies),
    ]
    columns = [pa.concat_arrays([t.columns[i] for t in unique]) for i in range(len(first.header))]
    typed = frozenset.intersection(*(t.typed for t in unique))
    ragged = [row for t in unique for row in t.ragged]
    return Table(
        first.name,
        first.header,
        columns,
        typed,
        ragged,
        has_header=first.has_header,
        repeated=repeated,
        members=_pairs(members) if len(numbers) > 1 else None,
    )


def _pairs(members: list[tuple[Ints, int]]) -> tuple[Ints, Ints]:
    """Pairs of a row and the number of a file that has it."""
    rows = np.concatenate([rows for rows, _ in members]).astype("int64")
    return rows, np.concatenate([np.full(len(rows), number, "int64") for rows, number in members])


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


def _unique(tables: list[Table]) -> tuple[list[Table], list[tuple[Message, int, Part]]]:
    """The tables without copies of earlier ones; of each copy a warning, the table kept, and its own file."""
    seen: dict[str, int] = {}
    unique: list[Table] = []
    copies: list[tuple[Message, int, Part]] = []
    for table in tables:
        digest = _digest(table)
        if digest in seen and table.rows:
            warning = Message(
                "same_file_twice", values={"file": table.name, "other": unique[seen[digest]].name}
            )
            copies.append((warning, seen[digest], table.part))
            continue
        seen[digest] = len(unique)
        unique.append(table)
    return unique, copies


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
            findings.note("joined", "missing", file=table.name, columns=tuple(missing[:5]))
        at = [names.index(name) if name in names else None for name in wanted]
        blank = pa.nulls(table.rows, pa.string())
        columns = [blank if i is None else table.columns[i] for i in at]
        typed = frozenset(to for to, i in enumerate(at) if i is None or i in table.typed)
        aligned.append(replace(table, header=widest.header, columns=columns, typed=typed))
    return aligned


def _without_overlap(tables: list[Table]) -> tuple[list[Table], list[tuple[Message, Ints, Part]]]:
    """Leave out rows that an earlier table also has, as in exports of overlapping periods.

    Of each table with such rows: a warning, the positions of these rows in the earlier tables together, and
    its file.
    """
    names = [f"c{i}" for i in range(len(tables[0].header))]
    kept: list[Table] = []
    overlaps = []
    seen: pa.Table | None = None
    for table in tables:
        rows = pa.table({n: pc.fill_null(c, "") for n, c in zip(names, table.columns, strict=True)})
        if seen is not None:
            new = _positions(rows, seen, names, "left anti")
            if len(new) < table.rows:
                warning = Message("overlapping_files").having(rows=table.rows - len(new), file=table.name)
                semi = np.asarray(_positions(seen, rows, names, "left semi"))
                overlaps.append((warning, semi, table.part))
            rows = rows.take(new)
            table = replace(table, columns=[column.take(new) for column in table.columns])
        kept.append(table)
        seen = rows if seen is None else pa.concat_tables([seen, rows])
    return kept, overlaps


def _positions(rows: pa.Table, others: pa.Table, names: list[str], kind: str) -> pa.Array:
    """The positions of rows that are (left semi) or are not (left anti) in another table, in order."""
    numbered = rows.append_column("at", pa.array(np.arange(rows.num_rows)))
    found = numbered.join(others.group_by(names).aggregate([]), keys=names, join_type=kind)["at"]
    found = found.combine_chunks()
    return pc.take(found, pc.sort_indices(found))


def _digest(table: Table) -> str:
    digest = hashlib.sha256()
    for column in table.columns:
        for buffer in pa.concat_arrays([column]).buffers():
            digest.update(b"-" if buffer is None else memoryview(buffer))
    return digest.hexdigest()
