"""What an error says, and what it must not: PostgreSQL's own text carries values of rows."""

import re
import struct

import psycopg
import pytest

from include.warehouse import Warehouse, WarehouseError
from include.warehouse.errors import explain

COPY = {
    "csv": "copy stg_things from stdin (format csv)",
    "binary": "copy stg_things from stdin (format binary)",
}
ROWS = {
    "csv": b"ann,1\nbob,much\n",
    "binary": b"PGCOPY\n\xff\r\n\0"
    + bytes(8)
    + b"".join(
        struct.pack(">hi3si", 2, 3, name, len(amount)) + amount
        for name, amount in ((b"ann", bytes(4)), (b"bob", b"much!"))
    ),
}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 'ann@example.com'::integer", "^[^:]*: invalid input syntax for type integer: .*22P02"),
        # Quotes and a colon of the value's own; a message that quotes nothing; words after the value.
        ("select 'say \"ann: example\" twice'::numeric", "invalid input syntax for type numeric: \"…\" "),
        ("select make_date(2025, 2, 31) as example", r"date field value out of range: … \(SQLSTATE 22008"),
        ("select '99999999999'::text::integer as example", 'value "…" is out of range for type integer'),
        ("select 1 / (length('ann@example.com') - 15)", "division by zero"),
        ("create temp table t (e text unique); insert into t values ('ann@example.com'), ('ann@example.com')",
         "constraint.*23505"),
        ("create temp table t (e text check (e = '')); insert into t values ('ann@example.com')", "23514"),
    ],
)  # fmt: skip
def test_an_error_names_its_kind_and_no_value(warehouse_dsn, query, said):
    with Warehouse(warehouse_dsn) as warehouse, pytest.raises(WarehouseError, match=said) as caught:
        warehouse.session.rows(query)

    assert not re.search(r"example|ann|twice|2025|999", str(caught.value))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("shown", ["csv", "binary"])
def test_a_copy_says_its_table_row_and_column(warehouse_dsn, shown):
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create temp table stg_things (name text, amount integer)")
        with pytest.raises(psycopg.Error) as caught, cursor.copy(COPY[shown]) as stream:
            stream.write(ROWS[shown])

    said = explain(caught.value)

    assert ", table stg_things, row 2, column amount (SQLSTATE 22P0" in said
    assert not re.search("ann|bob|much", said)


def test_a_read_only_server_is_named_as_such(warehouse_dsn):
    with Warehouse(warehouse_dsn) as warehouse:
        warehouse.session.connection.execute("set default_transaction_read_only = on")

        with pytest.raises(WarehouseError, match="is this a standby"):
            warehouse.session.rows("create table public.t (a int)")


def test_a_connection_that_broke_is_opened_again(warehouse_dsn):
    with Warehouse(warehouse_dsn) as warehouse, psycopg.connect(warehouse_dsn) as other:
        first = warehouse.session.rows("select pg_backend_pid() as pid")[0]["pid"]
        other.execute("select pg_terminate_backend(%s)", [first])
        with pytest.raises(WarehouseError):
            warehouse.session.rows("select 1 as one")

        assert warehouse.session.rows("select 1 as one") == [{"one": 1}]
