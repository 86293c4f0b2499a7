"""A firm's partition of each fact: made at its first load, in a schema analysts cannot use."""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from include.warehouse.session import Row

LOCK = 7_302  # advisory lock class: one maker of a firm's partitions at a time
TRIES = 8
AGAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    # Another load attached the partition while this one waited.
    psycopg.errors.WrongObjectType,
    psycopg.errors.DuplicateTable,
)
# Indexes that are random to write into: made after a partition's first rows, then kept.
LATE_INDEXES = {"fact_sales": ("customer_sk", "order_date")}

log = logging.getLogger(__name__)


def ensure_partition(connection: psycopg.Connection[Row], table: str, firm_sk: int) -> None:
    """Give the firm a partition of ``table``, if that is a partitioned one.

    It is built aside and attached: that, unlike ``create table ... partition of``, does not stop readers.
    """
    again = Retrying(
        retry=retry_if_exception_type(AGAIN),
        stop=stop_after_attempt(TRIES),
        wait=wait_random(0.1, 0.5),
        reraise=True,
    )
    again(_attach, connection, table, firm_sk)


def _attach(connection: psycopg.Connection[Row], table: str, firm_sk: int) -> None:
    parent, part = sql.Identifier("analytics", table), _partition(table, firm_sk)
    asked = (
        "select relkind = 'p' and not exists (select from pg_catalog.pg_inherits "
        "where inhparent = pg_class.oid and inhrelid = to_regclass(%s)) as wanted "
        "from pg_catalog.pg_class where oid = to_regclass(%s)"
    )
    row = connection.execute(asked, [name.as_string(connection) for name in (part, parent)]).fetchone()
    if row is None or not row["wanted"]:
        return
    with connection.transaction():
        connection.execute("set local lock_timeout = '2s'")
        connection.execute("select pg_advisory_xact_lock(%s, %s)", [LOCK, firm_sk])
        connection.execute(
            sql.SQL("create table if not exists {} (like {} including all)").format(part, parent)
        )
        # No policy grants access to a partition: users read through the parent and its policies.
        connection.execute(sql.SQL("alter table {} enable row level security").format(part))
        connection.execute(
            sql.SQL("alter table {} attach partition {} for values in ({})").format(
                parent, part, sql.Literal(firm_sk)
            )
        )


def index_partition(connection: psycopg.Connection[Row], table: str, firm_sk: int) -> None:
    """Create the index of the firm's partition that its first load skipped."""
    if columns := LATE_INDEXES.get(table):
        connection.execute(
            sql.SQL("create index if not exists {} on {} ({})").format(
                sql.Identifier(f"{table}_f{firm_sk}_{columns[0]}"),
                _partition(table, firm_sk),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
            )
        )


def analyze_partition(connection: psycopg.Connection[Row], table: str, firm_sk: int) -> None:
    """Renew statistics for analysts' first query; autovacuum would run a minute later."""
    part = _partition(table, firm_sk)
    try:
        row = connection.execute("select to_regclass(%s) as found", [part.as_string(connection)]).fetchone()
        if row and row["found"]:
            connection.execute(sql.SQL("analyze {}").format(part))
    except psycopg.Error:
        log.info("%s was loaded; its statistics were not renewed", table)


def _partition(table: str, firm_sk: int) -> sql.Identifier:
    return sql.Identifier("parts", f"{table}_f{firm_sk}")
