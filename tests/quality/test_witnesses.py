"""Witnesses decide what all rows would have decided, and few questions are asked for many slices."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from include.quality import witnesses
from include.quality.judge import Judge, Question
from include.quality.rows import frame
from include.quality.witnesses import WITNESSES, Witnesses

BETWEEN = "expect_column_values_to_be_between"
NULL = "expect_column_values_to_be_null"
GIVEN = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"
MATCH = "expect_column_values_to_match_regex"

NAN = float("nan")
NOON = datetime(2026, 10, 9, 12, tzinfo=UTC)
NUMBERS = {"min_value": 0, "max_value": 9}
TEXT = {"regex": r"^[^\x00]+$"}
CASES = [
    (BETWEEN, NUMBERS, pa.array([3, 9, 0, None], pa.int32())),
    (BETWEEN, NUMBERS, pa.array([3, 10, 1])),
    (BETWEEN, NUMBERS, pa.array([3, -1, 1])),
    (BETWEEN, {**NUMBERS, "strict_max": True}, pa.array([3, 9])),
    (BETWEEN, NUMBERS, pa.array([NAN, 4.0, None])),
    (BETWEEN, NUMBERS, pa.array([NAN, 9.5])),
    (BETWEEN, NUMBERS, pa.array([None, None], pa.int64())),
    (BETWEEN, NUMBERS, pa.array([Decimal("9.0001"), Decimal(1)], pa.decimal128(18, 4))),
    (BETWEEN, {"max_value": NOON}, pa.array([NOON, None], pa.timestamp("us", tz="UTC"))),
    (BETWEEN, {"max_value": NOON, "strict_max": True}, pa.array([NOON], pa.timestamp("us", tz="UTC"))),
    (
        BETWEEN,
        {"max_value": NOON},
        pa.array([datetime(9999, 12, 31, tzinfo=UTC)], pa.timestamp("us", tz="UTC")),
    ),
    (NULL, {}, pa.array([None, None], pa.string())),
    (NULL, {}, pa.array([None, "a", None])),
    (GIVEN, {}, pa.array(["a", "", "b"])),
    (GIVEN, {}, pa.array(["a", None])),
    (GIVEN, {}, pa.array([1.0, NAN])),
    (IN_SET, {"value_set": ["sale", "return"]}, pa.array(["sale", None, "return"])),
    (IN_SET, {"value_set": ["sale", "return"]}, pa.array(["sale", "gift"])),
    (MATCH, TEXT, pa.array(["a", "b\n", None])),
    (MATCH, TEXT, pa.array(["a", ""])),
    (MATCH, TEXT, pa.array(["a", "b\x00"])),
]


@pytest.mark.parametrize("before", [0, 5])
def test_a_rule_is_suspect_exactly_when_a_row_breaks_it(before: int):
    judge = Judge()
    found, expected = Witnesses(judge), set()

    for number, (expectation, bounds, values) in enumerate(CASES):
        column = pa.chunked_array([values[:1], values[1:]])
        question = Question(f"rule {number}", expectation, {"column": "c", **bounds})
        for slice_ in range(before):
            found.add(f"clean {slice_}", [question], {"c": pa.chunked_array([], values.type)})
        found.add("slice", [question], {"c": column})
        (answer,) = judge.ask(frame({"c": column}), [question])
        if not answer.passed:
            expected.add(("slice", question.name))

    assert 0 < len(expected) < len(CASES)
    assert found.suspects() == expected
    assert {expectation for expectation, _, _ in CASES} == set(WITNESSES)


class Counting(Judge):
    """A judge that remembers how many values it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[int] = []

    def ask(self, frame, questions, **how):
        self.shown.append(len(frame))
        return super().ask(frame, questions, **how)


def test_slices_with_bounds_of_their_own_are_asked_about_at_once():
    judge = Counting()
    found = Witnesses(judge)

    for top in range(1, 13):
        question = Question("in_month", BETWEEN, {"column": "c", "max_value": top})
        found.add(f"2026-{top:02}", [question], {"c": pa.chunked_array([list(range(8))])})

    assert found.suspects() == {(f"2026-{top:02}", "in_month") for top in range(1, 7)}
    assert judge.shown == [2]


def test_many_different_values_are_asked_about_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(witnesses, "CHUNK", 10)
    judge = Counting()
    found = Witnesses(judge)
    question = Question("usable", MATCH, {"column": "c", **TEXT})

    for month in range(6):
        texts = ["" if month == 4 and n == 3 else f"t{month}-{n}" for n in range(4)]
        found.add(f"2026-{month + 1:02}", [question], {"c": pa.chunked_array([texts])})

    assert found.suspects() == {("2026-05", "usable")}
    assert judge.shown == [12, 12]


def test_an_expectation_without_witnesses_is_put_to_all_rows():
    found = Witnesses(Judge())
    question = Question("unique", "expect_column_values_to_be_unique", {"column": "c"})

    found.add("2026-10", [question], {"c": pa.chunked_array([[1, 2]])})

    assert found.suspects() == {("2026-10", "unique")}


def test_statistics_and_drawings_are_not_loaded_and_can_be_used_by_others_afterwards():
    code = (
        "import sys, pandas as pd\n"
        "from include.quality.judge import Judge, Question\n"
        "asked = Question('q', 'expect_column_values_to_not_be_null', {'column': 'c'})\n"
        "(answer,) = Judge().ask(pd.DataFrame({'c': [1]}), [asked])\n"
        "assert answer.passed\n"
        "assert not {'scipy.stats', 'altair'} & set(sys.modules), 'loaded'\n"
        "from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as kl\n"
        "assert kl.stats.norm.cdf(0) == 0.5\n"
        "import scipy.stats._distn_infrastructure\n"
        "from scipy.stats import norm\n"
        "assert norm.cdf(0) == 0.5 and kl.alt.Chart\n"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
