"""The values of a slice that decide whether a rule is kept, so that few are asked about and not all.

Great Expectations takes some thirty milliseconds an expectation, however short the column, and firms
keep most rules most of the time. So every rule is first put to its *witnesses*: values of the slice among
which one breaks the rule exactly when some row does. For bounds they are the least and the greatest
value, for a set or a pattern each different one. One frame holds the witnesses of all slices. Rules
that a witness breaks are suspects, and are put to all rows of its slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from include.quality.judge import Judge, Question
from include.quality.rows import CHUNK, plain


def _ends(values: pa.ChunkedArray) -> pa.Array:
    ends = pc.min_max(values)
    return pa.array([ends["min"].as_py(), ends["max"].as_py()], values.type)


def _null_or_not(values: pa.ChunkedArray) -> pa.Array:
    """A value and a null, each where there is one."""
    some = values.drop_null().slice(0, 1).to_pylist()
    return pa.array([*some, *([None] if values.null_count else [])], values.type)


WITNESSES: dict[str, Callable[[pa.ChunkedArray], pa.Array]] = {
    "expect_column_values_to_be_between": _ends,
    "expect_column_values_to_be_null": _null_or_not,
    "expect_column_values_to_not_be_null": _null_or_not,
    "expect_column_values_to_be_in_set": pc.unique,
    "expect_column_values_to_match_regex": pc.unique,
}


@dataclass
class _Column:
    """The witnesses of one rule with one pair of bounds, and how many of them each slice gave."""

    question: Question
    values: list[pa.Array] = field(default_factory=list)
    slices: list[tuple[str, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(count for _, count in self.slices)

    def slice_at(self, place: int) -> str:
        for key, count in self.slices:
            if place < count:
                return key
            place -= count
        return self.slices[-1][0]  # what fills the column up is its last value


class Witnesses:
    """Takes in the columns that rules look at, slice by slice, and says which rules are suspect where."""

    def __init__(self, judge: Judge) -> None:
        """``judge`` is asked once for many slices."""
        self._judge = judge
        self._columns: dict[str, _Column] = {}
        self._suspects: set[tuple[str, str]] = set()

    def add(self, key: str, questions: Sequence[Question], columns: dict[str, pa.ChunkedArray]) -> None:
        """The columns of some rows of the slice ``key``, under the names that its questions use."""
        for question in questions:
            choose = WITNESSES.get(question.expectation)
            if choose is None:  # nobody said which values would do
                self._suspects.add((key, question.name))
                continue
            values = columns[question.arguments["column"]]
            if pa.types.is_floating(values.type):  # to pandas, a NaN is a null
                values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
            found = choose(values)
            column = self._columns.setdefault(repr(question), _Column(question))
            column.values.append(found)
            column.slices.append((key, len(found)))
        if max((column.length for column in self._columns.values()), default=0) > CHUNK:
            self._ask()

    def suspects(self) -> set[tuple[str, str]]:
        """Slices and names of rules that at least one row of the slice breaks."""
        self._ask()
        return self._suspects

    def _ask(self) -> None:
        import pandas as pd

        columns = {str(n): c for n, c in enumerate(self._columns.values()) if c.length}
        self._columns = {}
        if not columns:
            return
        rows = max(column.length for column in columns.values())
        frame = pd.DataFrame({name: plain(_filled(column.values, rows)) for name, column in columns.items()})
        questions = [
            Question(name, column.question.expectation, {**column.question.arguments, "column": name})
            for name, column in columns.items()
        ]
        for answer in self._judge.ask(frame, questions, all_places=True):
            column = columns[answer.name]
            self._suspects |= {(column.slice_at(place), column.question.name) for place in answer.places}


def _filled(values: Sequence[pa.Array], rows: int) -> pa.ChunkedArray:
    """The values, the last of them repeated up to ``rows``."""
    chunks = [chunk for chunk in values if len(chunk)]
    missing = rows - sum(map(len, chunks))
    last = chunks[-1][len(chunks[-1]) - 1]
    return pa.chunked_array([*chunks, pa.repeat(last, missing)] if missing else chunks, chunks[0].type)
