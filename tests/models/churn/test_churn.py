from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy import special

from bench.sales import of_lines
from include.datasets.churn import CHURN_MODEL, CHURN_RISK, CHURN_TRAINING
from include.models.churn import artefact as churn_artefact
from include.models.churn import model as churn
from include.models.churn import rules, trees
from include.models.churn import training as churn_training
from include.periods import anchor_of
from tests.models.churn import cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("churn")


@pytest.fixture(scope="module")
def shop(folder):
    return cases.shop(folder)


@pytest.fixture(scope="module")
def training(shop, folder):
    return cases.stacked(shop, folder, of=cases.firm())


@pytest.fixture(scope="module")
def model(training):
    return churn.fit(training, firm=cases.firm(), as_of=cases.ANCHOR)


@pytest.fixture(scope="module")
def features(shop, folder):
    return cases.features(shop, folder, as_of=cases.ANCHOR)


def score(features, model, *, firm=None, as_of=cases.ANCHOR):
    firm = firm or cases.firm()
    params = churn.prepare(model, firm=firm, as_of=as_of)
    (batch,) = features.combine_chunks().to_batches()
    return churn.predict(batch, params, firm=firm, as_of=as_of)


def test_training_windows_never_overlap_and_end_by_the_anchor(training):
    CHURN_TRAINING.check(training)

    cutoffs = sorted(pc.unique(training.filter(pc.invert(training["is_blind"]))["cutoff"]).to_pylist())

    assert cutoffs[-1] + timedelta(days=cases.HORIZON) == cases.ANCHOR
    assert {b - a for a, b in pairwise(cutoffs)} == {timedelta(days=cases.HORIZON)}


def test_what_happens_from_the_anchor_on_changes_nothing(shop, training, folder):
    lines = pq.read_table(shop[cases.TRANSACTIONS][0])
    past = lines.filter(pc.less(lines["order_date"], pa.scalar(cases.ANCHOR)))
    cut = of_lines(past, folder / "past")

    without = cases.stacked(cut, folder / "past", of=cases.firm())

    assert past.num_rows < lines.num_rows
    assert without.equals(training)


def test_a_sale_on_the_last_day_of_the_window_is_no_churn_and_one_day_later_it_is(tmp_path):
    cutoff = cases.ANCHOR - timedelta(days=cases.HORIZON)
    end = cutoff + timedelta(days=cases.HORIZON)
    rows = [(who, date(2025, 4, 1), "5") for who in ("first", "last", "late")]
    rows += [
        ("first", cutoff, "5"),
        ("last", end - timedelta(days=1), "5"),
        ("late", end, "5"),
    ]
    files = cases.write_sales(rows, tmp_path)

    found = cases.stacked(files, tmp_path, of=cases.firm())

    last = found.filter(pc.and_(pc.equal(found["cutoff"], cutoff), pc.invert(found["is_blind"])))
    churned = dict(zip(last["customer_id"].to_pylist(), last["is_churned"].to_pylist(), strict=True))
    assert churned == {"first": False, "last": False, "late": True}


def test_a_sample_of_customers_has_the_features_it_has_among_all(shop, training, folder):
    some = cases.stacked(shop, folder / "some", of=cases.firm(sample_customers=200))

    wanted = training.filter(pc.is_in(training["customer_id"], pc.unique(some["customer_id"])))

    assert 100 < len(pc.unique(some["customer_id"])) < 300
    assert some.equals(wanted)


def test_the_model_is_trained_backtested_and_passes_the_leakage_checks(model):
    CHURN_MODEL.check(model)
    parts = churn_artefact.read(model)

    is_sufficient, reason = churn.status(model, firm=cases.firm())

    assert is_sufficient, reason
    assert parts["header"]["method"] in churn_training.FROM_SIMPLE
    assert all(check["passed"] for check in parts["sentinel"])
    assert "Brier" in reason
    assert parts["header"]["cutoffs"][-1] == "2025-06-01"


def test_every_metric_behind_the_selection_is_stored(model):
    parts = churn_artefact.read(model)

    metrics, header = parts["metrics"], parts["header"]

    assert {row["population"] for row in metrics} == {"all", "one_time_buyers", "repeat_buyers"}
    whole = {row["candidate"]: row for row in metrics if row["population"] == "all"}
    (champion,) = (row for row in whole.values() if row["is_champion"])
    assert champion["candidate"] == header["method"]
    assert all(row["customers"] == sum(row[k] for k in _CELLS) for row in whole.values())
    tried = sorted((row["brier"], name) for name, row in whole.items() if name in churn_training.FROM_SIMPLE)
    assert [name for _, name in tried[:2]] == [header["method"], header["challenger"]]
    assert {row["factor"] for row in parts["importances"]} >= {"overdue"}


_CELLS = ("true_positives", "false_positives", "false_negatives", "true_negatives")


def test_the_same_data_gives_the_same_model_bit_for_bit(training, model):
    again = churn.fit(training, firm=cases.firm(), as_of=cases.ANCHOR)

    assert again.equals(model)


def test_every_customer_is_scored_including_one_time_buyers(features, model):
    risk = CHURN_RISK.conform(score(features, model))

    probability = risk.column("churn_probability").to_numpy()

    assert risk.column("customer_id").to_pylist() == features["customer_id"].to_pylist()
    assert pc.sum(features["is_one_timer"]).as_py() > 50
    assert ((probability > 0) & (probability < 1)).all()
    assert (risk.column("churn_risk_score").to_numpy() == np.rint(100 * probability)).all()


def test_scores_do_not_depend_on_the_batch(features, model):
    whole = pa.Table.from_batches([score(features, model)])

    parts = [score(features.slice(first, 97), model) for first in range(0, features.num_rows, 97)]

    assert pa.Table.from_batches(parts).combine_chunks().equals(whole.combine_chunks())


def test_each_reason_raises_the_risk_and_has_a_text(features, training):
    windows = churn_training.windows_of(training)
    tested = churn_training.backtest(training, windows, horizon_days=cases.HORIZON)
    parts = churn_training.build(tested, windows, champion="lightgbm", horizon_days=cases.HORIZON)
    header = {
        "anchor": "2025-07-01",
        "horizon_days": cases.HORIZON,
        "method": "lightgbm",
        "parts": sorted(parts),
    }
    model = churn_artefact.write({**parts, "spend_cuts": [1.0, 2.0], "header": header})

    risk = score(features, model).to_pylist()

    learned = trees.Trees(parts["trees"])
    adds = learned.contributions(trees.matrix(features, learned.features))
    log_odds = learned.scores(trees.matrix(features, learned.features))
    assert np.allclose(adds.sum(axis=1), log_odds, atol=1e-9)
    codes = np.array([churn.code_of(name) for name in learned.features])
    for row, add in zip(risk[:20], adds[:20, :-1], strict=True):
        sums = {code: add[codes == code].sum() for code in set(codes)}
        best = max(sums, key=lambda code: sums[code])
        assert row["top_churn_factor_1"] == (best if sums[best] > 0 else None)
        assert (row["top_churn_factor_1_text"] is None) == (row["top_churn_factor_1"] is None)


def test_predicted_churn_date_is_when_the_silence_reaches_the_threshold(features, model):
    rows = score(features, model).to_pylist()

    expected = [row for row in rows if row["churn_probability"] >= 0.5]

    assert expected
    for row in expected:
        wait = cases.HORIZON - row["days_since_last_order"]
        assert row["days_until_predicted_churn"] == wait
        assert row["predicted_churn_date"] == cases.ANCHOR + timedelta(days=wait)
    assert all(row["predicted_churn_date"] is None for row in rows if row["churn_probability"] < 0.5)


@pytest.mark.parametrize(
    ("part", "body"), [("calibration", "[9.0, 0.0]"), ("spend_cuts", "[0.0, 0.0]"), ("header", "{}")]
)
def test_a_tampered_model_is_refused(model, part, body):
    rows = [{**row, "body": body} if row["part"] == part else row for row in model.to_pylist()]
    tampered = pa.Table.from_pylist(rows, schema=model.schema)

    with pytest.raises(churn_artefact.ArtefactError, match=f"part '{part}' does not match its sha256"):
        churn.prepare(tampered, firm=cases.firm(), as_of=cases.ANCHOR)


@pytest.mark.parametrize("part", ["spend_cuts", "recency", "header"])
def test_a_model_with_a_missing_part_is_refused(model, part):
    short = model.filter(pc.not_equal(model["part"], part))

    with pytest.raises(churn_artefact.ArtefactError, match="missing"):
        churn.prepare(short, firm=cases.firm(), as_of=cases.ANCHOR)


def test_a_model_for_another_threshold_or_from_the_future_is_refused(model):
    other = cases.firm()
    other.churn_threshold_days = 60

    with pytest.raises(churn_artefact.ArtefactError, match="predicts 30 days"):
        churn.prepare(model, firm=other, as_of=cases.ANCHOR)
    with pytest.raises(churn_artefact.ArtefactError, match="cannot score the earlier as_of"):
        churn.prepare(model, firm=cases.firm(), as_of=cases.ANCHOR - timedelta(days=1))


def test_too_little_data_gives_rules_with_the_reason_and_no_probability(training, features):
    strict = cases.firm(min_customers=10_000, min_events=5_000)

    model = churn.fit(training, firm=strict, as_of=cases.ANCHOR)

    is_sufficient, reason = churn.status(model, firm=strict)
    risk = CHURN_RISK.conform(score(features, model, firm=strict))
    assert not is_sufficient
    assert "of 10000 customers" in reason
    assert "of 5000 churned customers" in reason
    assert risk.column("churn_probability").null_count == risk.num_rows
    assert set(risk.column("method").to_pylist()) == {"rules"}


def test_no_history_at_all_still_scores_by_rules(features):
    nothing = CHURN_TRAINING.schema.empty_table()

    model = churn.fit(nothing, firm=cases.firm(), as_of=cases.ANCHOR)

    risk = CHURN_RISK.conform(score(features, model))
    reason = churn.status(model, firm=cases.firm())[1]
    assert "history has fewer than 3 cutoffs" in reason
    assert "the score only ranks and has no category" in reason
    assert risk.num_rows == features.num_rows
    assert risk.column("churn_risk_score").null_count == 0
    assert set(risk.column("no_score_reason").to_pylist()) == {"no_known_outcome"}
    for name in ("churn_risk_category", "churn_risk_band", "recommended_action", "predicted_churn_date"):
        assert risk.column(name).null_count == risk.num_rows


def test_customers_younger_than_the_minimum_tenure_get_no_score(features, model):
    young = features["age_days"].to_numpy() < 160

    risk = CHURN_RISK.conform(score(features, model, firm=cases.firm(min_tenure_days=160)))

    assert 0 < young.sum() < len(young)
    assert np.array_equal(risk.column("no_score_reason").is_valid().to_numpy(zero_copy_only=False), young)
    assert set(risk.filter(pa.array(young)).column("no_score_reason").to_pylist()) == {"too_new"}
    for name in (
        "churn_probability", "churn_risk_score", "churn_risk_category", "top_churn_factor_1",
        "intervention_priority", "any_order_probability", "next_order_date_50_pct",
    ):  # fmt: skip
        assert not risk.column(name).filter(pa.array(young)).is_valid().to_numpy(zero_copy_only=False).any()
    old = score(features, model).filter(pa.array(~young))
    assert risk.filter(pa.array(~young)).column("churn_probability").equals(old.column("churn_probability"))


def test_a_baseline_is_selected_where_the_trees_do_not_beat_it(training):
    last = churn_training.windows_of(training)[-1]
    good = np.where(last.churned, 0.8, 0.2)
    tested = churn_training.Backtest(
        [], 1, False, {"lightgbm": np.full(len(good), 0.5), "bgnbd": good, "recency": good}, []
    )

    champion, reason = churn_training.select_model(tested, last)

    assert champion == "recency"
    # Four in five are right of 100 and all pairs are; the trees' even chance of everybody costs a quarter.
    assert "above one who stayed in 100 of 100 pairs, and its probabilities are off by 20.0 points" in reason
    assert "bgnbd 0.0400 / 1.000 / 0.200, recency 0.0400 / 1.000 / 0.200, lightgbm 0.2500 / 0.500" in reason


@pytest.mark.parametrize("method", ["bgnbd", "recency"])
def test_a_selected_baseline_scores_with_its_own_probability(model, features, method):
    parts = churn_artefact.read(model)
    parts.pop("version")
    parts["header"]["method"] = method
    other = churn_artefact.write(parts)

    risk = CHURN_RISK.conform(score(features, other))

    silence = risk.column("days_since_last_order").to_numpy()
    probability = risk.column("churn_probability").to_numpy()
    assert set(risk.column("method").to_pylist()) == {method}
    assert probability[silence > 90].mean() > probability[silence < 10].mean()
    assert risk.column("top_churn_factor_1").null_count < risk.num_rows / 2


@pytest.mark.parametrize("method", ["paretonbd", "bgnbd_season"])
def test_candidates_that_are_built_for_themselves_score(training, features, method, monkeypatch):
    monkeypatch.setattr(churn_training, "select_model", lambda tested, last: (method, "as asked"))

    model = churn.fit(training, firm=cases.firm(), as_of=cases.ANCHOR)

    risk = CHURN_RISK.conform(score(features, model))
    probability = risk.column("churn_probability").to_numpy()
    raw = churn_artefact.read(model)
    raw.pop("version")
    raw["header"]["method"] = "bgnbd_uncalibrated"
    without = score(features, churn_artefact.write(raw)).column("churn_probability").to_numpy()
    assert set(risk.column("method").to_pylist()) == {method}
    assert (raw["paretonbd"] is not None) == (method == "paretonbd")
    # Half a year of history has no season.
    assert np.array_equal(probability, without) == (method == "bgnbd_season")


def test_the_season_of_bgnbd_moves_its_probabilities(model, features):
    parts = churn_artefact.read(model)
    parts.pop("version")
    parts["header"]["method"] = "bgnbd_season"
    parts["season"] = [
        {"cutoff": (cases.ANCHOR - timedelta(days=days)).isoformat(), "shift": 1.0, "error": 0.01}
        for days in (395, 365, 335)
    ]

    moved = score(features, churn_artefact.write(parts)).column("churn_probability").to_numpy()

    parts["season"] = []
    plain = score(features, churn_artefact.write(parts)).column("churn_probability").to_numpy()
    assert (moved > plain).mean() > 0.99
    assert np.median(special.logit(moved) - special.logit(plain)) == pytest.approx(0.9, abs=0.1)


def test_a_tie_in_the_loss_keeps_the_simpler_candidate_unless_it_ranks_worse(training):
    last = churn_training.windows_of(training)[-1]
    random = np.random.default_rng(3)
    rate, noise = last.churned.mean(), random.normal(0, 1e-3, len(last.churned))
    ranked = rate + np.where(last.churned, 1e-4, -1e-4) + noise / 100
    same = rate + np.where(last.churned, 1e-4, -1e-4) - noise / 100

    def selected(simple):
        probabilities = {"lightgbm": ranked, "bgnbd": simple, "recency": np.full(len(noise), 0.01)}
        tested = churn_training.Backtest([], 1, False, probabilities, [])
        return churn_training.select_model(tested, last)

    assert selected(same)[0] == "bgnbd"
    assert selected(np.full(len(noise), rate))[0] == "lightgbm"


def test_trees_need_no_calibration(training):
    window = churn_training.windows_of(training)[-1]
    names = trees.usable_features(window.rows)
    x = trees.matrix(window.rows, names)
    rare = window.churned & (np.arange(len(window.churned)) % 3 == 0)

    probability = trees.Trees(trees.train(x, rare, names)).probabilities(x)

    assert probability.mean() == pytest.approx(rare.mean(), abs=0.01)


def test_the_next_order_agrees_with_the_churn_probability_of_its_row(features, model):
    rows = score(features, model).to_pylist()

    assert cases.HORIZON == 30
    assert len({row["churn_probability"] for row in rows}) > 20
    for row in rows:
        chances = [row[f"order_probability_{days}_days"] for days in (30, 90, 365)]
        chances.append(row["any_order_probability"])
        assert row["order_probability_30_days"] == pytest.approx(1 - row["churn_probability"], abs=1e-6)
        assert chances == sorted(chances)
        dates = [row[f"next_order_date_{share}_pct"] for share in (25, 50, 75)]
        known = [day for day in dates if day]
        assert known == sorted(known)
        assert known == [] or known[0] >= cases.ANCHOR
        assert [day is not None for day in dates] == [chances[-1] >= share for share in (0.25, 0.5, 0.75)]


def test_rules_score_as_many_as_churn_and_keep_their_order(training, features):
    strict = cases.firm(min_customers=10_000)
    model = churn.fit(training, firm=strict, as_of=cases.ANCHOR)
    last = churn_training.windows_of(training)[-1]

    parts = churn_artefact.read(model)
    rows = last.rows.select(features.schema.names).combine_chunks()
    scaled = np.array(score(rows, model, firm=strict).column("churn_risk_score"))
    plain = rules.score(rules.signals(rows, horizon_days=cases.HORIZON))

    assert scaled.mean() == pytest.approx(100 * last.churned.mean(), abs=1.0)
    assert parts["rules"]["churn_rate"] == pytest.approx(last.churned.mean(), abs=0.01)
    order = np.argsort(plain)
    assert (np.diff(scaled[order]) >= 0).all()


@pytest.mark.parametrize(
    ("method", "codes"),
    [("recency", {"long_silence"}), ("bgnbd", {"overdue", "few_orders", "short_history"})],
)
def test_the_factors_are_those_of_the_score_that_is_shown(model, features, method, codes):
    parts = churn_artefact.read(model)
    parts.pop("version")
    parts["header"]["method"] = method

    risk = score(features, churn_artefact.write(parts))

    assert set(risk.column("top_churn_factor_1").to_pylist()) - {None} <= codes
    assert risk.column("top_churn_factor_1").null_count < risk.num_rows


def test_keys_labels_and_the_cutoffs_calendar_are_never_learned(training):
    names = trees.usable_features(training)

    assert not set(names) & set(trees.EXCLUDED)
    assert "days_since_last_order" in names
    assert "total_margin" not in names


def test_an_anchor_is_the_first_day_of_its_period():
    anchors = [
        anchor_of(day, every_months=months)
        for months, day in [
            (1, date(2025, 7, 1)),
            (1, date(2025, 7, 31)),
            (3, date(2025, 6, 30)),
            (12, date(2025, 1, 1)),
        ]
    ]

    assert anchors == [date(2025, 7, 1), date(2025, 7, 1), date(2025, 4, 1), date(2025, 1, 1)]


def test_windows_share_the_memory_of_the_training_rows(training):
    whole = training.combine_chunks()
    for window in churn_training.windows_of(whole):
        values = window.rows["frequency"].chunk(0)
        assert values.buffers()[1].address == whole["frequency"].chunk(0).buffers()[1].address


def test_windows_of_unsorted_rows_have_the_rows_of_their_cutoff(training):
    mixed = training.take(np.random.default_rng(1).permutation(training.num_rows))
    for expected, found in zip(
        churn_training.windows_of(training), churn_training.windows_of(mixed), strict=True
    ):
        assert found.cutoff == expected.cutoff
        assert found.rows.sort_by("customer_id") == expected.rows.sort_by("customer_id")
