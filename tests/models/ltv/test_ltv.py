"""Lifetime value: the backtest's rule, the ladder, and figures on real sales."""

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from bench import sales
from include.datasets.value import LTV
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import backtest as ltv_backtest
from include.models.ltv import losses as ltv_losses
from include.models.ltv import model as ltv
from include.models.ltv.backtest import Result
from include.models.ltv.windows import windows_of
from include.training import ltv as value_training
from tests.models.churn import cases
from tests.models.ltv.cases import firm

ANCHOR = date(2025, 7, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> pa.Table:
    folder = tmp_path_factory.mktemp("shop")
    return sales.value_histories(cases.shop(folder), folder, anchor=ANCHOR)


def valued(table, of, *, as_of=ANCHOR):
    model = ltv.fit(table, firm=of, as_of=as_of)
    now = windows_of(table)[-1].rows.to_batches()[0]
    params = ltv.prepare(model, firm=of, as_of=as_of)
    return model, LTV.conform(ltv.predict(now, params, firm=of, as_of=as_of)).to_pylist()


def test_cutoffs_are_a_quarter_apart_with_the_horizons_that_end_by_the_anchor():
    long = value_training.windows_of(date(1998, 7, 1), date(1997, 1, 1))
    short = value_training.windows_of(ANCHOR, date(2025, 1, 1))
    none = value_training.windows_of(ANCHOR, date(2025, 1, 3))
    years = value_training.windows_of(date(2015, 1, 1), date(2005, 1, 2))

    assert long == [
        (date(1997, 4, 2), (90,)),
        (date(1997, 7, 1), (90, 180, 365)),
        (date(1997, 10, 4), (90, 180)),
        (date(1998, 1, 2), (90, 180)),
        (date(1998, 4, 2), (90,)),
        (date(1998, 7, 1), ()),
    ]
    assert short == [(date(2025, 4, 2), (90,)), (ANCHOR, ())]
    assert none == [(ANCHOR, ())]
    assert len(years) == 13
    assert years[0] == (date(2012, 1, 2), (90, 180, 365))
    assert {date(2014, 1, 1), date(2013, 1, 1), date(2012, 1, 2)} <= {cutoff for cutoff, _ in years}


def test_nothing_on_or_after_the_anchor_reaches_the_histories(tmp_path):
    early = [("a", date(2025, 1, 1), "10"), ("a", date(2025, 3, 1), "10"), ("b", date(2025, 5, 1), "7")]
    late = [("a", ANCHOR, "1000"), ("c", ANCHOR, "1000")]

    known = sales.value_histories(cases.write_sales(early, tmp_path / "known"), tmp_path, anchor=ANCHOR)
    later = sales.value_histories(
        cases.write_sales(early + late, tmp_path / "later"), tmp_path, anchor=ANCHOR
    )

    assert known.equals(later)
    assert known["holdout_spend"].to_pylist()[0] == 0
    assert {row["customer_id"] for row in known.to_pylist()} == {"a", "b"}


def test_the_simplest_candidate_within_one_standard_error_is_selected():
    random = np.random.default_rng(1)
    loss = random.gamma(1.0, 1.0, 4000)

    def result(name, losses):
        return Result(name, ANCHOR, 90, losses, {})

    equal, _ = ltv_backtest.select_model(
        [result("bgnbd", loss + np.tile([1.0, -0.98], 2000)), result("trees", loss)]
    )
    better, why = ltv_backtest.select_model([result("bgnbd", loss + 0.1), result("trees", loss)])

    assert equal == "bgnbd"
    assert better == "trees"
    assert "lowest error" in why


def test_predicting_the_mean_for_every_customer_has_an_error_of_one():
    happened = np.array([0.0, 0.0, 30.0, 10.0])

    error = ltv_losses.losses(np.full(4, 10.0), happened).mean()

    assert error == pytest.approx(1.0)
    assert ltv_losses.losses(happened, happened).mean() < 0.1


def test_values_are_ordered_by_span_and_tiers_follow_percentiles(shop):
    model, rows = valued(shop, firm())

    header = ltv_artefact.read(model)["header"]
    assert header["is_sufficient"]
    assert header["method"] in {"own_rate", "bgnbd", "mbgnbd", "paretonbd", "trees"}
    for row in rows:
        assert 0 <= row["predicted_clv_1_year"] <= row["predicted_clv_3_year"]
        assert row["predicted_clv_3_year"] <= row["predicted_clv_lifetime"]
        assert 0 <= row["probability_alive"] <= 1
    assert {row["tier_level"] for row in rows} == {1, 2, 3, 4, 5}
    best = max(rows, key=lambda row: row["predicted_clv_1_year"])
    assert (best["tier_code"], best["clv_segment"]) == ("platinum", "VIP")


def test_confidence_is_the_higher_the_narrower_a_customers_own_spread(shop):
    _, rows = valued(shop, firm())

    sure = [row for row in rows if row["clv_confidence_score"] is not None]
    assert len(sure) == len([row for row in rows if row["expected_spend_1_year"] > 0]) > 100
    for row in sure:
        spread = float(row["spend_deviation_1_year"]) / float(row["expected_spend_1_year"])
        assert row["clv_confidence_score"] == pytest.approx(100 / (1 + spread), abs=0.01)
    by_spread = sorted(
        sure, key=lambda row: float(row["spend_deviation_1_year"]) / float(row["expected_spend_1_year"])
    )
    assert by_spread[0]["clv_confidence_score"] > by_spread[-1]["clv_confidence_score"]


def test_the_same_rows_in_another_order_give_the_same_model_and_batches_do_not_matter(shop):
    shuffled = shop.take(np.random.default_rng(5).permutation(shop.num_rows)).sort_by(
        [("cutoff", "ascending"), ("horizon_days", "ascending"), ("customer_id", "ascending")]
    )
    model = ltv.fit(shop, firm=firm(), as_of=ANCHOR)
    params = ltv.prepare(model, firm=firm(), as_of=ANCHOR)
    now = windows_of(shop)[-1].rows.to_batches()[0]

    whole = ltv.predict(now, params, firm=firm(), as_of=ANCHOR)
    half = now.num_rows // 2
    parts = [ltv.predict(part, params, firm=firm(), as_of=ANCHOR) for part in (now[:half], now[half:])]

    assert ltv.fit(shuffled, firm=firm(), as_of=ANCHOR).equals(model)
    assert pa.Table.from_batches(parts).combine_chunks().equals(pa.Table.from_batches([whole]))


def test_each_fallback_level_is_used_with_its_reason(shop):
    untested, untested_rows = valued(shop, firm(min_customers=10_000))
    few = shop.slice(0, 0)
    empty = ltv.fit(few, firm=firm(), as_of=ANCHOR)

    is_sufficient, reason = ltv.status(untested, firm=firm())
    assert not is_sufficient
    assert "600 of 10000 customers" in reason
    assert untested_rows[0]["method"] in {"bgnbd", "paretonbd"}
    assert ltv_artefact.read(empty)["header"]["method"] == "none"


def test_a_firm_with_a_handful_of_customers_gets_history_and_no_prediction(tmp_path):
    bought = [("a", date(2025, 1, 1), "10"), ("a", date(2025, 3, 1), "20"), ("b", date(2025, 5, 1), "7")]
    table = sales.value_histories(cases.write_sales(bought, tmp_path), tmp_path, anchor=ANCHOR)

    model, (a, b) = valued(table, firm())

    # A season belongs to a count model; the texts of a firm without one do not mention it.
    assert "season" not in ltv.status(model, firm=firm())[1]
    assert (a["method"], a["predicted_clv_1_year"], a["probability_alive"]) == ("none", None, None)
    assert (float(a["historical_clv"]), a["margin_source"]) == (9.0, "setting")
    assert (a["clv_segment"], b["clv_segment"]) == ("Risky", "One-timer")


def test_a_tampered_model_is_refused(shop):
    rows = ltv.fit(shop, firm=firm(), as_of=ANCHOR).to_pylist()
    header = next(row for row in rows if row["part"] == "header")
    header["body"] = json.dumps({**json.loads(header["body"]), "margin_share": 0.9})

    with pytest.raises(ltv_artefact.ValueArtefactError, match="'header' does not match its sha256"):
        ltv.prepare(pa.Table.from_pylist(rows), firm=firm(), as_of=ANCHOR)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("data", "anchor", "least"),
    [("cdnow", date(1998, 7, 1), 0.45), ("complete_journey", date(2018, 1, 1), 0.83)],
)
def test_the_champion_ranks_real_customers_out_of_time(data, anchor, least, tmp_path):
    table = sales.value_histories(getattr(sales, data)(tmp_path), tmp_path, anchor=anchor)

    model = ltv.fit(table, firm=firm(min_customers=500, min_repeat_buyers=200), as_of=anchor)

    parts = ltv_artefact.read(model)
    method = parts["header"]["method"]
    windows = [window for window in parts["backtest"] if window["candidate"] == method]
    found = max(windows, key=lambda window: window["cutoff"])["metrics"]
    _, reason = ltv.status(model, firm=firm())
    print(data, found, reason)
    assert found["spearman"] >= least
    assert 0.9 <= found["total_ratio"] <= 1.1
    assert 0.75 <= found["coverage_of_open"] <= 0.85
    assert 0.75 <= found["coverage_at_level"] <= 0.85
    assert f"80 % intervals covered {100 * found['coverage_of_open']:.0f} % of the customers" in reason
    assert data != "cdnow" or f"and {100 * found['coverage_at_level']:.0f} % of all at level" in reason
    assert f"the firm's total of {found['total_realised']:,.0f} was" in reason
