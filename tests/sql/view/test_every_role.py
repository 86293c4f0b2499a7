"""Every table, view and function of the warehouse, read as every role that can log in.

The objects come from the catalogue, so a new view or function is covered without a change here. ``may_read``
is the whole rule of access.
"""

from __future__ import annotations

import psycopg
import pytest

from tests.sql.view.roles import GRANTS, functions, relations, warehouse

__all__ = ["warehouse"]

CONTACTS = {("mart", "vw_outreach_contact"), ("pii", "customer_contact")}
OF_FIRMS = [("control", "module_status")]
OF_THE_OWNER = [("control", "access"), ("control", "erasure_salts")]


def may_read(who: str, schema: str, name: str) -> bool:
    """Whether a login may read a table or view."""
    if who == "login without a grant" or schema == "parts":
        return False
    if (schema, name) in CONTACTS:
        return who == "outreach"
    if schema == "control":
        in_books = (schema, name) not in OF_THE_OWNER
        return in_books if who == "platform" else (schema, name) in OF_FIRMS
    return True


def is_readable(connection: psycopg.Connection, query: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(query)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def shown(connection: psycopg.Connection, query: str) -> list:
    return sorted((row for (row,) in connection.execute(query)), key=repr)


@pytest.mark.parametrize("who", GRANTS)
def test_a_login_reads_the_tables_and_views_of_its_role_and_no_others(warehouse, who):
    found = relations(warehouse.owner)

    with psycopg.connect(warehouse.dsns[who], autocommit=True) as connection:
        readable = {
            (schema, name)
            for schema, name in found
            if is_readable(connection, f'select * from "{schema}"."{name}"')
        }

    assert len(found) > 60
    assert readable == {(schema, name) for schema, name in found if may_read(who, schema, name)}


@pytest.mark.parametrize("who", GRANTS)
def test_a_login_calls_every_function_that_reads_and_none_that_writes(warehouse, who):
    found = functions(warehouse.owner)

    with psycopg.connect(warehouse.dsns[who], autocommit=True) as connection:
        callable_ = {f.name for f in found if is_readable(connection, f"select * from {f.call}")}

    assert len(found) > 30
    is_let_in = who != "login without a grant"
    assert callable_ == {f.name for f in found if is_let_in and not f.is_writer}


@pytest.mark.parametrize(
    ("who", "firms"),
    [("analyst", ["acme"]), ("analyst of two firms", ["acme", "mode"]), ("platform", None)],
)
def test_a_login_sees_in_every_view_what_the_owner_sees_of_its_firms(warehouse, who, firms):
    views = [name for schema, name in relations(warehouse.owner) if schema == "mart"]
    views = [name for name in views if may_read(who, "mart", name)]
    query = "select to_jsonb(v) from mart.{} as v"

    with (
        psycopg.connect(warehouse.owner) as owner,
        psycopg.connect(warehouse.dsns[who], autocommit=True) as connection,
    ):
        expected = {
            name: [
                row for row in shown(owner, query.format(name)) if firms is None or row["firm_key"] in firms
            ]
            for name in views
        }
        seen = {name: shown(connection, query.format(name)) for name in views}

    assert [name for name, rows in expected.items() if not rows] == []
    assert seen == expected


@pytest.mark.parametrize("who", ["analyst", "analyst of two firms"])
def test_a_login_sees_in_every_function_what_the_owner_sees_of_its_firm(warehouse, who):
    found = [f for f in functions(warehouse.owner) if not f.is_writer]

    with (
        psycopg.connect(warehouse.owner) as owner,
        psycopg.connect(warehouse.dsns[who], autocommit=True) as connection,
    ):
        expected = {f.name: shown(owner, f"select to_jsonb(f) from {f.call} as f") for f in found}
        seen = {f.name: shown(connection, f"select to_jsonb(f) from {f.call} as f") for f in found}

    assert [name for name, rows in expected.items() if not rows] == []
    assert seen == expected
