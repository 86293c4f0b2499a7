"""Tables, loads and models agree with the contract: columns, types, comments, what is inserted."""

from collections.abc import Mapping
from types import ModuleType

import psycopg
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from include.datasets import Dataset
from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_MODEL
from include.datasets.computed import RFM, SEGMENTS
from include.datasets.contract import COUNT, TEXT, column
from include.datasets.insight import FIRM_INSIGHT
from include.datasets.value import VALUE_MODEL
from include.models import actions, artefact, segments
from include.models.insight import model as insight
from include.steps import STEPS
from include.warehouse.load_text import LoadTextError, load_text, with_columns

LOADED: Mapping[str, Dataset] = {
    step.table: step.reads[0]
    for step in STEPS
    if step.kind_name == "load" and step.table.startswith(("fact_", "dim_")) and step.table != "dim_campaign"
}  # dim_campaign: its dataset, directory, is three tables under other names
KEY = "looked up: the table has the surrogate key"
CONTACT = "in pii.customer_contact"
ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("dim_customer", "full_name"): CONTACT,
    ("dim_customer", "email"): CONTACT,
    ("dim_customer", "phone"): CONTACT,
    ("dim_customer", "birth_date"): CONTACT,
    ("dim_customer_segment", "cells"): "the table calls it segment_criteria",
    ("dim_customer_segment", "parent_segment"): KEY,
    ("fact_action", "customer_id"): KEY,
    ("fact_assignment", "campaign_id"): KEY,
    ("fact_assignment", "customer_id"): KEY,
    ("fact_customer_acquisition", "campaign_id"): KEY,
    ("fact_customer_acquisition", "channel_code"): KEY,
    ("fact_customer_acquisition", "customer_id"): KEY,
    ("fact_customer_acquisition", "referrer_customer_id"): KEY,
    ("fact_customer_churn_risk", "customer_id"): KEY,
    ("fact_customer_ltv", "customer_id"): KEY,
    ("fact_customer_ltv", "tier_code"): KEY,
    ("fact_customer_ltv", "tier_level"): "dim_customer_tier has it",
    ("fact_customer_next_product", "because_product_id"): KEY,
    ("fact_customer_next_product", "customer_id"): KEY,
    ("fact_customer_next_product", "product_id"): KEY,
    ("fact_customer_rfm", "customer_id"): KEY,
    ("fact_customer_rfm", "segment_code"): KEY,
    ("fact_interaction", "campaign_id"): KEY,
    ("fact_interaction", "channel_code"): KEY,
    ("fact_interaction", "customer_id"): KEY,
    ("fact_loyalty_movement", "customer_id"): KEY,
    ("fact_loyalty_movement", "programme_id"): KEY,
    ("fact_sales", "customer_id"): KEY,
    ("fact_sales", "product_id"): KEY,
}
"""Contract columns that their table does not have under that name, and why."""
COMMENTED_IN_SQL = {
    ("dim_customer_segment", "usual_gap_days"),
    ("dim_customer_segment", "min_orders"),
    ("dim_customer_segment", "next_segment"),
    ("fact_sales", "quantity"),
    ("fact_sales", "gross_amount"),
    ("fact_sales", "discount_amount"),
    ("fact_sales", "net_amount"),
    ("fact_sales", "margin_amount"),  # of a return they are negative in the warehouse
    ("fact_customer_churn_risk", "model_version"),
    ("fact_firm_insight", "cited_metrics"),
}
"""Columns that mean more in the warehouse than in the contract; their file of sql/schema has the comment."""
DEFAULTED = {
    ("dim_customer", "is_anonymous"),
    ("dim_product", "is_unknown"),
}
"""Columns that no load names: their default is right for every row of a load."""
TYPES = {
    "string": {"text", "jsonb"},
    "int8": {"smallint"},
    "int16": {"smallint"},
    "int32": {"integer"},
    "int64": {"bigint"},
    "double": {"double precision"},
    "bool": {"boolean"},
    "date32[day]": {"date"},
    "timestamp[us, tz=UTC]": {"timestamp with time zone"},
    "decimal128(18, 4)": {"numeric(18,4)"},
    "decimal128(38, 4)": {"numeric(38,4)"},
}


@pytest.fixture(scope="module")
def tables(module_migrated_dsn) -> dict[str, dict[str, psycopg.rows.Row]]:
    """Columns of each table: type, whether null is refused, comment, whether the server fills it."""
    with psycopg.connect(module_migrated_dsn, row_factory=psycopg.rows.namedtuple_row) as connection:
        found = connection.execute(
            "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as kind, a.attnotnull, "
            "col_description(c.oid, a.attnum) as comment, "
            "a.attidentity <> '' or a.attgenerated <> '' as filled "
            "from pg_attribute a join pg_class c on c.oid = a.attrelid "
            "where c.relnamespace = 'analytics'::regnamespace and a.attnum > 0 and not a.attisdropped"
        ).fetchall()
    columns: dict[str, dict] = {}
    for row in found:
        columns.setdefault(row.relname, {})[row.attname] = row
    return columns


def faults_of_columns(table: str, dataset: Dataset, columns: Mapping) -> list[str]:
    """How the table's columns differ from the contract's, each with what to write where."""
    faults = []
    for field in dataset.schema:
        name, of = field.name, f"analytics.{table}.{field.name}"
        kinds = TYPES[str(field.type)]
        if (table, name) in ELSEWHERE:
            continue
        if name not in columns:
            faults.append(
                f"{of} does not exist, but {dataset.name} has the column: add a file to include/sql/schema "
                f"with 'alter table analytics.{table} add column {name} {min(kinds)}'"
            )
            continue
        found = columns[name]
        if found.kind not in kinds:
            faults.append(f"{of} is {found.kind}; the contract of {dataset.name} says {field.type}")
        if found.attnotnull and field.nullable:
            faults.append(f"{of} refuses null, which the contract of {dataset.name} allows")
        if (found.comment == dataset.about_column(name)) == ((table, name) in COMMENTED_IN_SQL):
            faults.append(
                f"{of} has the comment {found.comment!r}; the contract: {dataset.about_column(name)!r}"
            )
    return faults


def inserted(text: str, table: str) -> tuple[list[str], list[str], set[str]]:
    """The columns of the load's insert into the table, the names its select gives, and what updates set."""
    parsed = sqlglot.parse(text, read="postgres")
    (insert,) = [row for row in parsed if isinstance(row, exp.Insert) and row.this.this.name == table]
    updates = [row for row in parsed if isinstance(row, exp.Update) and row.this.name == table]
    updated = {pair.this.name for update in updates for pair in update.expressions}
    return [name.name for name in insert.this.expressions], insert.expression.named_selects, updated


@pytest.mark.parametrize("table", LOADED)
def test_a_loaded_table_has_the_contracts_columns_types_and_comments(tables, table):
    assert table in tables, f"analytics.{table} does not exist: create it in a file of include/sql/schema/"
    assert faults_of_columns(table, LOADED[table], tables[table]) == []


@pytest.mark.parametrize("table", LOADED)
def test_a_load_writes_every_column_under_its_own_name(tables, table):
    dataset = LOADED[table]
    into, given, updated = inserted(load_text(table, dataset), table)
    other = {name for name, row in tables[table].items() if row.filled} | {
        n for t, n in DEFAULTED if t == table
    }

    lost = [n for n in dataset.schema.names if (table, n) not in ELSEWHERE and n not in {*into, *updated}]
    empty = sorted(set(tables[table]) - other - updated - set(into))

    assert into == given, "the insert's columns and its select must have the same names in the same order"
    assert lost == [], f"include/sql/load/{table}.sql does not load these columns of {dataset.name}"
    assert empty == [], f"include/sql/load/{table}.sql fills none of these columns"


def test_the_stated_exceptions_are_of_columns_that_exist(tables):
    for table, name in ELSEWHERE:
        assert name in LOADED[table].schema.names
        assert name not in tables[table], f"{table}.{name} is loaded: remove it from ELSEWHERE"
    for table, name in (*COMMENTED_IN_SQL, *DEFAULTED):
        assert name in tables[table]


def test_each_forgotten_part_of_a_new_column_is_named(tables):
    wider = Dataset(
        "rfm", "", RFM.grain, RFM.schema.append(column("sale_days", COUNT, "Days.", required=True))
    )
    other = Dataset("rfm", "", RFM.grain, pa.schema([column("rfm_score", COUNT, "Other.")]))

    found = faults_of_columns("fact_customer_rfm", wider, tables["fact_customer_rfm"])
    assert [fault for fault in found if "sale_days" in fault] == [
        "analytics.fact_customer_rfm.sale_days does not exist, but rfm has the column: add a file to "
        "include/sql/schema with 'alter table analytics.fact_customer_rfm add column sale_days bigint'"
    ]
    assert faults_of_columns("fact_customer_rfm", other, tables["fact_customer_rfm"]) == [
        "analytics.fact_customer_rfm.rfm_score is text; the contract of rfm says int64",
        "analytics.fact_customer_rfm.rfm_score has the comment 'The three scores, R F M, as text: '555'.'; "
        "the contract: 'Other.'".replace(
            "'The three scores, R F M, as text: '555'.'", repr(RFM.about_column("rfm_score"))
        ),
    ]
    assert "stg_rfm.sale_days" in load_text("fact_customer_rfm", wider)


THING = Dataset("things", "", ("a",), pa.schema([column(n, TEXT, "") for n in ("a", "b", "c")]))
LOAD = (
    "insert into t (\n    x\n    /*, every column of things but a */\n)\nselect\n    1 as x\n"
    "    /*, the same columns of stg_things */\nfrom pg_temp.stg_things"
)


def test_the_comments_of_a_load_are_replaced_by_the_contracts_columns():
    assert with_columns(LOAD, THING, "x.sql") == (
        "insert into t (\n    x,\n    b,\n    c\n)\nselect\n    1 as x,\n    stg_things.b,\n"
        "    stg_things.c\nfrom pg_temp.stg_things"
    )
    assert ",\n    a,\n    b,\n    c\n)" in with_columns(LOAD.replace(" but a", ""), THING, "x.sql")
    assert with_columns("select 1", THING, "x.sql") == "select 1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LOAD.replace("but a", "but a, z"), r"x.sql: things has no columns \['z'\]"),
        (LOAD.replace("stg_things */", "stg_other */"), "the same columns of stg_things"),
        (LOAD.replace("of things", "of others"), "every column of things but"),
        (LOAD.replace("    /*, the same columns of stg_things */\n", ""), "once each"),
    ],
    ids=["unknown column", "other staging table", "other dataset", "no select"],
)
def test_comments_that_do_not_fit_the_dataset_are_refused(text, says):
    with pytest.raises(LoadTextError, match=says):
        with_columns(text, THING, "x.sql")


@pytest.mark.parametrize(
    ("module", "dataset"),
    [
        (actions, ACTIONS),
        (artefact, CHURN_MODEL),
        (artefact, VALUE_MODEL),
        (insight, FIRM_INSIGHT),
        (segments, SEGMENTS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_models_output_has_the_contracts_columns_and_types(module: ModuleType, dataset: Dataset):
    schema = pa.schema(list(module._SCHEMA.items())) if isinstance(module._SCHEMA, dict) else module._SCHEMA
    change = f"change _SCHEMA of {module.__name__} with {dataset.name} in include/datasets/"

    assert sorted(schema.names) == sorted(dataset.schema.names), change
    for field in schema:
        kind = dataset.schema.field(field.name).type
        # A model may compute money as a double: the step that writes it casts to the contract's decimal.
        assert field.type == kind or (pa.types.is_floating(field.type) and pa.types.is_decimal(kind)), change
