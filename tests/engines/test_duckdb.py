from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets.contract import COUNT, TEXT, Dataset, column
from include.engines import duckdb as duckdb_engine
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


def opened(engine, monkeypatch):
    """The list of databases that the engine opens from now on, each as its number of threads."""
    found = []
    real = duckdb_engine.open_database
    monkeypatch.setattr(
        duckdb_engine,
        "open_database",
        lambda **options: found.append(options["threads"]) or real(**options),
    )
    return found


def test_queries_of_a_step_share_one_database_until_a_file_is_new(engine, files, tmp_path, monkeypatch):
    databases = opened(engine, monkeypatch)
    for _ in range(3):
        rows(engine, "select name from things", files)
    assert len(databases) == 1

    other = tmp_path / "it's new.parquet"
    pq.write_table(pa.table({"name": ["c"], "size": [3]}, schema=THINGS.schema), other)

    assert rows(engine, "select name from things", [other]) == [{"name": "c"}]
    assert rows(engine, "select count(*) as n from things", [*files, other]) == [{"n": 3}]
    assert len(databases) == 2


def test_an_announced_file_does_not_open_the_database_again(engine, files, tmp_path, monkeypatch):
    databases = opened(engine, monkeypatch)
    later, other = tmp_path / "later.parquet", tmp_path / "other.parquet"
    engine.announce([later])
    rows(engine, "select name from things", files)
    for path in (later, other):
        pq.write_table(pa.table({"name": ["c"], "size": [3]}, schema=THINGS.schema), path)

    assert rows(engine, "select name from things", [later]) == [{"name": "c"}]
    assert len(databases) == 1
    rows(engine, "select name from things", [other])
    assert len(databases) == 2


def test_a_query_sees_only_its_own_inputs_in_utc(engine, files):
    rows(engine, "select name from things", files)

    assert rows(engine, "select count(*) as n from things", []) == [{"n": 0}]
    assert rows(engine, "select current_setting('TimeZone') as zone from things", files)[0] == {"zone": "UTC"}
    with pytest.raises(QueryError, match="things does not exist"):
        list(engine.query("select * from things", [], {}))


def test_a_query_that_is_being_read_survives_another_that_opens_the_database_again(engine, files, tmp_path):
    sql = "select range as n from range(200000), things"
    reading = engine.query(sql, [(THINGS, files)], {})
    first = next(reading).num_rows
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"name": ["c"], "size": [3]}, schema=THINGS.schema), other)

    assert rows(engine, "select name from things", [other]) == [{"name": "c"}]
    assert first + sum(batch.num_rows for batch in reading) == 400_000


def test_small_inputs_get_one_thread_and_large_ones_the_most_allowed(engine, files, monkeypatch):
    databases = opened(engine, monkeypatch)
    rows(engine, "select name from things", files)
    monkeypatch.setattr(duckdb_engine, "THREAD_BYTES", files[0].stat().st_size / 9)

    rows(engine, "select name from things", files)

    assert databases == [1, 2]


def test_a_sort_larger_than_memory_spills_and_succeeds(tmp_path, files):
    small = open_engine("duckdb", memory_mb=64, threads=1, scratch=tmp_path)
    sql = "select range as n, repeat('x', 100) as pad from range(1500000) order by hash(range)"

    total = sum(batch.num_rows for batch in small.query(sql, [(THINGS, files)], {}))

    assert total == 1_500_000


def test_an_unknown_engine_is_named():
    with pytest.raises(ValueError, match="engine 'flink' is unknown"):
        open_engine("flink", memory_mb=1, threads=1, scratch=None)
