"""What is sent to Oracle: valid statements, only binds, and one commit.

No Oracle server is at hand. The very texts run on Postgres, through a stand-in for the connection.
"""

import re
from datetime import datetime

import oracledb
import psycopg
import pytest
import sqlglot

from include.publishing import PublishError, statements
from include.publishing.oracle import BATCH_ROWS, Oracle
from include.publishing.tables import LEDGER, TABLES
from tests.publishing.conftest import NEW, OLD, published

CATALOGUE = """
    create or replace view crm.all_tab_columns as
    select upper(table_schema) as owner, upper(table_name) as table_name, upper(column_name) as column_name
    from information_schema.columns where table_name <> 'all_tab_columns';
    create domain crm.clob as text;
    create view crm.dual as select 1 as dummy;
"""
BIND = re.compile(r"(?<![:\w]):([a-z_0-9]+)")


class Cursor:
    """Runs Oracle's text on Postgres, with its binds and only those."""

    def __init__(self, stand_in) -> None:
        self.stand_in = stand_in
        self.cursor = stand_in.connection.cursor()
        self.sizes: dict = {}

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.cursor.close()

    def execute(self, text, binds=None) -> None:
        self.executemany(text, [binds or {}])

    def executemany(self, text, rows) -> None:
        for binds in rows:
            if set(BIND.findall(text)) != set(binds):
                raise oracledb.DatabaseError(f"ORA-01036: {text}")
            try:
                self.cursor.execute(BIND.sub(r"%(\1)s", text), binds)
            except psycopg.Error as error:
                raise oracledb.DatabaseError(f"ORA-00001: {error}") from error
        self.stand_in.sent.append((text, len(rows), self.sizes))
        self.sizes = {}

    def setinputsizes(self, **sizes) -> None:
        self.sizes = sizes

    def fetchone(self):
        newest, attempt = self.cursor.fetchone()
        # Oracle's DATE has a time of day.
        return newest and datetime(newest.year, newest.month, newest.day), attempt  # noqa: DTZ001

    def fetchall(self):
        return self.cursor.fetchall()

    @property
    def rowcount(self):
        return self.cursor.rowcount


class PostgresAsOracle:
    def __init__(self, dsn) -> None:
        self.connection = psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor)
        self.sent: list = []
        self.commits = 0

    def _schema(self, owner: str) -> None:
        assert owner == "CRM"
        self.connection.execute("set search_path to crm")

    current_schema = property(fset=_schema)

    def cursor(self) -> Cursor:
        return Cursor(self)

    def commit(self) -> None:
        self.commits += 1
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def oracle(crm):
    """The firm's Oracle, as far as Postgres can be one, and the connections it was asked for."""
    with psycopg.connect(crm.dsn) as connection:
        connection.execute(CATALOGUE)
    opened: list[PostgresAsOracle] = []

    def connect(conn_id: str) -> PostgresAsOracle:
        opened.append(PostgresAsOracle(crm.dsn))
        return opened[-1]

    target = Oracle("acme_crm", "crm", lambda conn_id: "", connect=connect)
    target.opened = opened
    return target


def texts() -> list[str]:
    found = [statements.lock(LEDGER), statements.published(LEDGER)]
    for table in (*TABLES, LEDGER):
        found += [
            statements.create(table, long_type="clob"),
            statements.insert(table),
            statements.delete(table, table.replaces or table.key),
            statements.delete_earlier(table),
            *([] if table.replaces else [statements.merge(table)]),
        ]
    return found


def test_the_same_rows_arrive_as_in_postgres(analysed, crm, oracle):
    published(analysed, crm.target)
    there = crm.everything()
    with psycopg.connect(crm.dsn) as connection:
        for name in there:
            connection.execute(f"drop table crm.{name}")

    rows, _ = published(analysed, oracle)

    assert rows == 7
    assert crm.everything() == there
    assert oracle.opened[0].commits == 1


def test_an_older_run_after_a_newer_one_leaves_the_newest_customers(analysed, crm, oracle):
    published(analysed, oracle, NEW)
    before = crm.everything()

    published(analysed, oracle, NEW, attempt=2)
    again = crm.everything()
    _, note = published(analysed, oracle, OLD, attempt=3)

    assert again == before
    assert note == "analytic_customer shows the newer 2026-05-10 and was not changed"
    assert crm.ask("select run_date from churn_firm_based order by 1") == [(OLD,), (NEW,)]


def test_customers_are_merged_with_binds_and_long_text_is_bound_as_clob(analysed, oracle):
    published(analysed, oracle)

    sent = oracle.opened[0].sent
    merges = [(text, rows) for text, rows, _ in sent if text.startswith("merge into analytic_customer")]
    ((insight, sizes),) = [(t, s) for t, _, s in sent if t.startswith("insert into analytic_firm_based")]
    assert [rows for _, rows in merges] == [2]
    assert sizes == {"smart_insight": oracledb.DB_TYPE_CLOB}
    assert ":smart_insight" in insight
    assert not [text for text, _, _ in sent if "bob" in text or "acme" in text]


def test_a_failure_commits_nothing_and_its_error_contains_no_row(analysed, crm, oracle):
    published(analysed, oracle, OLD)
    before = crm.everything()
    with psycopg.connect(crm.dsn) as connection:
        connection.execute("alter table crm.churn_firm_based add check (high_risk_count < 1)")

    with pytest.raises(PublishError, match="no row was changed") as caught:
        published(analysed, oracle, NEW, attempt=2)

    assert crm.everything() == before
    assert oracle.opened[-1].commits == 0
    assert "acme/" not in str(caught.value)


def test_an_erased_customer_is_deleted(analysed, crm, oracle):
    never = oracle.delete_customer("acme", "ann")
    published(analysed, oracle)

    assert (never, oracle.delete_customer("acme", "ann")) == (0, 1)
    assert crm.ask("select unique_customer_id from analytic_customer") == [("bob",)]


@pytest.mark.parametrize("text", texts(), ids=lambda text: " ".join(text.split()[:4]))
def test_a_statement_is_one_that_oracle_parses_without_what_only_postgres_has(text):
    if not text.startswith("lock table"):  # which sqlglot does not know
        sqlglot.parse_one(text, dialect="oracle")

    assert not re.search(r"::|;|\blimit\b|on conflict|returning|\btext\b|\bfrom dual as\b|\) as given", text)
    assert not [name for name in BIND.findall(text) if len(name) > 30]


def test_names_fit_oracle_and_batches_stay_bounded():
    names = [name for table in (*TABLES, LEDGER) for name in (table.name, *table.columns)]

    assert max(map(len, names)) <= 30
    assert not {"date", "number", "level", "mode", "size", "comment", "access"} & set(names)
    assert BATCH_ROWS <= 10_000
