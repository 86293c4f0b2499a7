import csv
import gzip
import random
from collections import defaultdict
from pathlib import Path

import pytest

from include.models.uplift import amount_effect, rate_effect

HILLSTROM = Path(__file__).parents[3] / "shared" / "data" / "hillstrom" / "hillstrom.csv.gz"
CONTROL, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"


@pytest.fixture(scope="module")
def arms():
    """Hillstrom's experiment: rows of (visit, conversion, spend) by arm."""
    if not HILLSTROM.exists():
        pytest.skip("the Hillstrom experiment is not in ../shared/data")
    rows = defaultdict(list)
    with gzip.open(HILLSTROM, "rt") as file:
        for row in csv.DictReader(file):
            rows[row["segment"]].append((int(row["visit"]), int(row["conversion"]), float(row["spend"])))
    return rows


def test_hillstroms_visits_and_conversions_are_as_published(arms):
    counts = {
        arm: (len(rows), sum(r[0] for r in rows), sum(r[1] for r in rows)) for arm, rows in arms.items()
    }

    assert counts == {
        MENS: (21_307, 3_894, 267),
        WOMENS: (21_387, 3_238, 189),
        CONTROL: (21_306, 2_262, 122),
    }


@pytest.mark.parametrize(
    ("arm", "outcome", "lift"),
    [(MENS, 0, 0.0766), (WOMENS, 0, 0.0452), (MENS, 1, 0.0068), (WOMENS, 1, 0.0031)],
)
def test_each_email_brought_visits_and_conversions_beyond_chance(arms, arm, outcome, lift):
    treated, control = arms[arm], arms[CONTROL]

    effect = rate_effect(
        sum(r[outcome] for r in treated), len(treated), sum(r[outcome] for r in control), len(control)
    )

    assert effect.difference == pytest.approx(lift, abs=5e-5)
    assert effect.low < effect.difference < effect.high
    assert effect.is_beyond_chance


@pytest.mark.parametrize(("arm", "lift"), [(MENS, 0.7698), (WOMENS, 0.4244)])
def test_each_email_brought_spend_beyond_chance(arms, arm, lift):
    effect = amount_effect([r[2] for r in arms[arm]], [r[2] for r in arms[CONTROL]])

    assert effect.difference == pytest.approx(lift, abs=5e-5)
    assert effect.is_beyond_chance


def test_an_interval_agrees_with_newcombes_published_example():
    # Newcombe (1998), table II, row a: 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    effect = rate_effect(56, 70, 48, 80)

    assert (effect.low, effect.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_without_an_effect_about_one_interval_of_twenty_excludes_zero():
    rng = random.Random(7)
    found = 0

    for _ in range(400):
        treated, control = (sum(rng.random() < 0.1 for _ in range(600)) for _ in range(2))
        found += rate_effect(treated, 600, control, 600).is_beyond_chance

    assert 8 <= found <= 34


def test_no_effect_on_spend_is_about_zero():
    rng = random.Random(11)
    groups = [[rng.expovariate(1 / 50) * (rng.random() < 0.3) for _ in range(5_000)] for _ in range(2)]

    effect = amount_effect(*groups)

    assert abs(effect.difference) < 1.5
    assert not effect.is_beyond_chance


def test_a_negative_effect_is_found():
    effect = rate_effect(100, 1_000, 200, 1_000)

    assert effect.difference == pytest.approx(-0.1)
    assert effect.high < 0
    assert effect.is_beyond_chance


def test_a_small_group_has_no_effect_estimate():
    assert rate_effect(3, 29, 3, 500) is None
    assert amount_effect([1.0] * 500, [2.0] * 29) is None
