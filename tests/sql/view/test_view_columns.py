"""A view's columns are written once: its function returns them by name, and the view adds firm and day."""

import re

import psycopg
import pytest
import sqlglot

from include import sql_text

OWN_COLUMNS = {"vw_analytic_customer", "vw_customer_360", "vw_segment_migration"}
"""Views that name their columns: they leave some of the function's out, or read more than it."""


@pytest.fixture(scope="module")
def functions(module_migrated_dsn) -> dict[str, tuple[list[str], str]]:
    """Of each function of mart: the columns that it returns, and its body."""
    with psycopg.connect(module_migrated_dsn) as connection:
        found = connection.execute(
            "select proname, array(select n from unnest(proargnames, proargmodes) as a (n, m) "
            "where m = 't'), prosrc from pg_proc join pg_language on pg_language.oid = prolang "
            "where pronamespace = 'mart'::regnamespace and lanname = 'sql'"
        ).fetchall()
    return {name: (columns, body) for name, columns, body in found if columns}


def misnamed(columns: list[str], body: str) -> list[tuple[str, str]]:
    """Pairs of a returned column and the column of the body's select in its place, where they differ."""
    selected = sqlglot.parse_one(body, read="postgres").named_selects
    return [pair for pair in zip(columns, selected, strict=True) if pair[0] != pair[1]]


def test_a_function_selects_what_it_returns_under_the_same_names(functions):
    differing = {name: misnamed(*found) for name, found in functions.items() if misnamed(*found)}

    assert len(functions) > 25
    assert differing == {}, "make 'returns table' and the select of these functions agree in name and order"


def test_a_column_in_another_place_is_named():
    body = "select a.one, 2 as two, count(*) as three from a"

    assert misnamed(["one", "two", "three"], body) == []
    assert misnamed(["two", "one", "three"], body) == [("two", "one"), ("one", "two")]


@pytest.mark.parametrize("name", sql_text.names("view"))
def test_a_view_of_one_function_names_no_column_of_it(name):
    text = sql_text.read("view", name)
    has_function = f"create or replace function mart.{name.removeprefix('vw_')}(" in text

    view = re.search(rf"create or replace view mart\.{name}\b.*?;", text, re.S)

    if has_function and name not in OWN_COLUMNS:
        select = re.search(r"\nselect\n(.*?)\nfrom ", view[0], re.S)[1]
        assert [line.strip().rstrip(",") for line in select.splitlines()][:2] == [
            "vw_latest_snapshot.firm_key",
            "vw_latest_snapshot.as_of",
        ]
        assert re.fullmatch(r"\w+\.\*", select.splitlines()[-1].strip()), "write alias.* in the view"
    else:
        assert view is None or ".*" not in view[0]
