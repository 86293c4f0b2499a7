"""Count unexpected rows with Great Expectations, over the rows of many slices in bounded memory.

Great Expectations takes about 30 ms per expectation and frame, however few rows there are, so slices share
frames. Where the bounds of a rule differ between them, the frame has one column per pair of bounds, which is
null in the rows of the other slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa

from include.datasets import Dataset
from include.quality import rows
from include.quality.expectations import ExpectationRunner
from include.quality.report import Slice
from include.quality.rules import RowRule
from include.quality.specs import Spec

NOT_NULL = "expect_column_values_to_not_be_null"


@dataclass(frozen=True)
class Rechecked:
    """A slice and the rules whose rows are to be counted; ``unknown`` as in ``rows.looked_at``."""

    part: Slice
    rules: Sequence[RowRule]
    specs: Mapping[str, Spec]
    unknown: Mapping[str, pa.Array]


@dataclass
class _Piece:
    """Some rows of one slice, with the columns that its rules look at."""

    of: Rechecked
    rows: int
    columns: dict[str, pa.ChunkedArray] = field(default_factory=dict)


def unexpected_counts(
    slices: Sequence[Rechecked], dataset: Dataset, *, zone: str, runner: ExpectationRunner
) -> dict[tuple[str, str], int]:
    """Rows that break each rule, by the slice's key and the rule's name."""
    found = {(s.part.text, rule.name): 0 for s in slices for rule in s.rules}
    # A frame holds slices with the same rules, so no column is missing in some of its rows.
    for _, alike in groupby(sorted(slices, key=_names), key=_names):
        for frame in _frames(list(alike), dataset, zone):
            for key, count in _counts(frame, runner):
                found[key] += count
    return found


def _names(one: Rechecked) -> tuple[str, ...]:
    return tuple(rule.name for rule in one.rules)


def _frames(slices: Sequence[Rechecked], dataset: Dataset, zone: str) -> Iterator[list[_Piece]]:
    """The slices' rows in order, in lists of pieces of at most ``rows.CHUNK`` rows."""
    held: list[_Piece] = []
    for one in slices:
        needed = {name for rule in one.rules for name in rows.needs(rule)}
        names = [name for name in dataset.schema.names if name in needed]
        for table in rows.chunks(one.part.files, names) if one.rules else ():
            columns = rows.looked_at(
                table,
                list(dict.fromkeys(rule.looked_at for rule in one.rules)),
                key={rule.of: rule.column for rule in one.rules if rule.of in one.unknown and rule.of},
                unknown=one.unknown,
                zone=zone,
            )
            if held and sum(piece.rows for piece in held) + table.num_rows > rows.CHUNK:
                yield held
                held = []
            held.append(_Piece(one, table.num_rows, columns))
    if held:
        yield held


def _counts(pieces: Sequence[_Piece], runner: ExpectationRunner) -> Iterator[tuple[tuple[str, str], int]]:
    columns: dict[str, pa.ChunkedArray] = {}
    specs: dict[str, Spec] = {}
    for rule in pieces[0].of.rules:
        variants = list({repr(s): s for s in (piece.of.specs[rule.name] for piece in pieces)}.values())
        for number, spec in enumerate(variants):
            column = rule.looked_at if len(variants) == 1 else f"{rule.looked_at} {rule.name} {number}"
            if column not in columns:
                columns[column] = _column(pieces, rule, None if len(variants) == 1 else spec)
            name = f"{rule.name} {number}"
            specs[name] = Spec(name, spec.expectation, {**spec.arguments, "column": column}, spec.level)
    for result in runner.run(rows.frame(columns), list(specs.values())):
        rule_name = result.name.rpartition(" ")[0]
        yield from _by_slice(pieces, rule_name, result.places)


def _column(pieces: Sequence[_Piece], rule: RowRule, only: Spec | None) -> pa.ChunkedArray:
    """The column that a rule looks at, over all pieces; with ``only``, null where another spec applies."""
    assert only is None or only.expectation != NOT_NULL, "a null must not break the rule"
    chunks: list[pa.Array] = []
    for piece in pieces:
        values = piece.columns[rule.looked_at]
        if only is None or piece.of.specs[rule.name] == only:
            chunks += values.chunks
        else:
            chunks.append(pa.nulls(piece.rows, values.type))
    return pa.chunked_array(chunks, pieces[0].columns[rule.looked_at].type)


def _by_slice(
    pieces: Sequence[_Piece], rule_name: str, places: Sequence[int]
) -> Iterator[tuple[tuple[str, str], int]]:
    start = 0
    for piece in pieces:
        count = sum(start <= place < start + piece.rows for place in places) if places else 0
        if count:
            yield (piece.of.part.text, rule_name), count
        start += piece.rows
