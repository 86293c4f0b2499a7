"""Who may see which firm: real logins on a real server, let in and shut out by the commands."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest
from typer.testing import CliRunner

from include import postgres
from include.cli import app
from include.warehouse import migrate
from include.warehouse.access import Access, AccessError, how_to_make_groups, secure
from include.warehouse.session import connect
from tests.logins import Logins
from tests.warehouse.shop import sale, scored, shop

__all__ = ["shop"]

DAY = date(2026, 11, 21)


@pytest.fixture
def logins(shop):
    """``acme`` has a customer, a sale and a score; ``zeta`` is another firm with a customer."""
    shop.customers(DAY, {"customer_id": "ann", "email": "ann@acme.test", "full_name": "Ann Acme"})
    shop.sales("2026-11", sale("t1", date(2026, 11, 3)))
    shop.rfm(DAY, scored("ann", DAY))
    found = Logins(shop.dsn)
    found.execute(
        "insert into control.firms (firm_key) values ('zeta');"
        "insert into analytics.dim_firm (firm_key, firm_name, timezone, currency)"
        " values ('zeta', 'Zeta', 'UTC', 'EUR');"
        "insert into analytics.dim_customer (firm_sk, customer_id)"
        " select firm_sk, 'zoe' from analytics.dim_firm where firm_key = 'zeta';"
        "insert into pii.customer_contact (customer_sk, firm_sk, email)"
        " select customer_sk, firm_sk, 'zoe@zeta.test' from analytics.dim_customer where customer_id = 'zoe';"
    )
    yield found
    found.drop()


@pytest.fixture
def run(shop, monkeypatch):
    """A command as people give it."""
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", shop.dsn)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["access", *words], env={"COLUMNS": "200"})
        return result.exit_code, result.output

    return run


def ask(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def refused(dsn: str, query: str) -> bool:
    try:
        ask(dsn, query)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_an_analyst_sees_the_granted_firm_and_no_contacts(logins, run):
    login = logins.name("ayse")

    code, message = run("grant", "acme", login)

    dsn = logins.dsn_of(login)
    assert code == 0, message
    assert f"\\password {login}" in message
    assert ask(dsn, "select customer_id from analytics.dim_customer") == [("ann",)]
    assert ask(dsn, "select count(*) from analytics.fact_sales") == [(1,)]
    assert ask(dsn, "select firm_key, customer_count from mart.vw_rfm_segment_summary") == [("acme", 1)]
    assert refused(dsn, "select * from mart.vw_outreach_contact")
    assert refused(dsn, "select * from pii.customer_contact")


def test_outreach_sees_the_contacts_of_the_granted_firm_only(logins, run):
    login = logins.name("olga")

    code, message = run("grant", "zeta", login, "--role", "outreach")

    dsn = logins.dsn_of(login)
    assert code == 0, message
    assert ask(dsn, "select firm_key, customer_id, email from mart.vw_outreach_contact") == [
        ("zeta", "zoe", "zoe@zeta.test")
    ]
    assert ask(dsn, "select email from pii.customer_contact") == [("zoe@zeta.test",)]


def test_outreach_of_one_firm_and_analyst_of_another_reads_the_contacts_of_the_first_only(logins, run):
    login = logins.name("olga")

    run("grant", "zeta", login, "--role", "outreach")
    run("grant", "acme", login, "--role", "analyst")

    dsn = logins.dsn_of(login)
    assert ask(dsn, "select customer_id from analytics.dim_customer order by 1") == [("ann",), ("zoe",)]
    assert ask(dsn, "select customer_id from mart.vw_outreach_contact") == [("zoe",)]


def test_platform_sees_every_firm_and_no_contacts(logins, run):
    login = logins.name("pat")

    code, message = run("grant", "*", login, "--role", "platform")

    dsn = logins.dsn_of(login)
    assert code == 0, message
    assert ask(dsn, "select customer_id from analytics.dim_customer order by 1") == [("ann",), ("zoe",)]
    assert ask(dsn, "select firm_key from control.firms order by 1") == [("acme",), ("zeta",)]
    assert refused(dsn, "select * from mart.vw_outreach_contact")
    assert refused(dsn, "select * from control.erasure_salts")


def test_a_revoked_login_sees_nothing_even_in_a_session_that_is_open(logins, run):
    login = logins.name("ayse")
    run("grant", "acme", login)
    run("grant", "zeta", login)

    with psycopg.connect(logins.dsn_of(login), autocommit=True) as session:
        before = session.execute("select count(*) from analytics.dim_customer").fetchone()
        code, message = run("revoke", "acme", login)
        after = session.execute("select customer_id from analytics.dim_customer").fetchall()
        run("revoke", "zeta", login)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select customer_id from analytics.dim_customer")

    assert (code, before, after) == (0, (2,), [("zoe",)]), message


def test_grants_are_listed_and_written_in_the_audit(logins, shop, run):
    login = logins.name("ayse")
    run("grant", "acme", login)
    run("revoke", "acme", login)
    run("grant", "zeta", login, "--role", "outreach")

    code, message = run("list")

    assert code == 0
    assert [word for line in message.splitlines() if login in line for word in line.split("│")[1:4]] == [
        " zeta ",
        f" {login} ",
        " outreach ",
    ]
    assert shop.ask(
        "select change_made, firm_key, changed_to ->> 'login' from control.audit "
        "where changed_to ? 'login' order by audit_id"
    ) == [
        ("grant analyst", "acme", login),
        ("revoke analyst", "acme", login),
        ("grant outreach", "zeta", login),
    ]


def test_set_role_does_not_show_another_firm(logins, run):
    mine, other = logins.name("ayse"), logins.name("zeynep")
    run("grant", "acme", mine)
    run("grant", "zeta", other)

    dsn = logins.dsn_of(mine)

    assert refused(dsn, f"set role {other}")
    with psycopg.connect(dsn) as connection:
        connection.execute("set role firmament_analyst")
        seen = connection.execute("select customer_id from analytics.dim_customer").fetchall()
    assert seen == [("ann",)]


def test_a_login_that_row_level_security_does_not_bind_is_refused(logins, shop):
    names = [logins.make("boss", options) for options in ("login superuser", "login bypassrls", "nologin")]
    names.append(logins.make("reader", "login in role pg_read_all_data"))

    with Access(shop.dsn) as access:
        for name in names:
            with pytest.raises(AccessError, match=r"see every firm|is a group"):
                access.grant("acme", name, "analyst", actor="test")

    assert shop.ask("select count(*) from control.access") == [(0,)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("grant", "nobody", "ayse"), "no firm 'nobody'"),
        (("grant", "acme", "pg_monitor"), "begins with neither"),
        (("grant", "acme", "ayse", "--role", "owner"), "there are platform, analyst, outreach"),
        (("grant", "*", "ayse"), "the role platform"),
        (("revoke", "acme", "ayse"), "has no grant on acme"),
    ],
)
def test_a_refused_command_gives_the_reason(logins, run, words, reason):
    code, message = run(*words)

    assert code == 2
    assert reason in message


def test_without_the_right_to_create_roles_the_schema_is_created_and_the_statements_are_printed(
    postgres_server, logins, caplog
):
    """The groups are renamed for a while: another server's administrator has not made them yet."""
    owner = logins.make("owner")
    name = owner.replace("owner", "small")
    postgres.create_database(postgres_server, name)
    names = ("platform", "analyst", "outreach", "console")
    hide = [f"alter role firmament_{r} rename to away_{r}" for r in names]
    show = [f"alter role away_{r} rename to firmament_{r}" for r in names]
    try:
        logins.execute(f'alter database "{name}" owner to {owner}')
        owners = logins.dsn_of(owner, database=name)
        for statement in hide:
            logins.execute(statement)
        migrate(owners)
        closed = ask(owners, "select relrowsecurity from pg_class where relname = 'fact_sales'")
        policies = ask(owners, "select count(*) from pg_policies")
        with connect(owners) as connection:
            text = how_to_make_groups(connection)
        for statement in show:
            logins.execute(statement)
        migrate(owners)
        opened = ask(owners, "select count(*) > 20 from pg_policies")
        with Access(owners) as access:
            access.rows("insert into control.firms (firm_key) values ('acme') returning 1")
            with pytest.raises(AccessError, match="an administrator run: grant firmament_analyst to ayse"):
                access.grant("acme", logins.make("ayse"), "analyst", actor="test")
            with pytest.raises(AccessError, match='administrator run: create role "newcomer" login'):
                access.grant("acme", "newcomer", "analyst", actor="test")
    finally:
        for statement in show:
            try:
                logins.execute(statement)
            except psycopg.errors.UndefinedObject:
                continue
        postgres.drop_database(postgres_server, name)

    assert (closed, policies, opened) == ([(True,)], [(0,)], [(True,)])
    assert text in caplog.text
    assert f'grant firmament_platform, firmament_analyst, firmament_outreach to "{owner}" with admin' in text


def test_every_table_of_firms_is_closed_and_other_granted_tables_are_listed(logins, shop):
    rows = shop.ask(
        "select c.relname, c.relrowsecurity, has_table_privilege('firmament_analyst', c.oid, 'select') "
        "from pg_class as c where c.relnamespace = 'analytics'::regnamespace and c.relkind in ('r', 'p')"
    )

    assert len(rows) > 15
    assert [name for name, _, is_granted in rows if not is_granted] == []
    assert {name for name, is_closed, _ in rows if not is_closed} <= {
        "dim_date",
        "dim_customer_tier",
        "dim_interaction_channel",
    }


def test_every_view_runs_with_the_rights_of_the_caller(logins, shop):
    rows = shop.ask(
        "select relname from pg_class where relnamespace = 'mart'::regnamespace and relkind in ('v', 'm') "
        "and not coalesce(reloptions @> array['security_invoker=true'], false)"
    )

    assert rows == []


def test_a_view_with_owner_rights_is_not_granted_and_a_stray_grant_is_revoked(logins, shop):
    with connect(shop.dsn) as connection:
        secure(connection)
    logins.execute("create view mart.vw_leak as select * from analytics.dim_customer")
    logins.execute("grant select on mart.vw_leak, pii.customer_contact to firmament_analyst")

    with connect(shop.dsn) as connection:
        done = secure(connection)
        again = secure(connection)

    assert done == [
        "revoke all on mart.vw_leak from firmament_analyst",
        "revoke all on pii.customer_contact from firmament_analyst",
    ]
    assert again == []


def test_a_policy_of_an_earlier_version_is_replaced_and_a_stray_one_dropped(logins, shop, run):
    login = logins.name("ayse")
    run("grant", "acme", login)
    logins.execute(
        "drop policy analyst_sees_her_firms on analytics.fact_sales;"
        "create policy analyst_sees_her_firms on analytics.fact_sales for select to firmament_analyst "
        "using (firm_sk = any ((select control.visible_firms('analyst'))::integer[]));"
        "create policy leak on analytics.dim_customer for select to public using (true)"
    )

    with connect(shop.dsn) as connection:
        done = secure(connection)
        again = secure(connection)

    rules = shop.ask("select qual from pg_policies where tablename = 'fact_sales' and cmd = 'SELECT'")
    assert len(done) == 2
    assert again == []
    assert any("planned_firms" in rule for (rule,) in rules)
    assert ask(logins.dsn_of(login), "select customer_id from analytics.dim_customer") == [("ann",)]


def test_only_a_login_with_a_grant_connects_and_it_cannot_create_temporary_objects(logins, shop, run):
    login, other = logins.name("ayse"), logins.make("stranger")
    run("grant", "acme", login)
    dsn, of_other = logins.dsn_of(login), logins.dsn_of(other)

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        ask(of_other, "select 1")
    assert ask(dsn, "select 1") == [(1,)]
    assert refused(dsn, "create temp table mine (a int)")
    run("revoke", "acme", login)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        ask(dsn, "select 1")


def test_a_login_that_an_earlier_version_granted_connects_after_the_migration(logins, shop):
    login = logins.make("ayse")
    logins.execute(
        f"grant firmament_analyst to {login};"
        "insert into control.access (login_name, firm_key, role_name, granted_by) "
        f"values ('{login}', 'acme', 'analyst', 'test')"
    )

    migrate(shop.dsn)

    dsn = logins.dsn_of(login)
    assert ask(dsn, "select customer_id from analytics.dim_customer") == [("ann",)]
    assert ask(dsn, "show statement_timeout") == [("10min",)]
    assert refused(dsn, "create temp table mine (a int)")


def test_an_analysts_statement_is_cancelled_after_the_time_out_and_another_limit_stays(logins, run):
    login, patient = logins.name("ayse"), logins.make("patient")
    logins.execute(f"alter role {patient} set statement_timeout = '2h'")

    for name in (login, patient):
        run("grant", "acme", name)

    limits = [ask(logins.dsn_of(name), "show statement_timeout") for name in (login, patient)]
    assert limits == [[("10min",)], [("2h",)]]


def test_a_dropped_policy_hides_all_rows_until_a_migration_restores_it(logins, shop, run):
    login = logins.name("ayse")
    run("grant", "acme", login)
    dsn = logins.dsn_of(login)
    logins.execute("drop policy analyst_sees_her_firms on analytics.fact_sales")

    without = ask(dsn, "select count(*) from analytics.fact_sales")
    with connect(shop.dsn) as connection:
        secure(connection)

    assert without == [(0,)]
    assert ask(dsn, "select count(*) from analytics.fact_sales") == [(1,)]
