"""The search over schedules finds nothing in the protocol, and finds each bug that is planted in it."""

import json
import os

import pytest

from trust import planted, protocol_search, schedules, scorecard
from trust.world import MANIFEST, Violation, World

SLICE = 5_000
FULL = "FIRMAMENT_SCHEDULES"  # set it to 100000 for the whole search


def test_no_schedule_breaks_an_invariant():
    count = int(os.environ.get(FULL, SLICE))

    failures = protocol_search.search(0, count)

    assert failures == []


@pytest.mark.parametrize("bug", planted.BUGS)
def test_a_planted_bug_is_caught(bug):
    caught = planted.caught(bug, range(protocol_search.SEEDS_A_BUG))

    assert caught is not None, f"{bug} went unnoticed"


def test_the_same_seed_gives_the_same_schedule():
    first, second = protocol_search.steps_of(7), protocol_search.steps_of(7)

    assert first == second
    assert any("Put" in line and MANIFEST in line for line in first)


def test_every_kind_of_fault_occurs():
    result = "\n".join(line for seed in range(400) for line in protocol_search.steps_of(seed))

    for event in (
        "crashes",
        "power cut",
        "damage",
        "in flight",
        "a late write arrives",
        "reply lost",
        "sent again by the client",
        "unreachable",
        "Fenced",
        "Corrupt",
        "UnknownOutcome",
        "200 h pass",
    ):
        assert event in result, f"no schedule had: {event}"


def test_a_violation_fails_the_search(monkeypatch):
    def run(seed: int) -> None:
        if seed == 3:
            raise Violation("planted")

    monkeypatch.setattr(schedules, "run", run)

    assert protocol_search.search(0, 10) == [(3, "planted")]


def test_a_deletion_of_the_current_version_is_a_violation():
    world = World()
    search = schedules.Search(0)
    search.world = world
    search._alone(search._writer())
    path = next(path for path in world.files if "attempt=" in path)

    with pytest.raises(Violation, match="was deleted"):
        world.delete(path)


def test_the_scorecard_keeps_lines_of_lanes_that_were_not_run(tmp_path):
    path = tmp_path / "docs" / "trust.json"
    scorecard.save(path, [scorecard.Line("a", 5, 0, 5, 1.23), scorecard.Line("b", 1, 0, 5, 1)])

    scorecard.save(path, [scorecard.Line("b", 6, 1, 5, 2)])

    assert [(row["name"], row["n"], row["bad"]) for row in json.loads(path.read_text())] == [
        ("a", 5, 0),
        ("b", 6, 1),
    ]


def test_a_line_is_met_with_enough_cases_and_no_violation():
    good = scorecard.Line("a", 5, 0, 5, 1)
    few, bad = scorecard.Line("a", 4, 0, 5, 1), scorecard.Line("a", 9, 1, 5, 1)

    assert [scorecard.verdict([good]), scorecard.verdict([good, few]), scorecard.verdict([bad])] == [0, 1, 1]
    assert scorecard.verdict([]) == 1
