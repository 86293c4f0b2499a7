"""``run --due``: every firm whose latest scheduled snapshot is not complete, one line each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import typer

from include.cli.due import run_due
from tests.run.test_rejected_rows import days

AT = datetime(2025, 2, 21, 12, tzinfo=UTC)  # a Friday
TODAY = date(2025, 2, 21)


def lines(capsys) -> list[str]:
    return [line.rpartition("  ")[0] for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_firms_that_are_due_run_in_order_and_one_that_fails_stops_no_other(shop, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    for key, changes in {
        "broken": {"schedule_hour": 4},
        "weekly": {"working_day_period": 7},
        "paused": {"is_paused": True},
        "by_hand": {"working_day_period": 0},
    }.items():
        shop.add(key, modules=[], **changes)
        if key != "broken":
            shop.sell(key, days(TODAY - timedelta(days=1), first=date(2025, 2, 1)))

    with pytest.raises(typer.Exit) as first:
        run_due(AT)
    told = lines(capsys)
    shop.sell("broken", days(TODAY - timedelta(days=1), first=date(2025, 2, 1)))
    run_due(AT)
    again = lines(capsys)
    run_due(AT)

    assert first.value.exit_code == 1
    assert [line.split()[0] for line in told] == ["weekly", "broken"]
    assert [line.split()[3] for line in told] == ["2025-02-17", "2025-02-21"]
    assert [line.split()[4] for line in told] == ["done:", "failed:"]
    assert "has no file that ends with" in told[1]
    assert [line.split()[0] for line in again] == ["broken"]
    assert "done: " in again[0]
    assert "no firm is due" in capsys.readouterr().out
