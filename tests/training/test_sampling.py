from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets.computed import CUSTOMER_DAYS
from include.engines import open_engine
from include.training.sampling import ALL_CUSTOMERS, sample_of

JANUARY, FEBRUARY, MARCH = (date(2025, month, 10) for month in (1, 2, 3))


@pytest.fixture
def write(tmp_path):
    """Write a file of customer_days with a row per day; its path."""

    def to(name, *days):
        others = {f.name: Decimal(0) if pa.types.is_decimal(f.type) else 0 for f in CUSTOMER_DAYS.schema}
        rows = [others | {"customer_id": "a", "order_date": day} for day in days]
        path = tmp_path / name
        pq.write_table(pa.Table.from_pylist(rows, CUSTOMER_DAYS.schema), path)
        return path

    return to


def sampled(tmp_path, files, *, until, below=ALL_CUSTOMERS):
    engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=tmp_path / "scratch")
    found = sample_of(
        engine, {CUSTOMER_DAYS: files}, [CUSTOMER_DAYS], until=until, below=below, scratch=tmp_path / "sample"
    )[CUSTOMER_DAYS]
    days = [day for path in found for day in pq.read_table(path)["order_date"].to_pylist()]
    return found, sorted(days)


def test_a_file_before_the_day_is_used_as_it_is_and_a_later_row_is_cut(tmp_path, write):
    whole, cut, later = write("1", JANUARY), write("2", JANUARY, FEBRUARY, MARCH), write("3", MARCH)

    files, days = sampled(tmp_path, [whole, cut, later], until=MARCH)

    assert whole in files
    assert not {cut, later} & set(files)
    assert days == [JANUARY, JANUARY, FEBRUARY]


def test_a_file_that_ends_on_the_day_is_cut(tmp_path, write):
    files, days = sampled(tmp_path, [write("1", JANUARY, FEBRUARY)], until=FEBRUARY)

    assert len(files) == 1
    assert days == [JANUARY]


def test_a_file_without_statistics_or_rows_is_cut(tmp_path, write):
    plain, empty = write("1", JANUARY), write("2")
    pq.write_table(pq.read_table(plain), plain, write_statistics=False)

    files, days = sampled(tmp_path, [plain, empty], until=MARCH)

    assert not {plain, empty} & set(files)
    assert days == [JANUARY]


def test_a_sample_of_some_customers_uses_no_file_as_it_is(tmp_path, write):
    whole = write("1", JANUARY)

    files, days = sampled(tmp_path, [whole], until=MARCH, below="0000")

    assert whole not in files
    assert days == []
