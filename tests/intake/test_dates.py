"""Dates in many notations; the order of day and month is decided by the whole column."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from include.intake import Options, inspect
from include.intake.dates import parts_of


def day_and_clock(written: str, order: str = "dmy") -> tuple[str, int, int]:
    """Day, second of the day and minutes ahead of UTC of one value."""
    parts = parts_of(pa.array([written]))
    seconds = int(parts.seconds[0])
    if parts.is_ready[0]:
        seconds = int(parts.ready[0].astype("int64") % 86_400)
    return str(parts.day(order)[0]), seconds, int(parts.offset[0])


@pytest.mark.parametrize(
    ("written", "day", "clock", "offset"),
    [
        ("2023-01-17", "2023-01-17", "00:00:00", 0),
        ("2023-01-17 23:49:29", "2023-01-17", "23:49:29", 0),
        ("2023-01-17T23:49:29.000Z", "2023-01-17", "23:49:29", 0),
        ("2023-01-17 22:00:00 +0300", "2023-01-17", "22:00:00", 180),
        ("2023-01-17T22:00:00-05:00", "2023-01-17", "22:00:00", -300),
        ("2023-1-3 9:05", "2023-01-03", "09:05:00", 0),
        ("2023/01/03", "2023-01-03", "00:00:00", 0),
        ("17.01.2023 23:49", "2023-01-17", "23:49:00", 0),
        ("17/01/23", "2023-01-17", "00:00:00", 0),
        ("17. Januar 2023", "2023-01-17", "00:00:00", 0),
        ("17 Ocak 2023", "2023-01-17", "00:00:00", 0),
        ("17 févr. 2023", "2023-02-17", "00:00:00", 0),
        ("17-Jan-23", "2023-01-17", "00:00:00", 0),
        ("17-JAN-2023 11:49 PM", "2023-01-17", "23:49:00", 0),
        ("Jan 17, 2023 11:49:29 PM", "2023-01-17", "23:49:29", 0),
        ("January 17th, 2023", "2023-01-17", "00:00:00", 0),
        ("Tue, 17 Jan 2023 23:49:29 +0000", "2023-01-17", "23:49:29", 0),
        ("17 de enero de 2023", "2023-01-17", "00:00:00", 0),
        ("20230117", "2023-01-17", "00:00:00", 0),
        ("20230117234929", "2023-01-17", "23:49:29", 0),
        ("2023年1月17日", "2023-01-17", "00:00:00", 0),
        ("2023/1/17 下午 11:49", "2023-01-17", "23:49:00", 0),
        ("44943.5", "2023-01-17", "12:00:00", 0),
        ("1673999369", "2023-01-17", "23:49:29", 0),
        ("1673999369000", "2023-01-17", "23:49:29", 0),
        ("17/01/2023 12:05 AM", "2023-01-17", "00:05:00", 0),
        ("2023-01-17 15:49 PST", "2023-01-17", "15:49:00", -480),
    ],
)
def test_a_date_is_read(written, day, clock, offset):
    hours, minutes, seconds = map(int, clock.split(":"))

    assert day_and_clock(written) == (day, hours * 3600 + minutes * 60 + seconds, offset)


@pytest.mark.parametrize(
    "written", ["2023-02-30", "32/01/2023", "abc", "12", "2023", "1/2/3/4", "1.234,50", "25:00"]
)
def test_a_text_that_is_not_a_date_is_none(written):
    assert np.isnat(parts_of(pa.array([written])).day("dmy")[0])


def orders(*dates: str) -> str:
    return "Order ID,Date,Customer,Amount\n" + "".join(
        f'{i},"{written}",c{i},10.00\n' for i, written in enumerate(dates)
    )


@pytest.mark.parametrize(
    ("dates", "first", "last"),
    [
        (("03/04/2023", "25/04/2023"), date(2023, 4, 3), date(2023, 4, 25)),
        (("03/04/2023", "04/25/2023"), date(2023, 3, 4), date(2023, 4, 25)),
        (("03/04/23", "04/25/23"), date(2023, 3, 4), date(2023, 4, 25)),
        (("03.03.2023", "04.04.2023"), date(2023, 3, 3), date(2023, 4, 4)),
    ],
)
def test_one_value_decides_the_order_of_all(write, dates, first, last):
    answer = inspect(write(orders(*dates))).answer

    assert (answer.first_day, answer.last_day) == (first, last), answer.question


def test_dates_that_no_value_decides_are_a_question_with_both_readings(write):
    path = write(orders("03/04/2023", "05/06/2023"))

    question = inspect(path).answer.question
    answer = inspect(path, Options(date_order="dmy")).answer

    assert (question.code, question.column, set(question.choices)) == ("date_order", "Date", {"dmy", "mdy"})
    assert answer.last_day == date(2023, 6, 5)


def test_another_date_column_of_the_file_decides(write):
    header = "Order ID,Order Date,Paid at,Customer,Amount\n"
    text = f"{header}1,03/04/2023,28/04/2023,a,1.00\n2,05/04/2023,05/04/2023,b,1.00\n"

    answer = inspect(write(text)).answer

    assert answer.last_day == date(2023, 4, 5), answer.question


@pytest.mark.parametrize(
    ("zone", "last"), [("Europe/Istanbul", date(2023, 1, 18)), ("UTC", date(2023, 1, 17))]
)
def test_a_time_with_an_offset_is_an_instant(write, zone, last):
    path = write(orders("2023-01-17 22:30:00 +0000"))

    assert inspect(path, Options(timezone=zone)).answer.last_day == last


def test_days_are_used_as_written_without_a_zone(write):
    answer = inspect(write(orders("2023-01-17 01:30:00 +0300"))).answer

    assert answer.last_day == date(2023, 1, 17)
    assert "days_as_written" in {note.code for note in answer.findings.notes}
