"""What an error says, and what it must not: PostgreSQL's own text carries values of rows."""

import psycopg
import pytest

from include.warehouse import Warehouse, WarehouseError


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 'ann@example.com'::integer", "InvalidTextRepresentation.*22P02"),
        ("create temp table t (e text unique); insert into t values ('ann@example.com'), ('ann@example.com')",
         "constraint.*23505"),
        ("create temp table t (e text check (e = '')); insert into t values ('ann@example.com')", "23514"),
    ],
)  # fmt: skip
def test_an_error_names_its_kind_and_no_value(warehouse_dsn, query, said):
    with Warehouse(warehouse_dsn) as warehouse, pytest.raises(WarehouseError, match=said) as caught:
        warehouse.rows(query)

    assert "example" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_read_only_server_is_named_as_such(warehouse_dsn):
    with Warehouse(warehouse_dsn) as warehouse:
        warehouse.connection.execute("set default_transaction_read_only = on")

        with pytest.raises(WarehouseError, match="is this a standby"):
            warehouse.rows("create table public.t (a int)")


def test_a_connection_that_broke_is_opened_again(warehouse_dsn):
    with Warehouse(warehouse_dsn) as warehouse, psycopg.connect(warehouse_dsn) as other:
        first = warehouse.rows("select pg_backend_pid() as pid")[0]["pid"]
        other.execute("select pg_terminate_backend(%s)", [first])
        with pytest.raises(WarehouseError):
            warehouse.rows("select 1 as one")

        assert warehouse.rows("select 1 as one") == [{"one": 1}]
