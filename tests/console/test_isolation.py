"""The console's login sees the firms of its transaction, and nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from include.console.problems import WarehouseDownError
from include.console.reader import Reader
from tests.console.conftest import as_console
from tests.logins import Logins
from tests.sql.view.roles import relations

EVERY = ["acme", "zeta"]
SHARED = {("analytics", "dim_date"), ("analytics", "dim_customer_tier"), ("control", "migrations")}


def readable(dsn: str) -> list[tuple[str, str, str]]:
    """Every table and view that the console may read, with the columns it may read."""
    query = """
        select table_schema, table_name, string_agg(quote_ident(column_name), ', ')
        from information_schema.column_privileges
        where grantee = 'firmament_console' and table_schema <> 'information_schema'
        group by 1, 2 order by 1, 2
    """
    with psycopg.connect(dsn) as connection:
        return [row for row in connection.execute(query) if (row[0], row[1]) not in SHARED]


def test_without_the_setting_no_table_or_view_has_a_row(owner, console_dsn):
    found = readable(owner)

    counts = {
        name: as_console(console_dsn, None, f"select count(*) from (select {columns} from {schema}.{name})")
        for schema, name, columns in found
    }

    assert len(found) > 50
    assert {name for name, rows in counts.items() if rows != [(0,)]} == set()


def test_with_the_setting_every_view_has_that_firms_rows_alone(owner, console_dsn):
    views = [name for schema, name, _ in readable(owner) if schema == "mart"]

    for name in views:
        query = f"select to_jsonb(v) from mart.{name} as v"
        with psycopg.connect(owner) as connection:
            every = [row for (row,) in connection.execute(query)]
        seen = [row for (row,) in as_console(console_dsn, "acme", query)]

        assert sorted(seen, key=repr) == sorted((r for r in every if r["firm_key"] == "acme"), key=repr)
        assert seen, name
        assert len(seen) < len(every)


def test_contacts_samples_of_rows_and_addresses_of_sources_cannot_be_read(owner, console_dsn):
    refused = [
        "select * from pii.customer_contact",
        "select * from mart.vw_outreach_contact",
        "select samples from control.quality",
        "select samples from control.rejections",
        "select source from control.firms",
        "select firm_row from control.runs",
        "select * from control.access",
        "select * from control.audit",
        "set role firmament_platform",
        "create table analytics.mine (x integer)",
        "create temporary table mine (x integer)",
    ]

    for statement in refused:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_console(console_dsn, "acme", statement)

    (role,) = as_console(
        console_dsn,
        None,
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, "
        "(select count(*) from pg_class where relowner = r.oid) "
        "from pg_roles as r where rolname = current_user",
    )
    assert role == (False, False, False, False, 0)
    assert ("pii", "customer_contact") in relations(owner)


@pytest.mark.parametrize("error", ["select 1 / 0", "select no_such_column", "select pg_sleep(60)", None])
def test_after_an_error_the_next_user_of_the_connection_sees_nothing_of_the_first(reader, monkeypatch, error):
    monkeypatch.setattr("include.console.reader.STATEMENT_SECONDS", 1)

    def first_user() -> None:
        with reader.of({"acme"}) as session:
            assert [row["firm_key"] for row in session.rows("firms", firm_keys=EVERY)] == ["acme"]
            assert session.rows("segments", firm_key="acme", as_of="2026-10-15")
            if error is None:
                raise RuntimeError("the route failed")
            session._connection.execute(error)

    with pytest.raises((psycopg.Error, WarehouseDownError, RuntimeError)):
        first_user()

    with reader.of({"zeta"}) as session:
        assert [row["firm_key"] for row in session.rows("firms", firm_keys=EVERY)] == ["zeta"]
        assert session.rows("segments", firm_key="acme", as_of="2026-10-15") == []
        assert session.rows("segments", firm_key="zeta", as_of="2026-10-15")
    with reader.of(set()) as session:
        assert session.rows("firms", firm_keys=EVERY) == []


def test_a_plan_that_was_made_for_one_user_is_not_used_for_the_next(reader):
    """A plan has the firms of its user as constants, and a prepared statement outlives the request."""
    with reader.of({"acme"}) as session:
        session._connection.execute(
            "prepare counted as select count(*) as n from analytics.fact_customer_rfm"
        )
        (of_acme,) = session._connection.execute("execute counted").fetchall()

    with reader.of({"zeta"}) as session:
        (of_zeta,) = session._connection.execute("execute counted").fetchall()

    assert of_acme["n"] > 0
    assert of_zeta["n"] > 0


def test_the_setting_ends_with_the_request(reader):
    with reader.of({"acme"}) as session:
        pid = session._connection.info.backend_pid
    held = reader._pool.connect()
    try:
        assert held.dbapi_connection.info.backend_pid == pid
        (setting,) = held.dbapi_connection.execute(
            "select current_setting('firmament.firms', true) as firms"
        ).fetchall()
        assert setting["firms"] in ("", None)
    finally:
        held.close()


def test_a_request_is_one_read_only_transaction(reader):
    with reader.of({"acme"}) as session:
        (row,) = session._connection.execute("show transaction_read_only").fetchall()

    assert row == {"transaction_read_only": "on"}


def test_no_firm_key_can_add_another_firm_to_the_setting(reader):
    with pytest.raises(ValueError, match="no keys"), reader.of({"acme,zeta"}):
        pass


def test_for_an_analyst_the_setting_has_no_effect(owner):
    from include.warehouse.access import Access

    logins = Logins(owner)
    try:
        name = logins.name("analyst")
        with Access(owner) as access:
            access.grant("acme", name, "analyst", actor="test")
        dsn = logins.dsn_of(name)
        query = "select distinct firm_key from mart.vw_analytic_customer"

        assert as_console(dsn, None, query) == [("acme",)]
        assert as_console(dsn, "zeta", query) == [("acme",)]
        assert as_console(dsn, "acme,zeta", query) == [("acme",)]
    finally:
        logins.drop()


def test_a_connection_that_broke_while_idle_is_replaced(owner, reader):
    with reader.of({"acme"}) as session:
        pid = session._connection.info.backend_pid
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("select pg_terminate_backend({})").format(sql.Literal(pid)))

    with reader.of({"acme"}) as session:
        assert [row["firm_key"] for row in session.rows("firms", firm_keys=EVERY)] == ["acme"]


def test_a_reader_of_no_server_names_the_command_that_starts_it():
    reader = Reader(lambda: "postgresql://reader@127.0.0.1:1/none", connections=1)

    with pytest.raises(WarehouseDownError) as raised, reader.of({"acme"}):
        pass

    assert "cannot be reached" in raised.value.detail
    assert "make up" in raised.value.action


def test_an_incident_is_seen_by_users_of_the_firms_that_it_hit(owner, console_dsn):
    """An incident has no firm of its own; the errors of other firms that it hit are not seen."""
    with psycopg.connect(owner) as connection:
        for number, firms in enumerate((["acme", "zeta"], ["zeta"], [""])):
            (incident,) = connection.execute(
                "insert into control.incidents (place, kind, resource_name, severity, error) "
                "values ('source', 'odd', %s, 'error', 'of zeta') returning incident_id",
                [f"thing {number}"],
            ).fetchone()
            for firm in firms:
                connection.execute(
                    "insert into control.incident_firms "
                    "(incident_id, firm_key, as_of, task_id, error, log_url, targets, is_quiet) "
                    "values (%s, %s, '2026-10-15', 'extract', %s, '', '{}', false)",
                    [incident, firm, f"error of {firm}"],
                )
    incidents = "select resource_name from control.incidents order by 1"
    errors = "select error from control.incident_firms order by 1"

    assert as_console(console_dsn, "acme", incidents) == [("thing 0",)]
    assert as_console(console_dsn, "acme", errors) == [("error of acme",)]
    assert as_console(console_dsn, "zeta", incidents) == [("thing 0",), ("thing 1",)]
    assert as_console(console_dsn, None, incidents) == as_console(console_dsn, None, errors) == []
