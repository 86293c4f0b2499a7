"""Receipts: the SQL of every answer gives an analyst the same rows, with unit, loads, models and runs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from include import sql_text
from include.console.answers import as_json
from include.console.receipts import tables_of, unit_of
from include.warehouse.access import Access
from tests.console.conftest import as_console
from tests.console.test_api import paths
from tests.logins import Logins
from tests.sql.view.test_every_view import OLD

HIDDEN = {"sort_key"}  # of paging


@pytest.fixture(scope="module")
def logins(owner) -> Iterator[dict[str, str]]:
    """The warehouse's URL for an analyst of acme and for an operator."""
    made = Logins(owner)
    found = {}
    with Access(owner) as access:
        for role in ("analyst", "platform"):
            name = made.name(role)
            access.grant("acme" if role == "analyst" else "*", name, role, actor="test")
            found[role] = made.dsn_of(name)
    yield found
    made.drop()


def rerun(dsn: str, sql: str) -> list[dict]:
    """The rows of a statement as the API writes them."""
    with psycopg.connect(dsn, row_factory=dict_row, options="-c timezone=UTC") as connection:
        rows = connection.execute(sql).fetchall()
    found = json.loads(as_json(rows).body)
    return [{name: value for name, value in row.items() if name not in HIDDEN} for row in found]


def shown(body: object) -> list[dict]:
    """Every row of an answer, wherever it is."""
    if isinstance(body, list):
        return [row for one in body for row in shown(one)]
    if isinstance(body, dict):
        return [body, *(row for name, one in body.items() if name != "receipt" for row in shown(one))]
    return []


def test_every_answers_sql_gives_the_same_rows_to_the_login_that_it_names(ask, logins):
    """Each row of each answer is a row of its SQL; the role is that of an analyst where one may read it."""
    roles = {}
    for path in paths(ask):
        if "exports" in path or not path.startswith("firms/"):
            continue
        body = ask("ann", path, customer_id="ann", receipt=True).json()
        receipt = body["receipt"]

        answered = shown(body)
        for statement in receipt["statements"]:
            rows = rerun(logins[statement["role"]], statement["sql"])
            assert len(rows) == statement["row_count"], (path, statement["name"])
            assert [
                column["name"] for column in statement["columns"] if column["name"] not in HIDDEN
            ] == list(rows[0] if rows else []) or not rows
            for row in rows:
                if statement["name"] == "snapshots":
                    assert row["as_of"] in body["snapshots"]
                    continue
                if statement["name"] == "metrics" and row["metric"].endswith(("_low", "_high")):
                    continue  # the interval of another metric
                assert any(row.items() <= one.items() for one in answered), (path, statement["name"], row)
            roles.setdefault(statement["role"], set()).add(path.rpartition("firm_acme")[2])

    assert {"/segments", "/risk", "/tiers", "/customers", "/at-risk", "/actions"} <= roles["analyst"]
    assert roles["platform"] <= {
        "", "/runs", "/quality", "/models", "/modules", "/incidents", "/quality-history", "/pipeline",
    }  # fmt: skip


def test_the_list_of_firms_has_a_receipt_too(ask, logins):
    body = ask("ann", "firms", receipt=True).json()

    (statement,) = body["receipt"]["statements"]
    (row,) = rerun(logins["platform"], statement["sql"])
    (acme,) = body["firms"]
    assert row.items() <= acme.items()


def test_a_receipt_names_the_loads_the_models_and_the_meaning_of_columns(ask, console_dsn):
    receipt = ask("ann", "firms/firm_acme/risk", receipt=True).json()["receipt"]

    assert (receipt["firm_key"], receipt["as_of"]) == ("acme", OLD.isoformat())
    loads = {load["table_name"]: load for load in receipt["loads"]}
    query = (
        "select manifest_sha256 from control.loads "
        f"where table_name = 'fact_customer_churn_risk' and slice = '{OLD}'"
    )
    ((manifest,),) = as_console(console_dsn, "acme", query)
    assert loads["fact_customer_churn_risk"]["manifests"] == manifest
    assert {model["module"] for model in receipt["models"]} == {"churn", "ltv"}
    columns = {column["name"]: column for column in receipt["statements"][0]["columns"]}
    assert columns["category_spend_at_risk"]["unit"] == "money"
    assert columns["pct_of_customers"]["unit"] is None or columns["pct_of_customers"]["unit"] == "percent"
    assert all(column["meaning"] for column in columns.values())


def test_without_the_parameter_there_is_no_receipt(ask):
    assert "receipt" not in ask("ann", "firms/firm_acme/risk").json()
    assert ask("ann", "firms/firm_acme/risk", receipt="perhaps").status_code == 422
    assert ask("zoe", "firms/firm_acme/risk", receipt=True).status_code == 403


def test_the_tables_behind_a_function_are_found_through_other_views():
    assert "fact_sales" in tables_of(sql_text.read("console", "customer"))
    assert tables_of(sql_text.read("console", "segments")) >= {"fact_customer_rfm", "dim_firm"}
    assert "fact_sales" not in tables_of("-- analytics.fact_sales\nselect 1 from mart.no_such(1)")


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("total_revenue_365", "money"),
        ("churn_probability", "ratio"),
        ("order_effect_pct", "percent"),
        ("customer_count", None),
        ("value_tier", None),
        ("clv_segment", None),
        ("seconds", "seconds"),
    ],
)
def test_a_column_has_the_unit_of_the_glossary_or_of_its_name(column, unit):
    assert unit_of(column) == unit
