"""Every load step has its files, and every table it loads says what it holds."""

import psycopg
import pytest

from include import sql_text
from include.steps import STEPS

LOADS = tuple(step for step in STEPS if step.kind_name == "load")
SHARED = {"dim_firm", "dim_snapshot", "loads"}  # parts of every load, not tables of a step


def missing_files(tables: list[str]) -> list[str]:
    """The files that loads of these tables lack."""
    return [
        f"include/sql/{folder}/{table}.sql is missing: step load_{table} in include/steps.py needs it"
        for table in tables
        for folder in ("load", "check")
        if table not in sql_text.names(folder)
    ]


def test_every_load_step_has_a_load_and_a_check_file():
    assert missing_files([step.table for step in LOADS]) == []


def test_a_load_without_a_check_is_named():
    assert missing_files(["dim_firm"]) == [
        "include/sql/check/dim_firm.sql is missing: step load_dim_firm in include/steps.py needs it"
    ]


def test_every_load_and_check_file_is_of_a_load_step():
    tables = {step.table for step in LOADS}

    assert set(sql_text.names("load")) - tables == SHARED
    assert set(sql_text.names("check")) - tables == set()


@pytest.mark.parametrize("step", LOADS, ids=lambda step: step.name)
def test_every_table_and_column_that_a_load_writes_has_a_comment(module_migrated_dsn, step):
    text = sql_text.read("load", step.table)
    with psycopg.connect(module_migrated_dsn) as connection:
        tables = connection.execute(
            "select n.nspname || '.' || c.relname, obj_description(c.oid, 'pg_class'), "
            "array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 "
            "and not a.attisdropped and col_description(c.oid, a.attnum) is null) "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') "
            "and not c.relispartition and n.nspname in ('analytics', 'control', 'pii')"
        ).fetchall()
    written = [row for row in tables if f"into {row[0]}" in text or f"update {row[0]}" in text]

    assert [name for name, comment, _ in written if not comment] == []
    silent = {name: columns for name, _, columns in written if columns}
    assert silent == {}, (
        "columns without a comment: a column of the dataset belongs in its contract in include/datasets/; "
        "comment on any other in its file of include/sql/schema/"
    )


def test_the_comments_on_thresholds_say_what_reads_them(module_migrated_dsn):
    with psycopg.connect(module_migrated_dsn) as connection:
        comments = connection.execute(
            "select col_description('control.firms'::regclass, attnum) from pg_attribute "
            "where attrelid = 'control.firms'::regclass and attname in ('min_spend', 'min_orders')"
        ).fetchall()

    assert all(
        "get no RFM scores" in comment and "left out of models" not in comment for (comment,) in comments
    )
    assert len(comments) == 2
