"""Unusual time zones: days of 23, 24.5, 25 or 0 hours sum to their month. No code reads the clock."""

from __future__ import annotations

import ast
import re
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.periods import Month, start_of_day
from include.sources import Source
from tests.sources.conftest import month

INCLUDE = Path(__file__).parents[2] / "include"
AS_OF = date(2027, 1, 1)
# Zone, month, a day of it that is odd, and its hours.
ODD = [
    ("Europe/London", "2026-03", "2026-03-29", 23),
    ("Europe/London", "2026-10", "2026-10-25", 25),
    ("America/New_York", "2026-03", "2026-03-08", 23),
    ("America/New_York", "2026-11", "2026-11-01", 25),
    ("Australia/Lord_Howe", "2026-04", "2026-04-05", 24.5),
    ("Australia/Lord_Howe", "2026-10", "2026-10-04", 23.5),
    ("Pacific/Apia", "2011-12", "2011-12-30", 0),  # it was left out to cross the date line
    ("Pacific/Chatham", "2026-04", "2026-04-05", 25),
    ("Pacific/Chatham", "2026-09", "2026-09-27", 23),
    ("Europe/Istanbul", "2016-03", "2016-03-27", 23),
    ("Europe/Istanbul", "2016-10", "2016-10-30", 24),  # summer time stayed
    ("Asia/Kathmandu", "2026-03", "2026-03-29", 24),
]


def quarters(of: Month, zone: str) -> list[datetime]:
    """Every quarter of an hour of the month, and two beyond either end."""
    first, end = start_of_day(of.first, zone), start_of_day(of.end, zone)
    quarter = timedelta(minutes=15)  # zones differ by as little
    return [first + n * quarter for n in range(-2, (end - first) // quarter + 2)]


def hours(source: Source, of: Month) -> Counter[str]:
    """How many hours each day of the month has, as it is read."""
    batches = source.extract(TRANSACTIONS, month=of, as_of=AS_OF)
    days = Counter(str(day) for batch in batches for day in batch.column("order_date").to_pylist())
    return Counter({day: count / 4 for day, count in days.items()})


def expected(of: Month, odd_day: str, odd_hours: float) -> dict[str, float]:
    days = (of.first + timedelta(days=n) for n in range((of.end - of.first).days))
    return {str(day): 24 for day in days} | {odd_day: odd_hours}


@pytest.mark.parametrize(("zone", "text", "odd_day", "odd_hours"), ODD, ids=lambda value: str(value))
def test_days_of_odd_length_sum_to_their_month_in_files(drop, zone, text, odd_day, odd_hours):
    of = month(text)
    lines = "".join(f"{n},{at.isoformat()},a,1\n" for n, at in enumerate(quarters(of, zone)))
    drop.write("sales.csv", "transaction_id,occurred_at,customer_id,net_amount\n" + lines)

    found = hours(drop.source("mapped", timezone=zone), of)

    assert found + Counter() == Counter(expected(of, odd_day, odd_hours)) + Counter()
    assert timedelta(hours=found.total()) == start_of_day(of.end, zone) - start_of_day(of.first, zone)


def test_days_of_odd_length_sum_to_their_month_in_a_shop(shop):
    shop.create()
    each = sorted({at for zone, text, *_ in ODD for at in quarters(month(text), zone)})
    values = ",".join(f"('{n}', '{at.isoformat()}')" for n, at in enumerate(each))
    shop.run(
        f"insert into orders (order_id, ordered_at) values {values}",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        " select order_id, 1, 1, 1 from orders",
    )

    found = {(zone, text): hours(shop.source(zone), month(text)) + Counter() for zone, text, *_ in ODD}

    wanted = {(zone, text): Counter(expected(month(text), *odd)) + Counter() for zone, text, *odd in ODD}
    assert found == wanted


def test_a_snapshot_may_end_on_a_day_that_the_zone_skipped(drop):
    drop.write(
        "sales.csv",
        "transaction_id,occurred_at,customer_id,net_amount\n"
        "before,2011-12-29 23:59:59,a,1\nafter,2011-12-31 00:00:00,a,1\n",
    )
    source = drop.source("mapped", timezone="Pacific/Apia")

    seen = [
        [key for batch in batches for key in batch.column("transaction_id").to_pylist()]
        for batches in (
            source.extract(TRANSACTIONS, month=month("2011-12"), as_of=date(2011, 12, day))
            for day in (29, 30, 31)
        )
    ]

    assert seen == [[], ["before"], ["before"]]


CLOCK = r"\b(now|current_date|current_timestamp|clock_timestamp|statement_timestamp|sysdate|localtimestamp)\b"
NO_CLOCK_SQL = ("extract", "query", "load", "view", "check", "score")
NO_CLOCK = (
    "data_files", "datasets", "engines", "handoff", "models", "quality", "run", "sources", "training",
    "periods.py",
)  # fmt: skip
# By file: what may look at a clock, and at nothing of a firm's numbers with it.
MAY_ASK = {
    "run/stage.py",  # an attempt's name and start time; no data depends on it
    "run/preview.py",  # without --as-of a file is read up to tomorrow
    "data_files/folder.py",  # the age of staged copies of earlier files
}


def asks(path: Path) -> list[str]:
    """Calls of a module that read the clock of the machine."""
    called = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    names = (ast.unparse(function) for function in called)
    return [name for name in names if re.search(r"\b(now|today|utcnow)$|^time\.time(_ns)?$", name)]


def test_no_statement_reads_the_clock():
    paths = [path for folder in NO_CLOCK_SQL for path in (INCLUDE / "sql" / folder).rglob("*.sql")]

    found = [
        path.name
        for path in paths
        if re.search(CLOCK, re.sub(r"--[^\n]*|'[^']*'", "", path.read_text()), re.IGNORECASE)
    ]

    assert len(paths) > 80
    assert found == []


def test_no_step_reads_the_clock():
    paths = [
        path
        for place in NO_CLOCK
        for path in ([INCLUDE / place] if place.endswith(".py") else sorted((INCLUDE / place).rglob("*.py")))
    ]

    found = {str(path.relative_to(INCLUDE)) for path in paths if asks(path)}

    assert len(paths) > 80
    assert found == MAY_ASK
