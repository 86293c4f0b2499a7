"""Aggregates find, row by row, what Great Expectations finds: at every bound, and on random values."""

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets import Dataset, catalogue
from include.quality import EvaluationError, Slice, rows
from include.quality.aggregates import DERIVED, SliceSql, offsets
from include.quality.conditions import CONDITIONS, re2, unexpected
from include.quality.document import DATASETS
from include.quality.expectations import ExpectationRunner
from include.quality.gate import open_slices
from include.quality.measures import Profile
from include.quality.rules import RowRule, suite
from include.quality.specs import Spec, moments_of, row_spec

AS_OF = date(2026, 11, 1)
ZONE = "Europe/London"  # its clocks go back on 2026-10-25
KNOWN = ("c0", "c1", "p0")
SPACES = [c for c in map(chr, range(0x3100)) if c.isspace()]
TEXTS = [
    "", "a", "c0", "p0", "ghost", "sale", "return", "Sale", "sale ", "purchase", "campaign", "channel",
    "\x00", "1\x00", "a\n", "\n", "a@b", "@b", "a@", "a@b@c", "a@b\n", "a@b\n\n", "a @b", "a\x00@b", "é@ü",
    *(f"a{space}@b" for space in SPACES), *(f"a@b{space}" for space in SPACES),
]  # fmt: skip
DAYS = [
    AS_OF - timedelta(days=n) for n in (-400, -1, 0, 1, 2, 7, 8, 31, 32, 365)
] + [date(1899, 12, 31), date(1900, 1, 1), date(1989, 12, 31), date(1990, 1, 1), date(2100, 12, 31),
     date(2101, 1, 1), date(1582, 10, 4), date(9999, 12, 31)]  # fmt: skip
INSTANTS = [
    datetime(2026, 10, 25, 0, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 10, 24, 22, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 10, 24, 23, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(1989, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1990, 1, 1, tzinfo=UTC),
    datetime(1990, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(1600, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 12, tzinfo=UTC),
]
AMOUNTS = [
    Decimal(text)
    for text in (
        "0", "-0.0001", "0.0001", "0.0100", "0.0101", "0.0102", "-0.0101", "-0.0102", "1", "5.0000", "5.0101",
        "5.0102", "4.9899", "4.9898", "1000000", "1000000.0001", "999999.9999", "99999999999999.9999",
        "-99999999999999.9999",
    )
]  # fmt: skip
FLOATS = [0.0, -0.0, -1.0, 1.0, np.nextafter(1, 2), np.nextafter(-1, -2), 10.0, np.nextafter(10, 11), -5e-324,
          float("nan"), float("inf"), float("-inf")]  # fmt: skip


def values(kind: pa.DataType) -> list[object]:
    """Values of a type at and around every bound that a rule has."""
    if pa.types.is_string(kind):
        return TEXTS
    if pa.types.is_date(kind):
        return DAYS
    if pa.types.is_timestamp(kind):
        return INSTANTS
    if pa.types.is_decimal(kind):
        return AMOUNTS
    if pa.types.is_floating(kind):
        return FLOATS
    return [True, False] if pa.types.is_boolean(kind) else [-1, 0, 1, 10, 11, 127]


def table(dataset: Dataset, seed: int, size: int = 400) -> pa.Table:
    """Rows of values at and around the bounds, mixed at random; a tenth of each column is null."""
    rng = random.Random(seed)
    loose = pa.schema([f.with_nullable(True) for f in dataset.schema])
    columns = [
        pa.array([None if rng.random() < 0.1 else rng.choice(values(f.type)) for _ in range(size)], f.type)
        for f in loose
    ]
    return pa.Table.from_arrays(columns, schema=loose)


def prepared(dataset: Dataset, folder: Path, data: pa.Table) -> tuple[SliceSql, object, list[RowRule]]:
    """A slice of these rows, its SQL, a database with the known keys, and its rules on rows."""
    path = folder / "slice.parquet"
    pq.write_table(data, path, row_group_size=150)
    part = Slice("2026-10" if dataset.by == "month" else "2026-11-01", data.num_rows, [path])
    rules = [rule for rule in suite(dataset) if isinstance(rule, RowRule)]
    moments = moments_of(part, dataset, ZONE, AS_OF)
    specs = {rule.name: row_spec(rule, moments) for rule in rules}
    references = {rule.looked_at: "known" for rule in rules if rule.is_reference}
    database = open_slices([path], spill=folder)
    database.execute(
        "create temp table known as select unnest($keys) as key", {"keys": list(KNOWN)}
    ).fetchall()
    return SliceSql(dataset, part, ZONE, rules, specs, references), database, rules


def by_sql(sql: SliceSql, database: object, rule: RowRule) -> set[int]:
    """Numbers of the rows that break a rule, by its SQL condition."""
    name, kind = sql.looked_at(rule)
    condition = unexpected(sql.specs[rule.name], name, kind)
    query = f"select file_row_number from ({sql.rows(is_numbered=True)}) where {condition}"
    return {number for (number,) in database.execute(query).fetchall()}


def by_expectations(sql: SliceSql, data: pa.Table, rules: list[RowRule]) -> dict[str, set[int]]:
    """Numbers of the rows that break each rule, by Great Expectations."""
    unknown = {
        rule.looked_at: pa.array(
            [t for t in data[rule.column].unique().to_pylist() if t not in KNOWN], pa.string()
        )
        for rule in rules
        if rule.is_reference
    }
    columns = rows.looked_at(
        data,
        list(dict.fromkeys(rule.looked_at for rule in rules)),
        key={rule.looked_at: rule.column for rule in rules if rule.is_reference},
        unknown=unknown,
        zone=ZONE,
    )
    found = ExpectationRunner().run(rows.frame(columns), [sql.specs[rule.name] for rule in rules])
    return {result.name: set(result.places) for result in found}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_the_same_rows_break_every_rule_by_either_way(tmp_path: Path, dataset: Dataset, seed: int):
    data = table(dataset, seed)
    sql, database, rules = prepared(dataset, tmp_path, data)

    mine = {rule.name: by_sql(sql, database, rule) for rule in rules}

    assert mine == by_expectations(sql, data, rules)
    assert [name for name, broken in mine.items() if not 0 < len(broken) < data.num_rows] == []
    counted = sql.read(
        database.execute(sql.statement(grain=dataset.grain, day=None, amount=None, kind=None)).fetchall()[0]
    )
    assert {name: count.unexpected for name, count in counted.counts.items()} == {
        n: len(b) for n, b in mine.items()
    }


def test_every_expectation_of_the_rules_has_a_condition_and_every_dataset_is_compared():
    used = {rule.expectation for d in DATASETS for rule in suite(d) if isinstance(rule, RowRule)}
    derived = {
        rule.of for d in DATASETS for rule in suite(d) if isinstance(rule, RowRule) and not rule.is_reference
    }

    assert used == set(CONDITIONS)
    assert derived - {None} == set(DERIVED)
    assert {d.name for d in DATASETS} <= set(catalogue())


def test_an_expectation_without_a_condition_is_refused_with_what_there_is():
    spec = Spec("unique", "expect_column_values_to_be_unique", {"column": "c"})

    with pytest.raises(EvaluationError, match=r"unique: .* has no SQL condition; add one to CONDITIONS"):
        unexpected(spec, '"c"', pa.string())


@pytest.mark.parametrize("pattern", [r"^\d+$", "a.b", "a|b", r"\bword", "(?i)a", "a$b"])
def test_a_pattern_that_re2_reads_otherwise_is_refused(pattern: str):
    with pytest.raises(EvaluationError, match="another meaning in RE2"):
        re2(pattern)


@pytest.mark.parametrize("pattern", [r"^[^@\s]+@[^@\s]+$", r"^[^\x00]+$", r"\s", r"^a?b*c+$", r"a\.b"])
def test_a_pattern_matches_the_same_texts_in_re2_as_in_python(tmp_path: Path, pattern: str):
    texts = [*TEXTS, *map(chr, range(1, 0x300)), "aab", "abbc\n", "bccc", "a.b", "axb"]
    database = open_slices([], spill=tmp_path)

    found = database.execute(
        "select text, regexp_matches(text, $pattern) from (select unnest($texts) as text)",
        {"pattern": re2(pattern), "texts": texts},
    ).fetchall()

    assert [text for text, matches in found if matches is not bool(re.search(pattern, text))] == []


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_a_zones_offsets_are_those_that_python_knows(zone: str):

    first, end = date(2026, 1, 1), date(2027, 1, 1)
    found = offsets(first, end, zone)

    instants = [datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(48 * 362)]
    instants += [until + timedelta(seconds=s) for until, _ in found[:-1] for s in (-1, 0)]
    for instant in instants:
        assert (
            next(offset for until, offset in found if instant < until)
            == instant.astimezone(ZoneInfo(zone)).utcoffset()
        )


def test_the_profile_is_the_one_that_numpy_computes(tmp_path: Path):
    dataset = catalogue()["transactions"]
    rng = np.random.default_rng(5)
    data = table(dataset, 1, size=20_000)
    amounts = pa.array(
        [Decimal(int(c)).scaleb(-4) for c in rng.lognormal(10, 3, 20_000)], pa.decimal128(18, 4)
    )
    data = data.set_column(
        data.schema.get_field_index("net_amount"), data.schema.field("net_amount"), amounts
    )
    sql, database, _ = prepared(dataset, tmp_path, data)
    expected = Profile(days={day for day in data["order_date"].to_pylist() if day})
    kinds = np.array(data["kind"].to_pylist())
    expected.add_amounts(amounts.cast(pa.float64()).to_numpy()[kinds == "sale"])

    statement = sql.statement(grain=dataset.grain, day="order_date", amount="net_amount", kind="kind")
    found = sql.read(database.execute(statement).fetchall()[0])

    assert found.bins == expected.bins
    assert found.days == expected.days
    assert found.rows == 20_000
