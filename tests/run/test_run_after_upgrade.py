"""What 6ebb6e7 computed is used after an upgrade, and a model is trained again only for its own settings."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib import import_module

import psycopg
import pyarrow as pa
import pytest
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from include import sql_text
from include.datasets import catalogue
from include.datasets.insight import FIRM_METRICS
from include.engines.duckdb import DuckDb
from include.firms import Churn, Firm, Ltv, Rfm, parse_firm
from include.handoff import Handoff, Slot
from include.modules import TRAINED
from include.run import WRITERS, run_step
from include.run.context import QUERY_SETTINGS
from include.slices import Slice
from include.steps import STEPS, steps_for
from include.warehouse import Warehouse, migrate
from tests.warehouse.old_warehouse import AS_OF, FIRMS, restore, unpack
from tools.facts_hash import compare, hash_warehouse

LATEST = AS_OF[-1]
TRAINING = ("churn_training", "fit_churn", "value_histories", "fit_ltv")
ANCHORS = {"north": date(2025, 10, 1), "south": date(2025, 7, 1)}


class Installation:
    """The restored installation, under today's code."""

    def __init__(self, dsn: str, home) -> None:
        self.dsn = dsn
        self.handoff = Handoff((home / "handoffs").as_uri(), scratch=home / "scratch", writers=WRITERS)

    def firm(self, key: str) -> Firm:
        with Warehouse(self.dsn) as warehouse:
            return parse_firm(warehouse.firms.firm_row(key))

    def run(self, key: str, as_of: date, only: tuple[str, ...] = ()) -> dict[str, str]:
        steps = steps_for(self.firm(key).modules)
        return {s.name: run_step(s, key, as_of).note for s in steps if not only or s.name in only}

    def change(self, key: str, column: str, name: str, value: object) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                f"update control.firms set {column} = coalesce({column}, '{{}}') || %s where firm_key = %s",
                [Jsonb({name: value}), key],
            )


@pytest.fixture
def old(tmp_path, warehouse_dsn, migrated, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", warehouse_dsn)
    monkeypatch.delenv("FIRMAMENT_FAULT", raising=False)
    (tmp_path / "scratch").mkdir()
    restore(warehouse_dsn)
    unpack(warehouse_dsn, tmp_path)
    migrate(warehouse_dsn)
    return Installation(warehouse_dsn, tmp_path)


def retrained(notes: Mapping[str, str]) -> set[str]:
    """The training steps that computed anything."""
    return {name for name in TRAINING if "current" not in notes[name].partition(";")[0]}


@pytest.mark.parametrize("key", FIRMS)
def test_the_frozen_formula_gives_the_reference_that_old_manifests_carry(old, key):
    firm = old.firm(key)

    for training in TRAINED.values():
        for name in (training.rows, training.model):
            manifest = old.handoff.manifest(Slot(key, catalogue()[name], Slice(ANCHORS[key])))
            assert firm.first_settings_reference in manifest.made_from


def test_a_new_field_at_its_default_changes_no_reference():
    class NewLtv(Ltv):
        vip_percentile: int = 80

    class NewChurn(Churn):
        shadow: bool = False

    class NewRfm(Rfm):
        bins: int = 5

    class NewFirm(Firm):
        hemisphere: str = "north"
        ltv: NewLtv = NewLtv()
        churn: NewChurn = NewChurn()
        rfm: NewRfm = NewRfm()

    row = {
        "firm_key": "acme", "name": "Acme", "source": {"kind": "csv", "uri": "file:///x"}, "timezone": "UTC",
        "currency": "EUR", "working_day_period": 1, "churn_threshold_days": 30,
    }  # fmt: skip
    before, after = Firm.model_validate(row), NewFirm.model_validate(row)

    assert after.first_settings_reference == before.first_settings_reference
    for training in TRAINED.values():
        assert training.fingerprint(after, training.model) == training.fingerprint(before, training.model)


def test_the_day_after_an_upgrade_reads_no_closed_month_trains_nothing_and_keeps_old_snapshots(old):
    before = hash_warehouse(old.dsn)

    notes = old.run("north", LATEST + timedelta(days=1))

    assert retrained(notes) == set()
    assert notes["extract_transactions"].startswith("read 2 of 23 months")  # the lookback window is 35 days
    # What a later run brings up to date: sales and members that the new day adds, and what scores matured.
    kept = ("fact_customer_rfm", "fact_customer_churn_risk", "fact_customer_ltv", "fact_action")
    after = hash_warehouse(old.dsn, like=before)
    for facts in (before, after):
        facts["firms"] = {key: facts["firms"][key] for key in FIRMS}
        for tables in facts["firms"].values():
            for table in kept:
                tables[table]["slices"] = {
                    as_of: rows for as_of, rows in tables[table]["slices"].items() if as_of <= str(LATEST)
                }
        facts["firms"]["north"] = {table: facts["firms"]["north"][table] for table in kept}
    assert compare(before, after) == []


def test_a_step_reads_what_was_written_under_an_earlier_contract(old):
    before = hash_warehouse(old.dsn)
    manifest = old.handoff.manifest(Slot("north", FIRM_METRICS, Slice(LATEST)))
    assert manifest.fingerprint != FIRM_METRICS.fingerprint

    old.run("north", LATEST, only=("firm_insight", "load_fact_firm_metric", "load_fact_firm_insight"))

    assert old.handoff.manifest(Slot("north", FIRM_METRICS, Slice(LATEST))) == manifest
    after = hash_warehouse(old.dsn, like=before)
    assert after["firms"]["north"].pop("fact_firm_insight")["slices"][str(LATEST)]["rows"] > 0
    del before["firms"]["north"]["fact_firm_insight"]  # other sentences by design: docs/changed-facts.md
    assert compare(before, after) == []


@pytest.mark.parametrize(
    ("column", "name", "value", "wanted"),
    [
        ("ltv", "margin_share", 0.25, {"fit_ltv"}),
        ("churn", "most_cutoffs", 8, {"churn_training", "fit_churn"}),
    ],
)
def test_a_changed_setting_trains_exactly_its_model_again(old, column, name, value, wanted):
    # Under the first formula any change trains everything, once; from then on each model has its own.
    old.change("south", "rfm", "new_days", 29)
    assert retrained(old.run("south", LATEST, only=TRAINING)) == set(TRAINING)
    old.change("south", "rfm", "new_days", 28)
    assert retrained(old.run("south", LATEST, only=TRAINING)) == set()

    old.change("south", column, name, value)

    assert retrained(old.run("south", LATEST, only=TRAINING)) == wanted
    assert retrained(old.run("south", LATEST, only=TRAINING)) == set()


class Recorder:
    """A firm, or a part of it, that notes the dotted name of every setting that is read.

    It has no ``__dict__`` to be read whole, and a method of a part is noted by its own name.
    """

    __slots__ = ("_of", "_prefix", "_seen")

    def __init__(self, of: object, seen: set[str], prefix: str = "") -> None:
        self._of, self._seen, self._prefix = of, seen, prefix

    def __getattr__(self, name: str) -> object:
        value = getattr(self._of, name)
        if isinstance(value, BaseModel):
            return Recorder(value, self._seen, f"{self._prefix}{name}.")
        self._seen.add(f"{self._prefix}{name}")
        return value


class RecordingEngine(DuckDb):
    """An engine that notes the settings that queries ask for."""

    seen: set[str]

    def query(self, sql, inputs, params) -> Iterator:
        self._note(sql)
        return super().query(sql, inputs, params)

    def table(self, sql, inputs, params) -> pa.Table:
        self._note(sql)
        return super().table(sql, inputs, params)

    def _note(self, sql: str) -> None:
        self.seen |= {QUERY_SETTINGS[name] for name in sql_text.parameters(sql) if name in QUERY_SETTINGS}


def read_by(old: Installation, key: str, module: str, scratch) -> tuple[set[str], set[str]]:
    """The settings read while a module's training rows are made, and while its model is fitted."""
    training, firm, seen_rows, seen_fit = TRAINED[module], old.firm(key), set(), set()
    (step,) = [step for step in STEPS if step.writes and step.writes.name == training.rows]
    written = {other.writes.name: other.module for other in STEPS if other.writes}
    files = {
        dataset: [
            path for slot in old.handoff.slots(key, dataset, LATEST) for path in old.handoff.fetch(slot)[1]
        ]
        if written[dataset.name] in (None, *firm.modules)
        else []
        for dataset in step.reads
    }
    engine = RecordingEngine(memory_mb=512, threads=1, scratch=scratch)
    engine.seen = seen_rows
    params = dict.fromkeys(QUERY_SETTINGS, 30) | {"timezone": "UTC", "as_of": LATEST}
    rows = import_module(f"include.training.{module}").stack(
        engine, files, anchor=ANCHORS[key], firm=Recorder(firm, seen_rows), params=params, scratch=scratch
    )
    table = pa.Table.from_batches(list(rows), schema=catalogue()[training.rows].schema)
    model = import_module(f"include.models.{module}")
    model.fit(table, firm=Recorder(firm, seen_fit), as_of=ANCHORS[key])
    return seen_rows, seen_fit


@pytest.mark.parametrize("module", TRAINED)
def test_training_reads_the_settings_it_declares_and_no_others(old, module, tmp_path):
    training = TRAINED[module]
    rows, fit = set(), set()
    for key in FIRMS:  # one has data enough for a model, the other falls back to rules
        seen_rows, seen_fit = read_by(old, key, module, tmp_path / "scratch" / key)
        rows |= seen_rows
        fit |= seen_fit

    assert rows <= set(training.rows_settings), "declare it in rows_settings of include/modules.py"
    assert fit <= {*training.rows_settings, *training.fit_settings}, "declare it in fit_settings"
    # Time zones and thresholds count at second hand: days of the sales are days of the firm's time zone.
    assert {*training.rows_settings, *training.fit_settings} - rows - fit <= {"timezone"}
