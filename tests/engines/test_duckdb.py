from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets.contract import COUNT, TEXT, Dataset, column
from include.engines import open_engine
from include.engines.duckdb import QueryError

THINGS = Dataset(
    name="things",
    about="",
    grain=("name",),
    schema=pa.schema([column("name", TEXT, "", required=True), column("size", COUNT, "")]),
)


@pytest.fixture
def engine(tmp_path):
    return open_engine("duckdb", memory_mb=256, threads=2, scratch=tmp_path)


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "things.parquet"
    pq.write_table(pa.table({"name": ["a", "b"], "size": [1, 2]}, schema=THINGS.schema), path)
    return [path]


def rows(engine, sql, files, **params):
    return [row for batch in engine.query(sql, [(THINGS, files)], params) for row in batch.to_pylist()]


def test_named_parameters_are_bound(engine, files):
    found = rows(engine, "select name from things where size > :least and :day > date '2025-01-01'", files,
                 least=1, day=date(2025, 1, 2), unused="x")  # fmt: skip

    assert found == [{"name": "b"}]


def test_a_parameter_without_a_value_is_named(engine, files):
    with pytest.raises(QueryError, match=r"parameters that have no value: \['least'\]"):
        rows(engine, "select name from things where size > :least", files)


def test_a_dataset_without_files_is_an_empty_table(engine):
    assert rows(engine, "select count(*) as n from things", []) == [{"n": 0}]


@pytest.mark.parametrize(
    "sql",
    [
        "select content from read_text('/etc/passwd')",
        "select * from read_csv('/etc/hostname')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
    ],
)
def test_no_other_file_can_be_read(engine, files, sql):
    with pytest.raises(QueryError, match=r"Permission|disabled|does not exist"):
        rows(engine, sql, files)


@pytest.mark.parametrize("sql", ["copy things to '/tmp/stolen.csv'", "attach '/tmp/x.db'", "set threads = 9"])
def test_nothing_can_be_written_attached_or_reconfigured(engine, files, sql):
    with pytest.raises(QueryError):
        rows(engine, sql, files)


def test_two_statements_are_refused(engine, files):
    with pytest.raises(QueryError, match="has 2 statements; it must be one"):
        rows(engine, "select 1; select 2", files)


def test_a_sort_larger_than_memory_spills_and_succeeds(tmp_path, files):
    small = open_engine("duckdb", memory_mb=64, threads=1, scratch=tmp_path)
    sql = "select range as n, repeat('x', 100) as pad from range(1500000) order by hash(range)"

    total = sum(batch.num_rows for batch in small.query(sql, [(THINGS, files)], {}))

    assert total == 1_500_000


def test_an_unknown_engine_is_named():
    with pytest.raises(ValueError, match="engine 'flink' is unknown"):
        open_engine("flink", memory_mb=1, threads=1, scratch=None)
