"""A warehouse and firms that sell what one simulated firm sells, for the tests of which model scores."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from include.datasets import Dataset
from include.datasets.churn import CHURN_MODEL, CHURN_RISK, CHURN_TRAINING
from include.datasets.value import LTV, VALUE_MODEL
from include.firms import parse_firm
from include.handoff import Handoff, Slot
from include.run import WRITERS, run_step
from include.run.context import SettingsUsed
from include.settings import Settings
from include.simulator import Plan, write_csv
from include.slices import Slice
from include.steps import steps_for
from include.warehouse import Warehouse

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


def steps(only=()):
    """The steps between a firm's sales and its scores, or those named."""
    needed = (CHURN_RISK.name, LTV.name, CHURN_MODEL.name, VALUE_MODEL.name)
    found = [
        step
        for step in steps_for(MODULES)
        if step.name in SOURCES
        or step.kind_name in ("query", "features", "sample", "fit", "predict")
        or (step.kind_name == "load" and step.reads[0].name in needed)
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
            warehouse.firms.save_firm(parse_firm(row), actor="test")

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
            warehouse.records.models.decide(
                key, module, replaces_anchor=ANCHOR, from_as_of=DECIDED, anchor=EARLIER,
                decided_by="ann", why="It called everybody a churner.",
            )  # fmt: skip


def read(key: str, dataset: Dataset, day: date) -> pa.Table:
    """What a firm's dataset holds at a day."""
    with TemporaryDirectory() as scratch:
        handoff = Handoff(Settings.read().root, scratch=Path(scratch), writers=WRITERS)
        return pa.Table.from_batches(handoff.read(Slot(key, dataset, Slice(day))))


def learn_noise(installation: Installation, key: str) -> None:
    """Replace an anchor's training rows with ``noise``, as a source that fell ill for a month would."""
    settings = Settings.read()
    with TemporaryDirectory() as scratch, Warehouse(installation.dsn) as warehouse:
        handoff = Handoff(settings.root, scratch=Path(scratch), writers=WRITERS)
        slot = Slot(key, CHURN_TRAINING, Slice(ANCHOR))
        manifest = handoff.manifest(slot)
        noisy = noise(pa.Table.from_batches(handoff.read(slot, expected=manifest)))
        token = warehouse.runs.draw_token(key, "churn_training", "noise")
        references = [SettingsUsed(reference) for reference in manifest.made_from]
        handoff.write(slot, noisy.to_batches(), token=token, as_of=AFTER, made_from=references)


def noise(rows: pa.Table) -> pa.Table:
    """All windows that models learn from say nothing; the evaluation window stays as it is.

    The leakage checks must pass. They compare a label with the days since the last order at the next cutoff,
    so each window of noise lies further from it than any customer is silent, and an honest pair is put first.
    """
    honest = rows.filter(pc.invert(rows["is_blind"]))
    first, second, last = sorted(pc.unique(honest["cutoff"]).to_pylist())
    windows = {cutoff: honest.filter(pc.equal(honest["cutoff"], cutoff)) for cutoff in (first, second, last)}
    random = np.random.default_rng(3)
    labels = windows[second]["is_churned"].to_numpy()
    ill = []
    for copy in range(6, 0, -1):
        found = moved(windows[second], last - copy * timedelta(days=500))
        found = replaced(found, "is_churned", pa.array(random.permutation(labels)))
        for name in ("frequency", "recency_days"):  # as if each customer had bought once
            found = replaced(found, name, pa.array(np.zeros(len(labels), dtype=np.int64)))
        ill.append(found)
    parts = [
        moved(windows[first], last - timedelta(days=3530)),
        moved(windows[second], last - timedelta(days=3500)),
        *ill,
        rows.filter(pc.equal(rows["cutoff"], last)),
    ]
    return pa.concat_tables([table.cast(CHURN_TRAINING.schema) for table in parts]).combine_chunks()


def replaced(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    of = rows.schema.get_field_index(name)
    return rows.set_column(of, rows.schema.field(of), values.cast(rows.schema.field(of).type))


def moved(rows: pa.Table, cutoff: date) -> pa.Table:
    of = rows.schema.get_field_index("cutoff")
    return rows.set_column(
        of, rows.schema.field(of), pa.repeat(pa.scalar(cutoff, pa.date32()), rows.num_rows)
    )
