"""Which model scores: a simulated firm, really run, in any order, with decisions and with a bad model."""

from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from include.cli import app
from include.datasets.churn import CHURN_MODEL, CHURN_RISK, CHURN_TRAINING
from include.datasets.value import LTV, VALUE_MODEL
from include.firms import parse_firm
from include.handoff import Handoff, HandoffError, Slot
from include.run import WRITERS, run_step
from include.run.context import SettingsUsed
from include.run.firm import run_firm
from include.settings import Settings
from include.simulator import Plan, write_csv
from include.steps import steps_for
from include.warehouse import Warehouse, migrate

ANCHOR, EARLIER = date(2025, 7, 1), date(2025, 4, 1)
BEFORE, DECIDED, AFTER = date(2025, 7, 4), date(2025, 7, 8), date(2025, 7, 11)
PLAN = Plan(
    customers=600,
    start=date(2024, 6, 15),
    end=date(2025, 7, 15),
    seed=11,
    counts=(1.1, 4.0, 0.6, 9.0),
    lines_per_order=1.0,
    products=20,
)
MODULES = ("churn", "ltv")
SOURCES = ("extract_transactions", "extract_products", "extract_loyalty_movements")
TRAINED = (*SOURCES, "customer_days", "customer_features", "churn_training")
SCORED = ("fit_churn", "predict_churn", "load_churn_models", "load_fact_customer_churn_risk")
DAY = timedelta(days=1)


def steps(only=()):
    """The steps between a firm's sales and its scores, or those named."""
    needed = (CHURN_RISK.name, LTV.name, CHURN_MODEL.name, VALUE_MODEL.name)
    found = [
        step
        for step in steps_for(MODULES)
        if step.name in SOURCES
        or step.kind in ("query", "features", "sample", "fit", "predict")
        or (step.kind == "load" and step.reads[0].name in needed)
    ]
    return tuple(step for step in found if not only or step.name in only)


class Installation:
    """A warehouse and firms that sell what one simulated firm sells."""

    def __init__(self, home: Path, dsn: str) -> None:
        self.sales = home / "sales"
        self.dsn = dsn
        write_csv(PLAN, self.sales)

    def add(self, key: str, modules=MODULES) -> None:
        row = {
            "firm_key": key,
            "name": key.title(),
            "source": {
                "kind": "csv",
                "uri": self.sales.as_uri(),
                "layout": "mapped",
                "mapping": {"zone": "UTC"},
            },
            "timezone": "UTC",
            "currency": "EUR",
            "working_day_period": 1,
            "churn_threshold_days": 30,
            "modules": list(modules),
            "churn": {"min_customers": 200, "min_events": 20, "most_cutoffs": 3},
            "ltv": {"min_customers": 200, "min_repeat_buyers": 50},
        }  # fmt: skip
        with Warehouse(self.dsn) as warehouse:
            warehouse.save_firm(parse_firm(row), actor="test")

    def run(self, key: str, as_of: date, *, only=()) -> dict[str, str]:
        """Run steps in this process, as a replay may: those that are needed, or some of them."""
        return {step.name: run_step(step, key, as_of).note for step in steps(only)}

    def ask(self, query: str, *params: object) -> list[tuple]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, params).fetchall()

    def scores(self, key: str, as_of: date) -> list[tuple]:
        """Every customer's risk and value at a snapshot, and the models that said so."""
        return self.ask(
            "select customer_id, risk.churn_probability, risk.model_version, value.predicted_clv_1_year, "
            "value.model_version from analytics.fact_customer_churn_risk as risk "
            "join analytics.fact_customer_ltv as value using (firm_sk, as_of, customer_sk) "
            "join analytics.dim_customer using (firm_sk, customer_sk) "
            "join analytics.dim_firm using (firm_sk) where firm_key = %s and risk.as_of = %s order by 1",
            key,
            as_of,
        )

    def roll_back(self, key: str, module: str) -> None:
        with Warehouse(self.dsn) as warehouse:
            warehouse.decide(
                key, module, replaces_anchor=ANCHOR, from_as_of=DECIDED, anchor=EARLIER,
                decided_by="ann", why="It called everybody a churner.",
            )  # fmt: skip


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
        assert new[2] == (new[3] <= 1.05 * earlier[3])
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
    before, unchanged = installation.scores("forth", AFTER), installation.scores("forth", BEFORE)
    installation.add("back")
    for key in ("forth", "back"):
        for module in MODULES:
            installation.roll_back(key, module)

    for day in (AFTER, BEFORE):
        installation.run("forth", day)
    notes = [installation.run("back", day) for day in (BEFORE, AFTER)]

    after = installation.scores("forth", AFTER)
    assert {row[2][:16] for row in after} == {f"churn-{EARLIER}"}
    assert {row[4][:14] for row in after} == {f"ltv-{EARLIER}"}
    assert after != before
    assert installation.scores("forth", BEFORE) == unchanged
    assert installation.scores("back", AFTER) == after
    assert installation.scores("back", BEFORE) == unchanged
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
    ((verdict, error, rival),) = installation.ask(
        "select new.reason, new.error, earlier.error from control.model_gates as new "
        "join control.model_gates as earlier using (firm_key, module, anchor) "
        "where new.contender_anchor = %s and earlier.contender_anchor = %s and firm_key = 'noisy'",
        ANCHOR,
        EARLIER,
    )
    assert [version[:16] for (version,) in versions] == [f"churn-{EARLIER}"]
    assert is_sufficient
    assert error > 1.05 * rival
    said = f"the model of {ANCHOR} is not promoted (Brier score {error:.4f} against {rival:.4f}"
    assert said in verdict
    assert said in reason
    assert said in notes["fit_churn"]
    assert said in notes["predict_churn"]


def learn_noise(installation: Installation, key: str) -> None:
    """Replace an anchor's training rows with ``noise``, as a source that fell ill for a month would."""
    settings = Settings.read()
    with TemporaryDirectory() as scratch, Warehouse(installation.dsn) as warehouse:
        handoff = Handoff(settings.root, scratch=Path(scratch), writers=WRITERS)
        slot = Slot(key, CHURN_TRAINING, ANCHOR)
        manifest = handoff.manifest(slot)
        noisy = noise(pa.Table.from_batches(handoff.read(slot, expected=manifest)))
        token = warehouse.draw_token(key, "churn_training", "noise")
        references = [SettingsUsed(reference) for reference in manifest.made_from]
        handoff.write(slot, noisy.to_batches(), token=token, as_of=AFTER, made_from=references)


def noise(rows: pa.Table) -> pa.Table:
    """The window that probabilities are calibrated on says nothing; the evaluation window stays as it is.

    The sentinel must live: it compares windows one horizon apart, so the shuffled one lies a day off, and an
    honest pair is put before.
    """
    honest = rows.filter(pc.invert(rows["is_blind"]))
    first, second, last = sorted(pc.unique(rows["cutoff"]).to_pylist())
    windows = {cutoff: honest.filter(pc.equal(honest["cutoff"], cutoff)) for cutoff in (first, second, last)}
    labels = windows[second]["is_churned"].to_numpy()
    shuffled = pa.array(np.random.default_rng(3).permutation(labels))
    of = windows[second].schema.get_field_index("is_churned")
    found = [
        moved(windows[second], first - timedelta(days=90)),
        moved(windows[last], first - timedelta(days=60)),
        windows[first],
        moved(windows[second].set_column(of, CHURN_TRAINING.schema.field(of), shuffled), second + DAY),
        rows.filter(pc.equal(rows["cutoff"], last)),
    ]
    return pa.concat_tables([table.cast(CHURN_TRAINING.schema) for table in found]).combine_chunks()


def moved(rows: pa.Table, cutoff: date) -> pa.Table:
    of = rows.schema.get_field_index("cutoff")
    return rows.set_column(
        of, rows.schema.field(of), pa.repeat(pa.scalar(cutoff, pa.date32()), rows.num_rows)
    )


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

    assert silent.exit_code == 1
    assert "--why is empty" in silent.output
    assert done.exit_code == 0, done.output
    assert f"the churn model of {EARLIER}" in done.output
    assert "python -m include run told --as-of 2025-07-08 --from churn_training" in " ".join(
        done.output.split()
    )
    assert twice.exit_code == 1
    assert f"no model before {EARLIER}" in " ".join(twice.output.split())
    assert "too many alarms" in " ".join(shown.output.split())
    assert installation.ask(
        "select module, replaces_anchor, from_as_of, anchor, why from control.model_decisions "
        "where firm_key = 'told'"
    ) == [("churn", ANCHOR, DECIDED, EARLIER, "too many alarms")]
