"""SQL files, their parameters, and each driver's notation."""

import re
from pathlib import Path

import pytest

from include import sql_text

PROJECT = Path(__file__).parent.parent
HARD = """
-- a comment with :no and 100 %
/* a block with :no */
select 'a :no ''quoted'' :no' as text, "a :no" as name, :one::date as day, $$ :no $$ as body,
    $tag$ ' :no $$ $tag$ as tagged, x % 2 as rest, '10:30' as clock, :two, :one
"""


def test_parameters_are_named_once_in_order_and_none_is_seen_in_texts_comments_or_casts():
    assert sql_text.parameters(HARD) == ("one", "two")
    assert sql_text.parameters("select 1") == ()
    assert sql_text.parameters(":first and :second_2") == ("first", "second_2")


def test_each_driver_gets_its_notation_and_the_values_that_are_asked_for():
    sql = "select :b::int, :a, :b from things where '%:c' like '5%'"
    params = {"a": 1, "b": 2, "unused": 3}

    assert sql_text.for_psycopg(sql, params) == (
        "select %(b)s::int, %(a)s, %(b)s from things where '%%:c' like '5%%'",
        {"b": 2, "a": 1},
    )
    assert sql_text.for_adbc(sql, params) == (
        "select $1::int, $2, $1 from things where '%:c' like '5%'",
        (2, 1),
    )
    assert sql_text.for_duckdb(sql, params) == (
        "select $b::int, $a, $b from things where '%:c' like '5%'",
        {"b": 2, "a": 1},
    )
    assert sql_text.for_oracle(sql, params) == (sql, {"b": 2, "a": 1})


@pytest.mark.parametrize(
    "render", [sql_text.for_psycopg, sql_text.for_adbc, sql_text.for_duckdb, sql_text.for_oracle]
)
def test_a_parameter_without_a_value_is_named(render):
    message = r"parameters that have no value: \['lost'\]; there are \['a', 'b'\]"

    with pytest.raises(sql_text.MissingParameterError, match=message):
        render("select :a, :lost", {"b": 1, "a": 2})


def test_files_are_found_by_folder_and_name():
    assert "dim_customer" in sql_text.names("load")
    assert sql_text.names("extract", "oracle") == sorted(sql_text.names("extract", "oracle"))
    assert sql_text.exists("extract", "oracle", "customers")
    assert not sql_text.exists("extract", "oracle", "weather")
    assert "analytics.dim_customer" in sql_text.read("load", "dim_customer")


def test_no_other_module_looks_for_sql_files():
    own = PROJECT / "include" / "sql_text.py"
    files = [
        p for folder in ("include", "bench", "dags", "plugins") for p in (PROJECT / folder).rglob("*.py")
    ]
    locating = re.compile(r"""__file__.*"sql"|\.sql["']\)\.read_text|glob\("\*\.sql"\)""")

    found = [str(p.relative_to(PROJECT)) for p in files if p != own and locating.search(p.read_text())]

    assert locating.search(own.read_text())
    assert found == [], "use include/sql_text.py"
