"""The schema: made once, refused when tampered with, commented to the last column."""

import threading

import psycopg
import pytest

from include import sql_text
from include.warehouse import MigrationError, migrate, migrations

WITHOUT_FUNCTION = {  # they are of now, not of a day
    "vw_action_plan", "vw_latest_snapshot", "vw_model_drift", "vw_outreach_contact",
}  # fmt: skip


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A copy of the SQL folder that a test may change."""
    for folder in ("schema", "view", "load", "check"):
        (tmp_path / folder).mkdir()
        for path in (sql_text.FOLDER / folder).glob("*.sql"):
            (tmp_path / folder / path.name).write_text(path.read_text())
    monkeypatch.setattr(sql_text, "FOLDER", tmp_path)
    sql_text.read.cache_clear()
    yield tmp_path
    sql_text.read.cache_clear()


def ask(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_a_second_migration_has_nothing_to_do(warehouse_dsn):
    first = migrate(warehouse_dsn)

    second = migrate(warehouse_dsn)

    assert first == [*sql_text.names("schema")[1:], "views"]
    assert second == []


def test_two_migrations_at_once_apply_each_file_once(warehouse_dsn):
    done = []
    threads = [threading.Thread(target=lambda: done.append(migrate(warehouse_dsn))) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(map(len, done)) == [0, len(sql_text.names("schema"))]


def test_an_applied_file_that_was_changed_is_refused(migrated_dsn, files):
    path = files / "schema" / "001_schemas.sql"
    path.write_text(path.read_text() + "-- changed")
    sql_text.read.cache_clear()

    with pytest.raises(MigrationError, match=r"001_schemas\.sql has changed since it was applied"):
        migrate(migrated_dsn)


def test_a_migration_that_fails_leaves_nothing_of_itself(migrated_dsn, files):
    (files / "schema" / "900_bad.sql").write_text("create table control.half (a int); select nonsense;")

    with pytest.raises(MigrationError, match=r"900_bad\.sql.*nonsense"):
        migrate(migrated_dsn)

    assert ask(migrated_dsn, "select to_regclass('control.half')") == [(None,)]


def test_a_database_newer_than_the_code_is_refused(migrated_dsn, files):
    (files / "schema" / "900_new.sql").write_text("select 1;")
    migrate(migrated_dsn)
    (files / "schema" / "900_new.sql").unlink()

    with pytest.raises(MigrationError, match=r"newer than this code.*900_new"):
        migrate(migrated_dsn)


def test_a_view_that_lost_a_column_is_made_anew(migrated_dsn, files):
    path = files / "view" / "vw_x.sql"
    path.write_text("create or replace view mart.vw_x as select 1 as a, 2 as b;")
    migrate(migrated_dsn)

    path.write_text("create or replace view mart.vw_x as select 2 as b;")
    sql_text.read.cache_clear()
    applied = migrate(migrated_dsn)

    assert applied == ["views"]
    assert ask(migrated_dsn, "select * from mart.vw_x") == [(2,)]


def test_an_analysts_own_view_is_never_dropped(migrated_dsn, files):
    path = files / "view" / "vw_x.sql"
    path.write_text("create or replace view mart.vw_x as select 1 as a, 2 as b;")
    migrate(migrated_dsn)
    with psycopg.connect(migrated_dsn) as connection:
        connection.execute("create view public.mine as select a from mart.vw_x")

    path.write_text("create or replace view mart.vw_x as select 2 as b;")
    sql_text.read.cache_clear()
    with pytest.raises(MigrationError, match=r"mart\.vw_x has changed its columns.*mine"):
        migrate(migrated_dsn)

    assert ask(migrated_dsn, "select a from public.mine") == [(1,)]


def test_views_come_after_what_they_read(files):
    (files / "view" / "a_first_by_name.sql").write_text(
        "create or replace view mart.a as select * from mart.z; -- reads mart.z"
    )
    (files / "view" / "z.sql").write_text("create or replace view mart.z as select 1;")

    order = migrations.view_order()

    assert order.index("z") < order.index("a_first_by_name")


def test_every_table_view_and_column_has_a_comment(module_migrated_dsn):
    missing = ask(
        module_migrated_dsn,
        """
        select c.relname || coalesce('.' || a.attname, '')
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname in ('control', 'analytics', 'mart', 'pii') and c.relkind in ('r', 'p', 'v')
        and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """,
    )

    assert missing == []


def test_every_function_for_analysts_has_a_comment(module_migrated_dsn):
    missing = ask(
        module_migrated_dsn,
        "select proname from pg_proc where pronamespace = 'mart'::regnamespace "
        "and obj_description(oid) is null",
    )

    assert missing == [], "functions of mart without 'comment on function' in their file of include/sql/view/"


def test_comments_are_the_datasets_own_words_and_follow_them(module_migrated_dsn):
    with psycopg.connect(module_migrated_dsn, autocommit=True) as connection:
        connection.execute("comment on column analytics.fact_customer_rfm.recency_score is 'stale'")

    migrate(module_migrated_dsn)

    found = ask(
        module_migrated_dsn,
        "select col_description('analytics.fact_customer_rfm'::regclass, attnum) from pg_attribute "
        "where attrelid = 'analytics.fact_customer_rfm'::regclass and attname = 'recency_score'",
    )
    assert found == [("1 to 5; 5 is most recent. Ties share a score.",)]


def test_views_run_with_the_rights_of_the_reader(module_migrated_dsn):
    open_views = ask(
        module_migrated_dsn,
        "select relname from pg_class where relnamespace = 'mart'::regnamespace and relkind = 'v' "
        "and not coalesce(reloptions @> '{security_invoker=true,security_barrier=true}', false)",
    )

    assert open_views == [], (
        "views of include/sql/view/ without 'with (security_invoker = true, security_barrier = true)': "
        "they would show every firm's rows to every analyst"
    )


def test_every_file_of_a_view_creates_the_view_and_a_function_of_a_firm_and_a_day():
    faults = []
    for name in set(sql_text.names("view")) - WITHOUT_FUNCTION:
        text = sql_text.read("view", name)
        for made in (
            f"function mart.{name.removeprefix('vw_')}(firm text",
            f"view mart.{name}\n",
        ):
            if f"create or replace {made}" not in text:
                faults.append(f"include/sql/view/{name}.sql: write 'create or replace {made.strip()}'")

    assert sorted(faults) == []


def test_no_login_has_the_schemas_without_a_grant(module_migrated_dsn):
    with psycopg.connect(module_migrated_dsn, autocommit=True) as connection:
        connection.execute("drop role if exists passer_by")
        connection.execute("create role passer_by")
        found = connection.execute(
            "select nspname from pg_namespace "
            "where nspname in ('control', 'analytics', 'mart', 'pii', 'parts') "
            "and has_schema_privilege('passer_by', oid, 'usage')"
        ).fetchall()
        connection.execute("drop role passer_by")

    assert found == []


def test_the_iso_week_of_a_day_goes_with_its_iso_year(module_migrated_dsn):
    rows = ask(
        module_migrated_dsn,
        "select date_sk, iso_year, week_of_year, day_name, month_name, quarter_of_year "
        "from analytics.dim_date "
        "where date_actual in ('2024-12-30', '2027-01-01') order by 1",
    )

    assert rows == [
        (20241230, 2025, 1, "Monday", "December", 4),
        (20270101, 2026, 53, "Friday", "January", 1),
    ]


def test_the_calendar_has_every_day_from_1990_to_2100(module_migrated_dsn):
    rows = ask(
        module_migrated_dsn,
        "select min(date_actual)::text, max(date_actual)::text, "
        "count(*) = max(date_actual) - min(date_actual) + 1 "
        "from analytics.dim_date",
    )

    assert rows == [("1990-01-01", "2100-12-31", True)]
