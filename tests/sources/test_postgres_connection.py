"""The Postgres source and its server: schema, one read-only snapshot, and errors."""

import psycopg
import pytest

from include.datasets.extracted import PRODUCTS, TRANSACTIONS
from include.sources import BATCH_ROWS, SourceError
from tests.sources.conftest import AS_OF, everything, month
from tests.sources.shop import LINE, ORDER


@pytest.mark.parametrize("schema", ["order", "select", "user", "a" * 63])
def test_a_schema_may_be_named_like_a_keyword(shop, schema):
    shop.create(schema)
    shop.run(ORDER + "('o1', 'a', '2026-11-03Z')", LINE + "('o1', '1', 'p', 1, 5, 0)")

    assert len(everything(shop.source(), TRANSACTIONS)) == 1


def test_a_missing_schema_is_named_with_those_there_are(shop):
    shop.create()

    with pytest.raises(SourceError, match=r"schema 'shops': no such schema; there are \[.*'shop'"):
        shop.source(schema="shops").first_month(TRANSACTIONS)


def test_a_missing_table_is_named(shop):
    shop.create()
    shop.run("drop table returns")

    with pytest.raises(SourceError, match=r"missing tables \['returns'\]; see docs/sources.md"):
        shop.source().first_month(TRANSACTIONS)


def test_a_missing_column_is_named(shop):
    shop.create()
    shop.run("alter table orders rename column channel to shop_channel", ORDER + "('o1', 'a', '2026-11-03Z')")

    with pytest.raises(SourceError, match='column "channel" does not exist'):
        everything(shop.source(), TRANSACTIONS)


def test_an_unreachable_database_is_named_without_its_password(shop):
    source = shop.source(dsn="postgresql://ada:hunter2@127.0.0.1:1/shop")

    with pytest.raises(SourceError, match=r"cannot connect.*port 1") as caught:
        source.first_month(TRANSACTIONS)

    assert "hunter2" not in str(caught.value)


def test_a_connection_that_is_no_postgres_uri_is_refused_without_showing_it(shop):
    with pytest.raises(SourceError, match="AIRFLOW_CONN_SHOP") as caught:
        shop.source(dsn="not a uri hunter2")

    assert "hunter2" not in str(caught.value)


def test_other_schemas_are_not_read(shop):
    shop.create("mine")
    shop.run("drop table products")
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("create table if not exists public.products (product_id text)")

    with pytest.raises(SourceError, match=r"missing tables \['products'\]"):
        everything(shop.source(), PRODUCTS)


def test_one_extract_reads_one_snapshot_of_the_shop(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at) values ('o1', '2026-11-03Z')",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        f" select 'o1', n, 1, 1 from generate_series(1, {BATCH_ROWS * 2}) as n",
    )
    batches = shop.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)
    read = next(batches).num_rows

    shop.run("delete from order_lines", "delete from orders")
    read += sum(batch.num_rows for batch in batches)

    assert read == BATCH_ROWS * 2


def test_a_shop_is_read_in_one_read_only_snapshot(shop):
    shop.create()
    shop.run(
        ORDER + "('o1', 'a', '2026-11-03Z')",
        LINE + "('o1', '1', 'p', 1, 5, 0)",
        "alter table orders rename to kept_orders",
        "create view orders as select order_id, customer_id, ordered_at, status,"
        " current_setting('transaction_isolation') as channel,"
        " current_setting('transaction_read_only') as payment_method, programme_id from kept_orders",
    )

    (row,) = everything(shop.source(), TRANSACTIONS)

    assert (row["channel"], row["payment_method"]) == ("repeatable read", "on")


def test_a_server_that_goes_away_in_the_middle_is_an_error(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at) values ('o1', '2026-11-03Z')",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        f" select 'o1', n, 1, 1 from generate_series(1, {BATCH_ROWS * 3}) as n",
    )
    batches = shop.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)
    next(batches)
    with psycopg.connect(shop.dsn) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    with pytest.raises(SourceError, match="firm acme, postgres source shop"):
        list(batches)


def test_the_shop_is_only_read(shop):
    shop.create()
    shop.run(ORDER + "('o1', 'a', '2026-11-03Z')", LINE + "('o1', '1', 'p', 1, 5, 0)")
    heavy = (
        "select count(*) from pg_locks inner join pg_database on pg_locks.database = pg_database.oid "
        "where datname = current_database() and granted and mode not in ('AccessShareLock', 'ExclusiveLock')"
    )
    seen = []

    for batch in shop.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF):
        with psycopg.connect(shop.dsn) as connection:
            seen.append((batch.num_rows, connection.execute(heavy).fetchone()[0]))

    assert seen == [(1, 0)]
