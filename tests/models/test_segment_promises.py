"""The name of each segment is true of each of its customers, in real and simulated firms."""

from datetime import date

import pytest

from bench.statements import customer_days, promises
from include.models import floors, segments

REAL = [(name, day) for name, firm in customer_days.REAL.items() for day in firm.days]


def wrong(found):
    return {code: counts for code, counts in found.items() if counts[1]}


@pytest.mark.parametrize(("name", "as_of"), REAL, ids=[f"{name}-{day}" for name, day in REAL])
def test_no_customer_of_a_real_firm_contradicts_the_name_of_its_segment(name, as_of, tmp_path):
    firm = customer_days.REAL[name]
    settings = {"window_days": firm.window_days, "churn_threshold_days": firm.churn_threshold_days}
    days = customer_days.real(name, as_of)
    if days is None:
        pytest.skip(f"{firm.path} is not in ../shared/data")

    scored = promises.score(days, tmp_path, as_of=as_of, **settings)

    found = promises.broken(days, scored, as_of=as_of, **settings)
    assert sum(customers for customers, _ in found.values()) == scored.rfm.num_rows
    assert wrong(found) == {}


@pytest.mark.parametrize("kind", customer_days.SIMULATED)
def test_no_customer_of_a_simulated_firm_contradicts_the_name_of_its_segment(kind, tmp_path):
    as_of = date(2026, 1, 1)
    days = customer_days.simulated(customer_days.SIMULATED[kind], as_of)

    scored = promises.score(days, tmp_path, as_of=as_of)

    assert wrong(promises.broken(days, scored, as_of=as_of)) == {}


def test_without_floors_the_names_of_the_same_firms_are_contradicted(tmp_path, monkeypatch):
    bare = tuple(rule._replace(floor=floors.NO_FLOOR) for rule in segments.SEGMENTS)
    as_of = date(2026, 1, 1)
    days = customer_days.simulated(customer_days.SIMULATED["weekly"], as_of)
    monkeypatch.setattr(segments, "SEGMENTS", bare)

    scored = promises.score(days, tmp_path, as_of=as_of)

    found = promises.broken(days, scored, as_of=as_of)
    assert sum(customers for _, customers in found.values()) > 0


def test_every_standard_segment_has_a_promise():
    assert set(promises.PROMISES) == {rule.segment_code for rule in segments.SEGMENTS} | {segments.UNSCORED}
