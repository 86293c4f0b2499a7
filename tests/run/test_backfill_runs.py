"""What the tasks of a backfill do: which firms they run, that they go on after a failure, the report."""

from datetime import date, timedelta

import pytest

from include.backfill_runs import MOST_GROUPS, BackfillError, Range, firm_groups, reconcile, run_group
from include.settings import Settings
from tests.run.test_pipeline import AS_OF, sales

DAYS = [AS_OF - timedelta(days=n) for n in (1, 0)]
WANTED = Range("", *DAYS)


@pytest.fixture
def firms(shop):
    for key, changes in (("acme", {}), ("zeta", {}), ("by_hand", {"working_day_period": 0})):
        shop.add(key, **changes)
        shop.sell(key, sales(25))
    return shop


def snapshots(shop, key):
    return sorted({row[0] for row in shop.facts(key)["rfm"]})


def test_missing_days_of_scheduled_firms_are_run_once(firms):
    settings = Settings.read()
    groups = firm_groups(settings, WANTED)

    done = [run_group(settings, WANTED, keys, run_id="backfill_all") for keys in groups]

    assert groups == [["acme"], ["zeta"]]
    assert done == [{"acme": 2}, {"zeta": 2}]
    assert snapshots(firms, "acme") == snapshots(firms, "zeta") == DAYS
    assert reconcile(settings, WANTED) == [f"{key}: 2 of 2 days are complete" for key in ("acme", "zeta")]
    assert firm_groups(settings, WANTED) == []


def test_a_firm_that_fails_is_named_stops_no_other_and_the_next_attempt_continues(firms):
    settings = Settings.read()
    firms.add("acme", quality={"transactions": {"grain_unique": {"fail_above": -1}}})

    with pytest.raises(BackfillError, match=f"acme as of {DAYS[0]}: .*grain_unique"):
        run_group(settings, WANTED, ["acme", "zeta"], run_id="one")
    with pytest.raises(BackfillError, match=f"1 of 2 firms: acme: {DAYS[0]}, {DAYS[1]}"):
        reconcile(settings, WANTED)
    firms.add("acme")

    assert firm_groups(settings, WANTED) == [["acme"]]
    assert run_group(settings, WANTED, ["acme", "zeta"], run_id="two") == {"acme": 2, "zeta": 0}
    assert snapshots(firms, "acme") == snapshots(firms, "zeta") == DAYS


def test_one_firm_may_be_named_also_without_a_schedule(firms):
    wanted = Range("by_hand", AS_OF, AS_OF)

    assert firm_groups(Settings.read(), wanted) == [["by_hand"]]


def test_more_firms_than_airflow_maps_share_tasks(firms, monkeypatch):
    monkeypatch.setattr("include.backfill_runs.MOST_GROUPS", 1)

    assert MOST_GROUPS < 1024
    assert firm_groups(Settings.read(), WANTED) == [["acme", "zeta"]]


@pytest.mark.parametrize(("first", "last"), [("2025-03-02", "2025-03-01"), ("today", "2025-03-01")])
def test_a_range_that_cannot_be_read_is_refused(first, last):
    with pytest.raises(ValueError, match=r"swap them|today"):
        Range.of({"firm": "", "first": first, "last": last})


def test_a_range_is_read_from_the_parameters_of_a_run():
    params = {"firm": "acme", "first": "2025-03-01", "last": "2025-03-02", "stale": True}

    assert Range.of(params) == Range("acme", date(2025, 3, 1), date(2025, 3, 2), True)
