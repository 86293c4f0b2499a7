"""Oracle's statements: allowed syntax, columns read, and a run on a real server if one is configured."""

import os

import oracledb
import pytest
import sqlglot
from sqlglot import exp

from include import sql_text
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, TRANSACTIONS
from include.sources import extracted_schema
from include.sources.oracle import COLUMNS, OPTIONAL, Oracle
from tests.sources.ansi import faults
from tests.sources.conftest import AS_OF, firm, month

STATEMENTS = [
    sql_text.FOLDER / "extract" / "oracle" / f"{name}.sql"
    for name in sql_text.names("extract", "oracle")
    if name != "loyalty"
]


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_a_statement_uses_only_what_oracle_and_postgres_share(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize("name", COLUMNS)
def test_the_checked_columns_are_those_that_the_statement_reads(name):
    table, columns = COLUMNS[name]
    if optional := OPTIONAL.get(name):
        assert optional not in COLUMNS[name][1]  # a schema may lack it
        columns, name = columns | {optional}, f"{name}_{optional}"
    tree = sqlglot.parse_one(sql_text.read("extract", "oracle", name), dialect="oracle")
    ddl = sqlglot.parse(sql_text.read("extract", "oracle", "loyalty"), dialect="oracle")

    (made,) = [
        {c.name.lower() for c in create.find_all(exp.ColumnDef)}
        for create in ddl
        if isinstance(create, exp.Create) and create.kind == "TABLE" and create.this.this.name == table
    ]
    readers = [s for s in tree.find_all(exp.Select) if any(t.name == table for t in _tables(s))]
    read = {c.name.lower() for s in readers for c in s.find_all(exp.Column) if not c.table} - {
        # a bind is no column, and sqlglot keeps these names where a CTE hides the table's
        *(p.name for p in tree.find_all(exp.Placeholder)),
    }

    assert readers
    assert made == columns == read & made


def _tables(select: exp.Select) -> list[exp.Table]:
    source = select.args.get("from_") or select.args.get("from")
    return [source.this] if source and isinstance(source.this, exp.Table) else []


@pytest.mark.oracle
@pytest.mark.skipif("ORACLE_DSN" not in os.environ, reason="ORACLE_DSN is not set: no Oracle to run this on")
@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_a_real_oracle_runs_the_statement(path):
    # ORACLE_DSN is user/password@host:port/service, of a schema that holds the tables of loyalty.sql.
    connection = oracledb.connect(os.environ["ORACLE_DSN"])
    name = path.stem.removesuffix("_first").removesuffix("_may_contact")
    row = {"kind": "oracle", "conn_id": "crm", "schema": connection.username.lower()}
    source = Oracle(firm(row), lambda conn_id: "", connect=lambda conn_id: connection)
    datasets = {d.name: d for d in (TRANSACTIONS, CUSTOMERS, LOYALTY_MOVEMENTS)}
    if name not in datasets:
        pytest.skip(f"{name} is read with the others")

    if path.stem.endswith("_first"):
        source.first_month(datasets[name])
    else:
        by_month = datasets[name].by == "month"
        for batch in source.extract(
            datasets[name], month=month("2026-11") if by_month else None, as_of=AS_OF
        ):
            assert batch.schema == extracted_schema(datasets[name])


@pytest.mark.parametrize(
    "text",
    [
        "select a from t limit 1",
        "select a from t as x",
        "select a from t, u where t.a = u.a (+)",
        "select sysdate as a from t",
        "select a::text as a from t",
        "select a from t where is_deleted = false",
        "select a from t where a = ''",
        "select a from acme.t",
        "select * from t",
        "select 1 as a from dual",
        "select nvl(a, 0) as a from t",
        "select d + interval '1 day' as d from t",
        "select case when a > 0 then cast(a as numeric(18, 4)) end as net_amount from t",
    ],
)
def test_the_lint_finds_what_is_denied(text):
    assert faults(text)
