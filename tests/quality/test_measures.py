"""Rules on whole slices: volume, amounts and silence against the firm's own past."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.quality.firms import (
    CUSTOMERS,
    Firm,
    customer,
    failures,
    line,
    month,
    past,
    report_on,
)


def days_known(first: date, last: date, *, skip: int | None = None) -> list[dict[str, object]]:
    """A past of one line a day (but never on weekday ``skip``), by month, as a warehouse hands it back."""
    months: dict[str, list[str]] = {}
    day = first
    while day <= last:
        if day.weekday() != skip:
            months.setdefault(f"{day:%Y-%m}", []).append(day.isoformat())
        day += timedelta(days=1)
    return [
        {
            "slice": key,
            "rows": 4 * len(days),
            "as_of": last + timedelta(days=1),
            "profile": {"days": days, "usual_amount": 4.5},
        }
        for key, days in months.items()
    ]


LONG = days_known(date(2026, 1, 1), date(2026, 10, 31))


def november(until: int, **options: int) -> tuple[str, list[dict[str, object]]]:
    """November 2026 up to and with a day."""
    return ("2026-11", month(2026, 11, until=until, **options))


def test_a_first_extraction_has_nothing_to_be_compared_with(tmp_path: Path):
    months = [("2026-09", month(2026, 9, per_day=1)), ("2026-10", month(2026, 10, per_day=40))]

    report = report_on(tmp_path, *months)

    assert failures(report) == {}
    volumes = [r.observed for r in report.results if r.expectation == "volume"]
    assert volumes[1] == "1,240 rows; a first extraction, nothing to compare with"


@pytest.mark.parametrize("as_of_day", [2, 8, 20, 30])
def test_a_month_still_running_is_judged_by_its_daily_rate(tmp_path: Path, as_of_day: int):
    report = report_on(tmp_path, november(as_of_day - 1), as_of=date(2026, 11, as_of_day), history=LONG)

    assert failures(report) == {}


@pytest.mark.parametrize(
    ("per_day", "expected"),
    [(1, {"volume": False}), (15, {"volume": False}), (50, {"volume": True})],
)
def test_volume_warns_when_odd_and_stops_when_absurd(tmp_path: Path, per_day: int, expected: dict[str, bool]):
    report = report_on(tmp_path, november(20, per_day=per_day), as_of=date(2026, 11, 21), history=LONG)

    assert failures(report) == expected


def test_an_empty_month_where_there_were_rows_stops_the_firm(tmp_path: Path):
    report = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 21), history=LONG)

    assert failures(report)["volume"] is True
    assert "0 rows over 20 days, usually about 80" in str(report.failure())


def test_an_empty_first_of_the_month_only_warns(tmp_path: Path):
    report = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 2), history=LONG)

    assert failures(report) == {"volume": False, "freshness": False}


def test_a_firm_with_no_rows_at_all_passes_with_a_note(tmp_path: Path):
    report = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 21))

    assert failures(report) == {}
    assert "no rows: nothing to check" in [r.observed for r in report.results]


def test_a_few_rows_prove_nothing(tmp_path: Path):
    tiny = [{"slice": f"2026-{n:02d}", "rows": 3, "as_of": date(2026, 11, 1)} for n in range(1, 11)]

    report = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 21), history=tiny)

    assert failures(report) == {"volume": False}


def test_a_month_that_lost_half_its_rows_since_it_was_last_read_stops_the_firm(tmp_path: Path):
    october = month(2026, 10)
    fewer = report_on(tmp_path, ("2026-10", october[:110]), history=LONG)
    half = report_on(tmp_path, ("2026-10", october[62:]), history=LONG)
    less = report_on(tmp_path, ("2026-10", october[66:]), history=LONG)

    assert "nothing_lost" in failures(fewer)
    assert failures(fewer)["nothing_lost"] is False
    assert failures(half)["nothing_lost"] is False
    assert failures(less)["nothing_lost"] is True


def test_a_backfill_is_not_compared_with_what_a_later_run_read(tmp_path: Path):
    report = report_on(
        tmp_path, ("2026-10", month(2026, 10, until=9)), as_of=date(2026, 10, 10), history=LONG
    )

    assert failures(report) == {}


def test_customers_that_vanish_stop_the_firm(tmp_path: Path):
    snapshots = [{"slice": f"2026-10-{n:02d}", "rows": 100, "as_of": date(2026, 10, n)} for n in (10, 20)]
    some = [customer(f"c{n}") for n in range(100)]

    same = report_on(tmp_path, ("2026-11-01", some), dataset=CUSTOMERS, history=snapshots)
    fewer = report_on(tmp_path, ("2026-11-01", some[:50]), dataset=CUSTOMERS, history=snapshots)
    gone = report_on(tmp_path, ("2026-11-01", []), dataset=CUSTOMERS, history=snapshots)

    assert failures(same) == {}
    assert failures(fewer) == {"volume": False}
    assert failures(gone) == {"volume": True}


def test_amounts_a_hundred_times_too_large_stop_the_firm(tmp_path: Path):
    before = report_on(tmp_path, ("2026-09", month(2026, 9)), ("2026-10", month(2026, 10)))
    pence = [
        row | {name: Decimal(100) * row[name] for name in ("gross_amount", "discount_amount", "net_amount")}
        for row in month(2026, 11)
    ]

    drifted = report_on(
        tmp_path, ("2026-11", pence), as_of=date(2026, 12, 1), history=past(before, date(2026, 11, 1))
    )

    (result,) = drifted.critical
    assert (result.expectation, result.column) == ("usual_amount", "net_amount")
    assert "(ratio 100)" in result.observed


def test_amounts_are_compared_within_a_first_extraction_too(tmp_path: Path):
    tiny = [row | dict.fromkeys(("gross_amount", "net_amount"), Decimal("0.05")) for row in month(2026, 10)]
    thousandth = [row | {"discount_amount": Decimal(0)} for row in tiny]

    report = report_on(tmp_path, ("2026-09", month(2026, 9)), ("2026-10", thousandth))

    assert failures(report) == {"usual_amount": True}


def test_dear_christmas_is_no_drift(tmp_path: Path):
    dear = [
        row | {name: 2 * row[name] for name in ("gross_amount", "discount_amount", "net_amount")}
        for row in month(2026, 10)
    ]

    report = report_on(tmp_path, ("2026-09", month(2026, 9)), ("2026-10", dear))

    assert failures(report) == {}


def test_a_replay_of_the_day_before_is_reported(tmp_path: Path):
    report = report_on(tmp_path, november(9), as_of=date(2026, 11, 11), history=LONG)

    (result,) = report.warnings
    assert result.expectation == "freshness"
    assert result.observed.startswith("last event on 2026-11-09, 2 days to as_of 2026-11-11; at most 1 days")


def test_a_source_that_keeps_replaying_stops_the_firm(tmp_path: Path):
    report = report_on(tmp_path, november(9), as_of=date(2026, 11, 14), history=LONG)

    assert failures(report) == {"freshness": True}
    assert str(report.failure()).startswith("transactions: freshness on order_date: last event on 2026-11-09")


def test_a_replay_is_reported_when_no_slice_changed_and_a_firm_may_make_it_critical(tmp_path: Path):
    strict = Firm(quality={"transactions": {"freshness": {"fail_above": 1}}})

    quiet = report_on(tmp_path, as_of=date(2026, 11, 1), history=LONG)
    replayed = report_on(tmp_path, as_of=date(2026, 11, 2), history=LONG)
    stopped = report_on(tmp_path, as_of=date(2026, 11, 2), history=LONG, firm=strict)

    assert failures(quiet) == {}
    assert failures(replayed) == {"freshness": False}
    assert failures(stopped) == {"freshness": True}


def test_a_firm_that_closes_on_sundays_or_sells_weekly_is_not_late(tmp_path: Path):
    monday = date(2026, 11, 2)
    sundays = days_known(date(2026, 1, 1), date(2026, 10, 31), skip=6)
    weekly = [
        {**row, "profile": {"days": [f"{row['slice']}-{d:02d}" for d in (7, 14, 21, 28)]}} for row in LONG
    ]

    assert failures(report_on(tmp_path, as_of=monday, history=sundays)) == {}
    assert failures(report_on(tmp_path, as_of=monday, history=weekly)) == {}


def test_a_firm_whose_data_ended_long_ago_is_not_stopped(tmp_path: Path):
    report = report_on(tmp_path, as_of=date(2030, 1, 1), history=LONG)

    assert failures(report) == {"freshness": False}


def test_a_backfill_is_fresh_as_of_its_own_day(tmp_path: Path):
    report = report_on(tmp_path, ("2026-05", month(2026, 5, until=9)), as_of=date(2026, 5, 10), history=LONG)

    assert failures(report) == {}


def test_a_short_past_is_not_stopped_by_christmas(tmp_path: Path):
    lines = [line(n, date(2010, 12, 1) + timedelta(days=n // 9)) for n in range(23 * 9)]
    known = [{"slice": "2010-12", "rows": len(lines), "as_of": date(2010, 12, 24)}]

    report = report_on(tmp_path, ("2010-12", lines), as_of=date(2011, 1, 4), history=known)

    assert failures(report) == {"freshness": False}


def test_a_late_correction_of_an_old_month_is_no_silence(tmp_path: Path):
    # No profile was kept, and November stands unchanged, so it is not among the slices.
    known = [{"slice": key, "rows": 100, "as_of": date(2026, 11, 20)} for key in ("2026-09", "2026-11")]

    report = report_on(tmp_path, ("2026-09", month(2026, 9)), as_of=date(2026, 11, 21), history=known)

    assert "freshness" not in [r.expectation for r in report.results]


def test_days_on_or_after_as_of_do_not_end_a_silence(tmp_path: Path):
    report = report_on(tmp_path, as_of=date(2026, 5, 10), history=LONG)

    (result,) = report.results
    assert result.observed.startswith("last event on 2026-05-09, 1 days to as_of 2026-05-10")


def test_the_first_days_of_a_month_only_warn_even_at_a_large_firm(tmp_path: Path):
    large = [{**row, "rows": 100 * len(row["profile"]["days"])} for row in LONG]

    two_days = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 3), history=large)
    a_week = report_on(tmp_path, ("2026-11", []), as_of=date(2026, 11, 8), history=large)

    assert failures(two_days)["volume"] is False
    assert failures(a_week)["volume"] is True
