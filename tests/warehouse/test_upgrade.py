"""A warehouse of commit 6ebb6e7, migrated to today's schema, equals a fresh one and keeps its rows."""

import psycopg
import pytest

from include.warehouse import migrate
from include.warehouse.migrations import pending
from tests.warehouse.old_warehouse import restore
from tools.facts_hash import compare, hash_warehouse

SCHEMAS = "('control', 'analytics', 'mart', 'pii')"
RELATIONS = (
    "pg_class c join pg_namespace n on n.oid = c.relnamespace "
    f"where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p', 'v') and not c.relispartition"
)
COMPARED = {
    "columns": "select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "a.attidentity, pg_get_expr(d.adbin, d.adrelid) "
    "from pg_attribute a join pg_class c on c.oid = a.attrelid "
    "join pg_namespace n on n.oid = c.relnamespace "
    "left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum "
    f"where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p', 'v') and not c.relispartition "
    "and a.attnum > 0 and not a.attisdropped",
    "relation grants": "select n.nspname, c.relname, x.grantee::regrole, x.privilege_type from "
    "pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x "
    f"where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p', 'v', 'S') and not c.relispartition",
    "column grants": "select a.attrelid::regclass, a.attname, x.grantee::regrole, x.privilege_type from "
    "pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
    f"cross join aclexplode(a.attacl) x where n.nspname in {SCHEMAS}",
    "schema grants": "select n.nspname, x.grantee::regrole, x.privilege_type from pg_namespace n "
    f"cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x "
    f"where n.nspname in {SCHEMAS} or n.nspname = 'parts'",
    "function grants": "select p.oid::regprocedure, x.grantee::regrole, x.privilege_type from pg_proc p "
    "join pg_namespace n on n.oid = p.pronamespace "
    "cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x "
    f"where n.nspname in {SCHEMAS}",
    "relation comments": "select n.nspname, c.relname, d.objsubid, d.description from "
    "pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0 "
    f"where n.nspname in {SCHEMAS} and not c.relispartition",
    "column comments": "select n.nspname, c.relname, a.attname, col_description(c.oid, a.attnum) from "
    "pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
    f"where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p', 'v') and not c.relispartition "
    "and a.attnum > 0 and not a.attisdropped",
    "function comments": "select p.oid::regprocedure, obj_description(p.oid, 'pg_proc') from pg_proc p "
    f"join pg_namespace n on n.oid = p.pronamespace where n.nspname in {SCHEMAS}",
    "schema comments": "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace "
    f"where nspname in {SCHEMAS} or nspname = 'parts'",
    "policies": "select schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check "
    f"from pg_policies where schemaname in {SCHEMAS}",
    "row security": "select n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.reloptions "
    f"from {RELATIONS}",
    "constraints": "select n.nspname, c.relname, pg_get_constraintdef(k.oid) from pg_constraint k "
    "join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace "
    f"where n.nspname in {SCHEMAS} and not c.relispartition",
    "indexes": "select n.nspname, c.relname, pg_get_indexdef(i.indexrelid) from pg_index i "
    "join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace "
    f"where n.nspname in {SCHEMAS} and not c.relispartition",
    "functions": "select p.oid::regprocedure, pg_get_functiondef(p.oid) from pg_proc p "
    f"join pg_namespace n on n.oid = p.pronamespace where n.nspname in {SCHEMAS}",
    "views": f"select n.nspname, c.relname, pg_get_viewdef(c.oid) from {RELATIONS} and c.relkind = 'v'",
    "migrations": "select file_name, sha256 from control.migrations",
}


def counts(dsn: str) -> dict[str, int]:
    """Rows of every table."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            f"where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p') and not c.relispartition"
        ).fetchall()
        return {
            table: connection.execute(f"select count(*) from {table}").fetchone()[0] for (table,) in tables
        }


@pytest.fixture(scope="module")
def upgraded(module_warehouse_dsn, migrated):
    """The restored and migrated warehouse, with its facts' hashes and its counts before the migration."""
    restore(module_warehouse_dsn)
    before = hash_warehouse(module_warehouse_dsn), counts(module_warehouse_dsn)
    waiting = pending(module_warehouse_dsn)
    migrate(module_warehouse_dsn)
    return module_warehouse_dsn, before, waiting


@pytest.mark.parametrize("what", COMPARED)
def test_an_upgraded_warehouse_equals_a_fresh_one(upgraded, module_migrated_dsn, what):
    dsn, _, _ = upgraded

    found = []
    for url in (dsn, module_migrated_dsn):
        with psycopg.connect(url) as connection:
            found.append({tuple(map(str, row)) for row in connection.execute(COMPARED[what])})
    old, fresh = found

    assert sorted(old - fresh) == []
    assert sorted(fresh - old) == []
    assert fresh or what == "column grants"


def test_an_upgraded_warehouse_keeps_every_row(upgraded):
    dsn, (facts, rows), _ = upgraded

    after = counts(dsn)

    assert compare(facts, hash_warehouse(dsn, like=facts)) == []
    assert set(facts["firms"]) >= {"north", "south"}
    assert all(facts["firms"][key]["fact_customer_rfm"]["slices"] for key in ("north", "south"))
    assert {table: after[table] for table in rows if table != "control.migrations"} == {
        table: count for table, count in rows.items() if table != "control.migrations"
    }


def test_nothing_waits_after_an_upgrade(upgraded):
    dsn, _, _ = upgraded

    assert pending(dsn) == []
