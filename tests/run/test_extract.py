"""Months are read two at a time, committed one after another, and a fault keeps what stood before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest

from include.datasets import Dataset
from include.datasets.extracted import TRANSACTIONS
from include.engines import duckdb
from include.periods import Month
from include.run.extract import READERS
from include.sources import SOURCES, SourceError

AS_OF = date(2025, 3, 10)
MONTHS = [f"2024-{month}" for month in (10, 11, 12)] + [f"2025-0{month}" for month in (1, 2, 3)]


class Slow:
    """A source that answers for a month once it is asked for another, and tells what was asked of it."""

    asked: list[str]
    busy: int
    most: int
    broken: str | None
    met = threading.Condition()

    def __init__(self, *_: object, scratch: object = None) -> None:
        """Nothing is opened."""

    def offers(self, dataset: Dataset) -> bool:
        return dataset is TRANSACTIONS

    def first_month(self, dataset: Dataset) -> Month:
        return Month.parse(MONTHS[0])

    def extract(self, dataset: Dataset, *, month: Month | None, as_of: date) -> Iterator[pa.RecordBatch]:
        with self.met:
            Slow.asked.append(str(month))
            Slow.busy += 1
            Slow.most = max(Slow.most, Slow.busy)
            self.met.notify_all()
            # Each waits for a second one: the months are even in number.
            self.met.wait_for(lambda: len(Slow.asked) % 2 == 0, timeout=60)
            Slow.busy -= 1
        if str(month) == Slow.broken:
            raise SourceError(f"{month}: the server went away")
        yield from ()


@pytest.fixture
def slow(shop, monkeypatch):
    Slow.asked, Slow.busy, Slow.most, Slow.broken = [], 0, 0, None
    monkeypatch.setitem(SOURCES, "slow", f"{__name__}:Slow")
    shop.add("acme", source={"kind": "slow", "uri": "file:///nowhere"})

    def extract() -> str:
        Slow.asked.clear()
        return shop.run("acme", AS_OF, only=["extract_transactions"])["extract_transactions"]

    return extract


def test_months_are_read_two_at_a_time_and_each_once(slow):
    note = slow()

    assert sorted(Slow.asked) == MONTHS
    assert Slow.most == READERS == 2
    assert note == "read 6 of 6 months"


def test_a_month_that_cannot_be_read_keeps_those_before_it_and_asks_for_none_far_behind(slow, shop):
    Slow.broken = MONTHS[2]
    with pytest.raises(SourceError, match="2024-12: the server went away"):
        slow()
    asked, Slow.broken = list(Slow.asked), None

    healed = slow()

    assert set(MONTHS[:3]) <= set(asked) <= set(MONTHS[:4])
    # The first two stand, so that the retry goes on where the first try ended.
    assert sorted(Slow.asked) == MONTHS[2:]
    assert healed == "read 4 of 6 months"


def test_all_months_of_an_extract_share_one_database(slow, monkeypatch):
    opened = []
    real = duckdb.open_database
    monkeypatch.setattr(duckdb, "open_database", lambda **how: opened.append(how) or real(**how))

    slow()

    assert len(opened) == 1  # opening one for each month costs 16 ms of CPU each time


def test_what_was_read_ahead_leaves_no_scratch(slow, shop):
    slow()

    assert list((shop.home / "home" / "scratch").iterdir()) == []
