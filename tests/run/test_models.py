"""Which model scores: a simulated firm, really run, in any order, with decisions and with a bad model."""

from datetime import date
from importlib import import_module

import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner

from include.cli import app
from include.datasets.churn import CHURN_MODEL
from include.datasets.computed import CUSTOMER_SUMMARY
from include.datasets.features import CUSTOMER_FEATURES
from include.datasets.value import VALUE_MODEL
from include.handoff import HandoffError
from include.models import artefact
from include.models.churn import baselines
from include.models.ltv import prediction as ltv_prediction
from include.models.ltv import value_model as ltv_value_model
from include.run.firm import run_firm
from include.warehouse import migrate
from tests.run.modelled import (
    AFTER,
    ANCHOR,
    BEFORE,
    DECIDED,
    EARLIER,
    MODULES,
    SCORED,
    TRAINED,
    Installation,
    learn_noise,
    read,
    steps,
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory, module_warehouse_dsn):
    for heavy in ("sklearn.isotonic", "include.models.churn", "include.models.ltv"):
        import_module(heavy)  # the steps' processes are forked from this one and need not import it again
    home = tmp_path_factory.mktemp("models")
    migrate(module_warehouse_dsn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", module_warehouse_dsn)
        yield Installation(home, module_warehouse_dsn)


@pytest.fixture(scope="module")
def forth(installation):
    """A firm run day by day; the notes of each day."""
    installation.add("forth")
    return {day: run_firm("forth", day, steps()) for day in (BEFORE, AFTER)}


def test_every_scored_row_is_traced_to_a_model_its_cutoffs_and_its_parameters(installation, forth):
    for table, module in (("fact_customer_churn_risk", "churn"), ("fact_customer_ltv", "ltv")):
        ((rows, traced),) = installation.ask(
            f"select count(*), count(models.model_version) from analytics.{table} as fact "
            "join analytics.dim_firm using (firm_sk) "
            "left join control.models on models.firm_key = dim_firm.firm_key "
            f"and models.module = '{module}' and models.model_version = fact.model_version "
            "and models.anchor <= fact.as_of and cardinality(models.training_cutoffs) >= 1 "
            "and models.parameters <> '{}' and models.candidates <> '[]' and models.challenger is not null "
            "and models.artefact_sha256 ~ '^[0-9a-f]{64}$' and cardinality(models.made_from) >= 2"
        )
        assert rows == traced, (module, rows, traced)
        assert rows > 1000


def on_record(installation: Installation, fact: str, columns: str) -> tuple[list[tuple], dict]:
    """A snapshot's rows, and the parameters on record of the model that they name."""
    rows = installation.ask(
        f"select model_version, customer_id, {columns} from analytics.{fact} as fact "
        "join analytics.dim_firm using (firm_sk) join analytics.dim_customer using (firm_sk, customer_sk) "
        "where firm_key = 'forth' and fact.as_of = %s order by customer_id",
        AFTER,
    )
    (version,) = {row[0] for row in rows}
    ((module, anchor, cutoffs, settings, recorded, digest),) = installation.ask(
        "select module, anchor, training_cutoffs, settings, parameters, artefact_sha256 "
        "from control.models where firm_key = 'forth' and model_version = %s",
        version,
    )
    model = read("forth", CHURN_MODEL if module == "churn" else VALUE_MODEL, anchor)
    hashes = {row["part"]: row["sha256"] for row in model.to_pylist()}
    assert max(cutoffs) <= anchor <= AFTER
    assert artefact.digest(model) == digest
    assert recorded.get("trees", {}).get("sha256") == hashes.get("trees")  # they are long, and on file
    return [row[1:] for row in rows], {**recorded, "settings": settings, "anchor": anchor.isoformat()}


def test_every_customers_risk_follows_from_the_parameters_on_record(installation, forth):
    facts, recorded = on_record(installation, "fact_customer_churn_risk", "churn_probability")
    features = read("forth", CUSTOMER_FEATURES, AFTER).sort_by("customer_id")

    baseline = baselines.from_json(recorded["bgnbd"])
    found = baselines.probability(baseline, features, horizon_days=recorded["horizon_days"], is_raw=True)

    assert recorded["method"] == "bgnbd_uncalibrated"
    assert [row[0] for row in facts] == features["customer_id"].to_pylist()
    np.testing.assert_array_equal([row[1] for row in facts], found)


def test_every_customers_value_follows_from_the_parameters_on_record(installation, forth):
    spans = [f"predicted_clv_{span}" for span in ltv_prediction.SPANS]
    ends = ["predicted_clv_1_year_low", "predicted_clv_1_year_high"]
    columns = [*spans, *ends, "expected_spend_1_year", "probability_alive", "expected_orders_1_year"]
    facts, recorded = on_record(installation, "fact_customer_ltv", ", ".join(columns))
    summary = read("forth", CUSTOMER_SUMMARY, AFTER).sort_by("customer_id")

    model = ltv_value_model.from_parts({**recorded, "header": recorded})
    rate = recorded["settings"]["annual_discount_rate"]
    found = ltv_prediction.expected(summary, model, annual_discount_rate=rate, as_of=AFTER)

    assert recorded["method"] == "bgnbd"
    assert [row[0] for row in facts] == summary["customer_id"].to_pylist()
    money = [*found.values.values(), found.low, found.high, found.spend["1_year"]]
    expected = [*(np.round(amount, 4) for amount in money), found.alive, found.orders]
    for at, (name, numbers) in enumerate(zip(columns, expected, strict=True), start=1):
        stored = np.array([float(row[at]) for row in facts])
        np.testing.assert_allclose(stored, numbers, rtol=1e-12, atol=1.01e-4, err_msg=name)


def test_the_champion_of_value_is_asked_for_with_its_backtest(installation, forth):
    rows = installation.ask(
        "select models.method, value_backtest.measured from control.models "
        "join analytics.value_backtest using (anchor, model_version) "
        "where is_champion and metric = 'error' and candidate = models.method and is_standing"
    )

    assert rows
    assert all(0 < error < 5 for _, error in rows)


def test_the_gate_of_an_anchor_is_on_record_with_the_errors_compared(installation, forth):
    rows = installation.ask(
        "select module, contender_anchor, is_scoring, error, reason from control.model_gates "
        "where firm_key = 'forth' and anchor = %s order by 1, 2",
        ANCHOR,
    )

    assert [(module, anchor) for module, anchor, *_ in rows] == [
        ("churn", EARLIER), ("churn", ANCHOR), ("ltv", date(2025, 1, 1)), ("ltv", ANCHOR)
    ]  # fmt: skip
    for module in MODULES:
        earlier, new = (row for row in rows if row[0] == module)
        assert new[2] or new[3] > 1.05 * earlier[3]
        assert new[2] != earlier[2]
        assert f"{new[3]:.4f} against {earlier[3]:.4f}" in new[4]


def test_drift_of_the_features_and_of_the_score_is_on_record(installation, forth):
    rows = installation.ask(
        "select module, variable_name, is_score, psi, customers from control.model_drift "
        "join control.models using (firm_key, module, model_version) where as_of = %s",
        AFTER,
    )

    scores = {(module, name) for module, name, is_score, *_ in rows if is_score}
    assert scores == {("churn", "churn_probability"), ("ltv", "predicted_clv_1_year")}
    assert len(rows) > 15
    assert all(0 <= psi < 10 and customers > 500 for *_, psi, customers in rows)


def test_a_replay_in_any_order_with_a_rollback_in_place_gives_the_same_scores(installation, forth):
    """Its firms are its own: what ``forth`` holds is read by tests that run in any order."""
    for key in ("there", "back"):
        installation.add(key)
        for module in MODULES:
            installation.roll_back(key, module)

    for day in (AFTER, BEFORE):
        installation.run("there", day)
    notes = [installation.run("back", day) for day in (BEFORE, AFTER)]

    after = installation.scores("there", AFTER)
    assert {row[2][:16] for row in after} == {f"churn-{EARLIER}"}
    assert {row[4][:14] for row in after} == {f"ltv-{EARLIER}"}
    assert after != installation.scores("forth", AFTER)
    assert installation.scores("back", AFTER) == after
    unchanged = installation.scores("forth", BEFORE)
    assert [installation.scores(key, BEFORE) for key in ("there", "back")] == [unchanged, unchanged]
    assert "by a decision of ann" in notes[1]["fit_churn"]
    assert "by a decision" not in notes[0]["fit_churn"]
    assert "It called everybody a churner" in notes[1]["predict_ltv"]


def test_a_decision_is_never_changed_nor_forgotten(installation, forth):
    installation.add("kept")
    installation.roll_back("kept", "churn")

    for change in ("update control.model_decisions set why = 'x'", "delete from control.model_decisions"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            installation.ask(change)

    ((why,),) = installation.ask("select why from control.model_decisions where firm_key = 'kept'")
    assert why == "It called everybody a churner."


def test_a_worse_model_is_not_promoted_and_the_earlier_one_keeps_scoring(installation, forth):
    installation.add("noisy")
    installation.run("noisy", AFTER, only=TRAINED)
    learn_noise(installation, "noisy")

    notes = installation.run("noisy", AFTER, only=SCORED)

    versions = installation.ask(
        "select distinct model_version from analytics.fact_customer_churn_risk "
        "join analytics.dim_firm using (firm_sk) where firm_key = 'noisy'"
    )
    ((is_sufficient, reason),) = installation.ask(
        "select is_sufficient, reason from control.module_status "
        "where firm_key = 'noisy' and module = 'churn'"
    )
    ((promotion_reason, error, baseline),) = installation.ask(
        "select new.reason, new.error, earlier.error from control.model_gates as new "
        "join control.model_gates as earlier using (firm_key, module, anchor) "
        "where new.contender_anchor = %s and earlier.contender_anchor = %s and firm_key = 'noisy'",
        ANCHOR,
        EARLIER,
    )
    assert [version[:16] for (version,) in versions] == [f"churn-{EARLIER}"]
    assert is_sufficient
    assert error > 1.05 * baseline
    sentence = f"the model of {ANCHOR} is not promoted (Brier score {error:.4f} against {baseline:.4f}"
    assert sentence in promotion_reason
    assert sentence in reason
    assert sentence in notes["fit_churn"]
    assert sentence in notes["predict_churn"]


def test_a_model_that_is_not_there_is_named_with_the_step_that_makes_it(installation, forth):
    installation.add("lacking")
    installation.run("lacking", AFTER, only=[name for name in TRAINED if name != "churn_training"])

    with pytest.raises(HandoffError, match=r"lacking/churn_model/as_of=2025-07-01.*fit_churn"):
        installation.run("lacking", AFTER, only=["predict_churn"])


def test_a_person_lists_models_and_rolls_one_back_with_a_reason(installation, forth):
    installation.add("told")
    installation.ask(
        "insert into control.models select (jsonb_populate_record(null::control.models, to_jsonb(models) || "
        "jsonb_build_object('firm_key', 'told'))).* from control.models where firm_key = 'forth' returning 1"
    )
    command = ["models", "rollback", "told", "churn", "--from", "2025-07-08", "--why"]

    silent = CliRunner().invoke(app, [*command, " "])
    done = CliRunner().invoke(app, [*command, "too many alarms"])
    twice = CliRunner().invoke(app, [*command, "still too many"])
    shown = CliRunner().invoke(app, ["models", "list", "told"], env={"COLUMNS": "250"})

    assert silent.exit_code == 2
    assert "--why is empty" in silent.output
    assert done.exit_code == 0, done.output
    assert f"the churn model of {EARLIER}" in done.output
    assert "python -m include run told --as-of 2025-07-08 --from churn_training" in " ".join(
        done.output.split()
    )
    assert twice.exit_code == 2
    assert f"no model before {EARLIER}" in " ".join(twice.output.split())
    assert "too many alarms" in " ".join(shown.output.split())
    assert installation.ask(
        "select module, replaces_anchor, from_as_of, anchor, why from control.model_decisions "
        "where firm_key = 'told'"
    ) == [("churn", ANCHOR, DECIDED, EARLIER, "too many alarms")]
