"""The promotion gate's rule, and drift."""

import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.models import drift
from include.models.promotion import Candidate, evaluate
from include.run.promotion import earlier_anchors

NEW, OLD = date(2025, 7, 1), date(2025, 4, 1)


def candidate(anchor, error, *, is_sound=True, is_blocked=False):
    return Candidate(anchor, f"churn-{anchor}", "lightgbm", is_sound, is_blocked, error)


def evaluated(new, *earlier):
    return evaluate(new, earlier, error_name="Brier score")


@pytest.mark.parametrize(
    ("error", "scores"), [(0.05, NEW), (0.104, NEW), (0.105, NEW), (0.1051, OLD), (0.3, OLD)]
)
def test_a_new_model_may_be_worse_by_the_margin_at_most(error, scores):
    result = evaluated(candidate(NEW, error), candidate(OLD, 0.1))

    assert result.anchor == scores
    assert f"{error:.4f} against 0.1000" in result.reason
    assert ("is not promoted" in result.reason) == (scores == OLD)


def test_a_model_with_a_failed_leakage_check_gives_way_to_an_earlier_sound_one():
    blocked = candidate(NEW, None, is_sound=False, is_blocked=True)

    assert evaluated(blocked, candidate(OLD, 0.1)).anchor == OLD
    assert evaluated(blocked, candidate(OLD, None)).anchor == OLD
    assert evaluated(blocked, candidate(OLD, 0.1, is_sound=False)).anchor == NEW
    assert "a leakage check failed" in evaluated(blocked, candidate(OLD, 0.1)).reason


def test_the_model_in_production_is_compared_and_continues_to_score():
    older = date(2025, 1, 1)
    production, lucky = candidate(OLD, 1.2), candidate(older, 1.0)

    assert evaluated(candidate(NEW, 1.05), production, lucky).anchor == NEW
    assert evaluated(candidate(NEW, 1.2), production, lucky).anchor == NEW
    assert evaluated(candidate(NEW, 1.3), production, lucky).anchor == OLD
    assert evaluated(candidate(NEW, 0.5, is_blocked=True), production, lucky).anchor == OLD
    assert evaluated(candidate(NEW, 0.5, is_blocked=True), candidate(OLD, None), candidate(older, None)) == (
        OLD,
        f"the model of {NEW} is not promoted, a leakage check failed: the model of {OLD} continues to score",
    )


def test_a_new_model_that_is_worse_by_chance_is_promoted():
    few = candidate(OLD, 0.1)._replace(spread=0.02)

    assert evaluated(candidate(NEW, 0.119), few).anchor == NEW
    assert evaluated(candidate(NEW, 0.121), few).anchor == OLD


def test_a_firm_with_too_little_data_keeps_its_fallback():
    result = evaluated(candidate(NEW, None, is_sound=False), candidate(OLD, 0.1))

    assert result.anchor == NEW
    assert "there is no model to promote" in result.reason


def test_a_model_without_a_comparison_scores():
    assert evaluated(candidate(NEW, 0.2)).anchor == NEW
    assert evaluated(candidate(NEW, 0.2), candidate(OLD, None)).anchor == NEW
    assert evaluated(candidate(NEW, None), candidate(OLD, 0.2)).anchor == NEW


@pytest.mark.parametrize(
    ("window_days", "months", "earlier"),
    [
        (30, 3, OLD), (90, 3, OLD), (92, 3, date(2025, 1, 1)), (180, 3, date(2025, 1, 1)),
        (30, 1, date(2025, 6, 1)),
    ],
)  # fmt: skip
def test_an_earlier_model_was_trained_before_the_window_it_is_compared_on(window_days, months, earlier):
    assert earlier_anchors(NEW, window_days=window_days, every_months=months) == (earlier,)


def psi_of(then, now):
    tally = drift.Tally(drift.reference({"spend": then}, score={}))
    for part in np.array_split(now, 7):
        tally.add(pa.RecordBatch.from_pydict({"spend": part}))
    ((row,),) = [tally.rows()]
    return row["psi"]


def test_the_same_population_has_not_drifted_and_a_shifted_one_has():
    random = np.random.default_rng(2)
    then = random.gamma(2.0, 30.0, 5000)

    assert psi_of(then, then) == pytest.approx(0.0, abs=1e-12)
    assert psi_of(then, random.gamma(2.0, 30.0, 5000)) < 0.02
    assert psi_of(then, then + 20.0) > drift.SHIFTED
    assert psi_of(then, np.where(then > np.quantile(then, 0.9), np.nan, then)) > drift.SHIFTED


ANCHOR = date(2025, 10, 1)


def by_season(then, **seasons):
    """PSI of customers in December: the anchor's reference is of June, the seasons of the year before."""
    past = [
        drift.Cutoff(ANCHOR - timedelta(days=365 - day), {"spend": values}) for day, values in seasons["of"]
    ]
    kept = drift.reference({"spend": then}, score={}, anchor=ANCHOR, past=past)
    tally = drift.Tally(json.loads(json.dumps(kept)), as_of=seasons["as_of"])
    tally.add(pa.RecordBatch.from_pydict({"spend": pa.array(seasons["now"], from_pandas=True)}))
    (row,) = tally.rows()
    return row["psi"]


def test_customers_as_they_are_in_this_season_every_year_have_not_drifted():
    random = np.random.default_rng(6)
    june, december, march = (random.gamma(2.0, scale, 4_000) for scale in (10.0, 30.0, 20.0))
    again, elsewhere = random.gamma(2.0, 30.0, 4_000), random.gamma(2.0, 200.0, 4_000)
    known = {"of": [(0, june), (70, december), (170, march)], "as_of": ANCHOR + timedelta(days=70)}

    assert psi_of(june, again) > drift.SHIFTED
    assert by_season(june, now=again, **known) < 0.02
    assert by_season(june, now=elsewhere, **known) > drift.SHIFTED
    # Half-way from October to December, half of the customers are as in December.
    between = {**known, "as_of": ANCHOR + timedelta(days=35)}
    assert by_season(june, now=np.concatenate([june[:2000], again[:2000]]), **between) < 0.02
    # No cutoff is near the season of September: the last window counts alone.
    unknown = {**known, "as_of": ANCHOR + timedelta(days=260)}
    assert by_season(june, now=again, **unknown) == pytest.approx(psi_of(june, again))


def test_a_reference_of_an_earlier_version_has_no_seasons():
    values = np.arange(100.0)
    kept = drift.reference({"spend": values}, score={})
    for name in ("anchor", "season_days"):
        kept.pop(name)
    kept["variables"]["spend"].pop("seasons")
    tally = drift.Tally(kept, as_of=ANCHOR)
    tally.add(pa.RecordBatch.from_pydict({"spend": pa.array(values)}))

    assert tally.rows()[0]["psi"] == pytest.approx(0.0)


def test_a_bin_holds_a_tenth_of_the_training_customers_and_the_last_the_unknown_values():
    kept = drift.reference({"age": np.append(np.arange(90.0), [np.nan] * 10)}, score={})

    assert kept["variables"]["age"]["edges"] == [8, 17, 26, 35, 44, 53, 62, 71, 80]
    assert kept["variables"]["age"]["shares"] == pytest.approx([0.09] * 10 + [0.1])


def test_drift_is_the_textbooks_sum_over_bins():
    then, now = np.repeat([1.0, 2.0], [50, 50]), np.repeat([1.0, 2.0], [80, 20])

    found = psi_of(then, now)

    assert found == pytest.approx(0.3 * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5))


def test_batches_are_counted_with_their_scores():
    kept = drift.reference({"age": np.arange(10.0)}, score={"chance": np.linspace(0, 1, 10), "none": None})
    tally = drift.Tally(kept)

    tally.add(
        pa.RecordBatch.from_pydict({"age": pa.array([100, 200], pa.int32())}),
        pa.RecordBatch.from_pydict({"chance": [0.1, None]}),
    )

    rows = {row["variable_name"]: row for row in tally.rows()}
    assert {name: row["is_score"] for name, row in rows.items()} == {"age": False, "chance": True}
    assert (rows["age"]["customers"], rows["age"]["training_customers"]) == (2, 10)
    assert "age" in drift.message(tally.rows())


def test_the_message_names_variables_above_the_limit_largest_psi_first():
    rows = [
        {"variable_name": name, "psi": psi} for name, psi in (("age", 0.25), ("gap", 0.26), ("orders", 2))
    ]

    assert drift.message(rows[:1]) == ""
    assert drift.message(rows).endswith("(PSI of orders 2.00, gap 0.26)")
