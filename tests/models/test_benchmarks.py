"""Benchmarks: an analyst of one firm cannot infer another firm's value, by any pair of what was published."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from random import Random

import pytest

from include import metrics
from include.models.benchmarks import FEWEST, STEPS, quartiles, why_not

ATTACKER = "firm00"
Groups = list[frozenset[str]]
Rule = Callable[[Collection[str], Iterable[Collection[str]]], str]


def names(count: int) -> list[str]:
    return [f"firm{n:02}" for n in range(count)]


def history(seed: int, rule: Rule, months: int = 24) -> Groups:
    """The groups that were published while firms joined, left, or had no value in some months."""
    random = Random(seed)
    firms = names(45)
    sharing = set(random.sample(firms, random.randint(9, 30))) | {ATTACKER}
    published: Groups = []
    for _ in range(months):
        change = random.random()
        if change < 0.4:
            moved = random.sample(firms, random.choice([1, 1, 2, 9, 10, 11, 12]))
            sharing = sharing.symmetric_difference(moved) if random.random() < 0.5 else sharing | set(moved)
        group = frozenset(firm for firm in sharing if random.random() > 0.004)
        if not rule(group, published):
            published.append(group)
    return published


def singled_out(published: Groups) -> list[tuple[int, int]]:
    """Pairs of published months that differ by 1 to 9 firms other than the attacker's, on either side."""
    found = []
    for (n, one), (m, other) in itertools.permutations(enumerate(published), 2):
        if 0 < len(one - other - {ATTACKER}) < FEWEST:
            found.append((n, m))
    return found + [(n, n) for n, group in enumerate(published) if len(group - {ATTACKER}) < FEWEST]


def test_no_pair_of_published_months_differs_by_fewer_than_ten_other_firms():
    histories = [history(seed, why_not) for seed in range(300)]

    assert sum(map(len, histories)) > 500  # the rule publishes
    assert sum(len(set(published)) > 1 for published in histories) > 5  # and groups may change
    assert [seed for seed, published in enumerate(histories) if singled_out(published)] == []


@pytest.mark.parametrize(
    "planted",
    [
        lambda group, published: "" if len(group) > FEWEST else "few",
        lambda group, published: why_not(group, list(published)[-1:]),
        lambda group, published: "" if len(group) >= FEWEST else why_not(group, published),
    ],
    ids=["size alone", "compared with the last month alone", "the attacker counts as another firm"],
)
def test_the_attacker_finds_each_bug_that_is_planted_in_the_rule(planted):
    assert any(singled_out(history(seed, planted)) for seed in range(300))


@pytest.mark.parametrize("value", [0.0, 50.0, 100.0])
def test_what_is_published_does_not_depend_on_the_value_of_a_firm_that_joined_alone(value):
    """Values that never change are the worst case: then only the group could move a quartile."""
    fixed = {firm: 3.0 * n for n, firm in enumerate(names(20))}
    months = [fixed, fixed | {"newcomer": value}, fixed, fixed | {"newcomer": value}]
    published: Groups = []
    shown = []
    for values in months:
        if not why_not(values, published):
            published.append(frozenset(values))
            shown.append(quartiles(values, "percent"))

    assert shown == [quartiles(fixed, "percent")] * 2


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (0, 10, "fewer than 10 other firms share the metric"),
        (0, 11, ""),
        (20, 20, ""),
        (20, 21, "fewer than 10 other firms joined since a published month"),
        (20, 19, "fewer than 10 other firms left since a published month"),
        (20, 30, "fewer than 10 other firms joined since a published month"),
        (20, 31, ""),
        (31, 20, ""),
    ],
)
def test_a_group_is_published_only_if_it_differs_by_no_firm_or_by_many(before, after, reason):
    earlier = [names(before)] if before else []

    assert why_not(names(after), earlier) == reason


def test_quartiles_are_rounded_and_in_order_whatever_the_order_of_firms():
    values = {
        f"f{n}": value
        for n, value in enumerate([3.0, 41.0, 7.0, 12.0, 98.0, 55.0, 20.0, 31.0, 2.0, 66.0, 8.0])
    }

    found = quartiles(values, "percent")

    assert found == (8.0, 20.0, 48.0)  # of 7.5, 20 and 48
    assert quartiles(dict(reversed(values.items())), "percent") == found
    assert quartiles(values, "days") == (10.0, 20.0, 50.0)


def test_only_ratios_and_days_of_a_firm_that_are_no_predictions_are_compared():
    shared = [metric for metric in metrics.GLOSSARY if metric.is_benchmark]

    assert len(shared) == 11
    assert {metric.unit for metric in shared} == set(STEPS)
    assert {metric.grain for metric in shared} == {"firm"}
    assert [m.name for m in shared if m.is_prediction or (m.unit == "percent" and not m.is_ratio)] == []
