"""The season of a firm: its estimate, its shrinkage, and what it does to value and churn."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest

from bench import sales
from include.models import drift, season
from include.models.churn import season as churn_season
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import model as ltv
from include.models.ltv.windows import Past, offsets, windows_of
from include.models.season import NO_SEASON, Season, Year
from include.simulator import Plan
from tests.models.ltv.cases import firm

DAY = date(2025, 1, 1)


def test_a_past_window_gives_the_log_ratio_and_its_error():
    expected, realised = np.full(400, 10.0), np.where(np.arange(400) % 2, 0.0, 40.0)

    found = season.year(DAY, expected, realised)

    assert found.log_ratio == pytest.approx(np.log(2.0))
    # 400 customers with a deviation of 20 around 20 each.
    assert found.error == pytest.approx(20 * np.sqrt(400) / 8000)
    assert season.year(DAY, expected, np.zeros(400)) is None


def test_the_season_is_shrunk_towards_none_by_its_error():
    sure, unsure = (season.estimate([Year(DAY, 0.4, error)] * 3) for error in (0.01, 0.5))

    assert season.estimate([]) == NO_SEASON
    assert 0.35 < sure.log_factor < 0.4
    assert 0.0 < unsure.log_factor < 0.2
    assert unsure.error > sure.error
    assert unsure.prediction_error > sure.prediction_error > 0.05


def test_years_that_disagree_count_less():
    alike = season.estimate([Year(DAY, ratio, 0.02) for ratio in (0.3, 0.31, 0.29)])
    apart = season.estimate([Year(DAY, ratio, 0.02) for ratio in (0.9, -0.3, 0.3)])

    assert apart.between > 3 * alike.between
    assert apart.log_factor < alike.log_factor


def test_a_window_between_two_known_starts_has_a_season_between_theirs():
    high, low = (Season(log, 0.1, 0.1, (Year(DAY, log, 0.1),)) for log in (0.4, -0.2))

    found = [season.between_days([(0, high), (91, low)], day=day).log_factor for day in (0, 45.5, 91, 150)]

    np.testing.assert_allclose(found, [0.4, 0.1, -0.2, -0.2])
    assert season.between_days([], day=10) == NO_SEASON
    assert season.between_days([(185, high)], day=0) == NO_SEASON
    assert season.between_days([(0, high)], day=100) == NO_SEASON


def test_the_gap_of_a_churn_window_brings_the_mean_to_the_realised_rate():
    random = np.random.default_rng(1)
    probability = random.uniform(0.1, 0.6, 5000)
    churned = random.random(5000) < 0.7

    found = churn_season.gap(DAY, probability, churned)
    moved = churn_season.shifted(probability, Season(found.shift, 0, 0, (Year(DAY, found.shift, 0),)))

    assert moved.mean() == pytest.approx(churned.mean(), abs=0.001)


def test_churn_has_a_season_from_a_year_of_windows_on_and_none_over_a_whole_year():
    gaps = [
        churn_season.Gap(date(2024, month, 1), 1.0 if month == 10 else 0.0, 0.02) for month in range(1, 13)
    ]

    peak = churn_season.of(gaps, date(2025, 10, 1), horizon_days=90)
    other = churn_season.of(gaps, date(2025, 6, 1), horizon_days=90)

    assert peak.log_factor > 0.7
    assert abs(other.log_factor) < 0.01
    assert churn_season.of(gaps, date(2024, 8, 1), horizon_days=90) == NO_SEASON


def test_over_a_year_churn_has_no_season_but_half_of_the_latest_windows_level():
    gaps = [
        churn_season.Gap(date(2024, month, 1), 0.2 if month > 8 else -1.0, 0.01) for month in range(1, 12)
    ]

    found = [churn_season.of(gaps, date(2025, month, 1), horizon_days=365) for month in (1, 7)]

    assert found[0] == found[1]
    assert 0.09 < found[0].log_factor < 0.1
    assert churn_season.of([], date(2025, 1, 1), horizon_days=365) == NO_SEASON


@pytest.fixture(scope="module")
def christmas(tmp_path_factory):
    """A shop whose customers buy twice as fast in December as in June, four years long."""
    folder = tmp_path_factory.mktemp("christmas")
    plan = Plan(
        customers=1_500,
        start=date(2022, 1, 1),
        end=date(2026, 7, 1),
        seed=5,
        counts=(1.1, 9.0, 0.6, 9.0),
        season_strength=0.5,
        anonymous_share=0.0,
    )
    files = sales.simulated(plan, folder)
    return files, folder


@pytest.mark.timeout(300)
def test_a_seasonal_firms_total_is_right_where_the_model_without_season_is_not(christmas):
    files, folder = christmas
    anchor = date(2025, 10, 1)
    table = sales.value_histories(files, folder, anchor=anchor)
    model = ltv.fit(table, firm=firm(), as_of=anchor)
    now = windows_of(table)[-1].rows.to_batches()[0]

    def total(of):
        ready = ltv.prepare(of, firm=firm(), as_of=anchor)
        rows = ltv.predict(now, ready, firm=firm(), as_of=anchor)
        return float(rows["expected_spend_90_days"].cast(pa.float64()).to_numpy(zero_copy_only=False).sum())

    parts = ltv_artefact.read(model)
    parts.pop("version")
    later = sales.value_histories(files, folder, anchor=date(2025, 12, 30))
    realised = sum(
        float(row["holdout_spend"])
        for row in later.to_pylist()
        if row["cutoff"] == date(2025, 10, 1) and row["horizon_days"] == 90
    )
    (first, *_) = parts["header"]["season"]["90"]
    with_season, parts["header"]["season"] = total(model), {}
    without = total(ltv_artefact.write(parts))

    assert len(first["spend"]["years"]) == 3
    assert first["spend"]["log_factor"] > 0.15
    assert without / realised < 0.85
    assert 0.9 < with_season / realised < 1.12
    assert "season" in ltv.status(model, firm=firm())[1]


def _alerts(reference: dict, batch: pa.RecordBatch, day: date) -> list[str]:
    tally = drift.Tally(reference, as_of=day)
    tally.add(batch)
    return [row["variable_name"] for row in tally.rows() if row["psi"] > drift.SHIFTED]


@pytest.mark.timeout(300)
def test_a_seasonal_firms_customers_drift_only_when_they_differ_from_those_of_the_season(christmas):
    files, folder = christmas
    anchor = date(2025, 7, 1)
    table = sales.value_histories(files, folder, anchor=anchor)
    parts = ltv_artefact.read(ltv.fit(table, firm=firm(), as_of=anchor))
    known = parts["reference"]
    plain = {**known, "anchor": None}
    alerts: dict[str, list[str]] = {"before": [], "now": [], "shifted": []}
    for day in (date(2025, 8, 20), date(2025, 11, 1), date(2025, 12, 15), date(2026, 1, 15)):
        rows = windows_of(sales.value_histories(files, folder, anchor=day))[-1].rows.to_batches()[0]
        alerts["before"] += _alerts(plain, rows, day)
        alerts["now"] += _alerts(known, rows, day)
        # One-time buyers are lost: an import that went wrong.
        kept = rows.filter(pa.compute.greater(rows["frequency"], 2))
        alerts["shifted"] += [name for name in _alerts(known, kept, day) if name == "frequency"]

    assert {"order_count_90_days", "days_since_last_order"} & set(alerts["before"])
    assert set(alerts["now"]) <= {"age_days"}  # the firm grows older, in every season
    assert alerts["shifted"] == ["frequency"] * 4


def test_between_two_cutoffs_the_season_of_windows_that_start_there_is_known(christmas):
    files, folder = christmas
    anchor = date(2025, 10, 1)
    past = Past(windows_of(sales.value_histories(files, folder, anchor=anchor)))
    kind = "mbgnbd"

    days = [day for day, _, _ in offsets(past, anchor, 90, kind)]
    seasons = {day: spend for day, spend, _ in offsets(past, anchor, 90, kind)}
    a_year_before, _ = past.season(anchor, 90, kind, later=60)
    no_orders = past.season(anchor, 90, kind, later=60)[1]

    assert days == [0, 30, 60, 90, 95, 125, 155, 185, 215, 245, 275]
    assert [year.cutoff for year in seasons[60].years] == [
        anchor + timedelta(days=60 - 365 * back) for back in (1, 2, 3)
    ]
    assert seasons[60] == a_year_before
    assert no_orders == NO_SEASON
    # The 90 days from November on hold more of the high season than those around them.
    assert seasons[30].log_factor > max(seasons[0].log_factor, seasons[95].log_factor)
