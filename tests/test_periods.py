from datetime import UTC, date, datetime

import pytest

from include.periods import Month, as_of_of_interval, months_to_read, parse_as_of, start_of_day

JAN, FEB, MAR = (Month(2025, n) for n in (1, 2, 3))


def test_a_first_run_reads_every_month_up_to_the_day_before_as_of():
    assert months_to_read(JAN, date(2025, 3, 1), {}, lookback_days=10) == [JAN, FEB]
    assert months_to_read(JAN, date(2025, 3, 2), {}, lookback_days=10) == [JAN, FEB, MAR]


def test_a_month_behind_the_look_back_is_not_read_again():
    read = {JAN: date(2025, 2, 11), FEB: date(2025, 2, 11)}

    assert months_to_read(JAN, date(2025, 2, 12), read, lookback_days=10) == [FEB]


def test_a_month_read_when_it_was_young_is_read_again_however_late():
    read = {JAN: date(2025, 1, 10), FEB: date(2025, 3, 31)}

    assert months_to_read(JAN, date(2025, 4, 1), read, lookback_days=10) == [JAN, MAR]


def test_a_backfill_over_kept_months_reads_nothing():
    read = {JAN: date(2025, 3, 31), FEB: date(2025, 3, 31)}

    assert months_to_read(JAN, date(2025, 2, 15), read, lookback_days=60) == []


def test_full_reads_everything():
    read = {JAN: date(2026, 1, 1), FEB: date(2026, 1, 1)}

    assert months_to_read(JAN, date(2025, 2, 15), read, lookback_days=0, full=True) == [JAN, FEB]


def test_a_year_ends_in_december():
    assert Month(2025, 12).next == Month(2026, 1)
    assert Month(2025, 12).end == date(2026, 1, 1)


@pytest.mark.parametrize("text", ["2025-13", "25-01", "2025-1", "", "2025-01-01"])
def test_a_text_that_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match="is not a month"):
        Month.parse(text)


@pytest.mark.parametrize("text", ["yesterday", "2025-02-30", "21.11.2026", "", "{{ ds }}"])
def test_a_text_that_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match="write it like 2026-11-21"):
        parse_as_of(text)


def test_as_of_is_the_firms_own_date_when_the_interval_ends():
    end = datetime(2025, 1, 1, 4, 30, tzinfo=UTC)

    assert as_of_of_interval(end, "America/New_York") == date(2024, 12, 31)
    assert as_of_of_interval(end, "Asia/Tokyo") == date(2025, 1, 1)


def test_a_day_begins_where_its_clocks_say():
    assert start_of_day(date(2025, 3, 30), "Europe/London") == datetime(2025, 3, 30, tzinfo=UTC)
    assert start_of_day(date(2025, 3, 31), "Europe/London") == datetime(2025, 3, 30, 23, tzinfo=UTC)
