import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal

import oracledb
import psycopg
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from include.datasets import Dataset
from include.datasets.contract import TEXT, column
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.sources import BATCH_ROWS, SOURCES, SourceError, extracted_schema, open_source
from include.sources.oracle import COLUMNS, Oracle, connect_with_hook
from include.sources.statements import FOLDER
from tests.sources.ansi import faults
from tests.sources.conftest import AS_OF, everything, firm, month, reasons, usable
from tests.sources.oracle_server import Frames, PostgresAsOracle

CATALOGUE = """
    create or replace view all_tab_columns as
    select upper(table_schema) as owner, upper(table_name) as table_name, upper(column_name) as column_name
    from information_schema.columns
"""
SALE = "insert into transactions values "
POINTS = "insert into loyalty_points values "
STATEMENTS = sorted(path for path in (FOLDER / "oracle").glob("*.sql") if path.name != "loyalty.sql")


@pytest.fixture
def tenant(module_warehouse_dsn):
    class Tenant:
        def __init__(self) -> None:
            self.opened: list[PostgresAsOracle] = []
            self.schemas: list[str] = []
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(CATALOGUE)
            self.create("acme_dwh")

        def create(self, schema: str) -> None:
            self.schema = schema
            self.schemas.append(schema)
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'create schema "{schema}"')
                connection.execute(f'set search_path to "{schema}"')
                connection.execute((FOLDER / "oracle" / "loyalty.sql").read_text())

        def run(self, *statements: str) -> None:
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'set search_path to "{self.schema}"')
                for statement in statements:
                    connection.execute(statement)

        def connect(self, conn_id: str) -> PostgresAsOracle:
            connection = PostgresAsOracle(module_warehouse_dsn)
            connection._connection.execute("set search_path to public")
            self.opened.append(connection)
            return connection

        def source(self, timezone: str = "Europe/Istanbul", schema: str = "") -> Oracle:
            row = {"kind": "oracle", "conn_id": "crm", "schema": schema or self.schema}
            return Oracle(firm(row, timezone), lambda conn_id: "", connect=self.connect)

    made = Tenant()
    yield made
    with psycopg.connect(module_warehouse_dsn) as connection:
        for schema in made.schemas:
            connection.execute(f'drop schema "{schema}" cascade')


def frames(*tables, error=None) -> tuple[Oracle, Frames]:
    made = Frames(tables, list(COLUMNS.values()), error=error)
    row = {"kind": "oracle", "conn_id": "crm", "schema": "acme"}
    return Oracle(firm(row), lambda conn_id: "", connect=lambda conn_id: made), made


def sales(count: int, **changes) -> pa.Table:
    money = pa.decimal128(18, 4)
    amount = pa.array([Decimal("90071992547409.9301")] * count, money)
    values = {
        "transaction_id": pa.array([f"t{i}" for i in range(count)]),
        "line_id": pa.array(["1"] * count),
        "kind": pa.array(["sale"] * count),
        "occurred_local": pa.array([datetime(2026, 11, 3, 10, 30)] * count, pa.timestamp("s")),  # noqa: DTZ001
        "customer_id": pa.array(["00123"] * count),
        "quantity": pa.array([Decimal(1)] * count, money),
        "gross_amount": amount,
        "discount_amount": pa.array([Decimal(0)] * count, money),
        "net_amount": amount,
        "margin_amount": pa.array([None] * count, money),
        **{
            name: pa.array([None] * count, pa.string())
            for name in ("product_id", "channel", "payment_method", "programme_id", "rejected_reason")
        },
    } | changes
    return pa.table({name.upper(): value for name, value in values.items()})


def test_oracle_is_a_kind_of_source():
    row = {"kind": "oracle", "conn_id": "crm", "schema": "acme"}

    assert "oracle" in SOURCES
    assert isinstance(open_source(firm(row), lambda conn_id: ""), Oracle)


def test_a_sale_is_canonical_and_exact(tenant):
    tenant.run(
        "insert into transactions values ('t1', '00123', '2026-11-03 10:00', 90071992547409.9301,"
        " 90071992547409.9300, 1, 0, 20261103, '7')"
    )

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert row == {
        "transaction_id": "t1",
        "line_id": "1",
        "kind": "sale",
        "occurred_at": datetime(2026, 11, 3, 7, tzinfo=UTC),
        "order_date": date(2026, 11, 3),
        "customer_id": "00123",
        "product_id": None,
        "quantity": Decimal(1),
        "gross_amount": Decimal("90071992547409.9301"),
        "discount_amount": Decimal("0.0001"),
        "net_amount": Decimal("90071992547409.9300"),
        "margin_amount": None,
        "channel": None,
        "payment_method": None,
        "programme_id": "7",
        "rejected_reason": None,
        "source_row": None,
    }


@pytest.mark.parametrize("amount", ["7.25, null", "-7.25, null", "10, 7.25", "-10, -7.25"])
def test_a_return_is_positive_whichever_sign_the_source_gives_it(tenant, amount):
    tenant.run(SALE + f"('t1', 'a', '2026-11-03', {amount}, 3, 0, 20261103, null)")

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert (row["kind"], row["net_amount"], row["rejected_reason"]) == ("return", Decimal("7.25"), None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("'t', 'a', '2026-11-03', 5, 5, 1, 1, 20261103", "deleted"),
        ("'', 'a', '2026-11-03', 5, 5, 1, 0, 20261103", "missing_id"),
        ("null, 'a', '2026-11-03', 5, 5, 1, 0, 20261103", "missing_id"),
        ("'t', 'a', null, 5, 5, 1, 0, 20261103", "bad_date"),
        ("'t', 'a', '9999-12-31', 5, 5, 1, 0, 20261103", "bad_date"),
        ("'t', 'a', '2026-11-03', 5, 5, 1, 0, null", "bad_date"),
        ("'t', 'a', '2026-11-03', 5, 5, 1, 0, 0", "bad_date"),
        ("'t', 'a', '2026-10-03', 5, 5, 1, 0, 20261103", "dates_disagree"),
        ("'t', 'a', '2026-11-20', 5, 5, 1, 0, 20261103", "dates_disagree"),
        ("'t', 'a', '2026-11-03', 5, 5, 2, 0, 20261103", "unknown_state"),
        ("'t', 'a', '2026-11-03', 5, 5, null, 0, 20261103", "unknown_state"),
        ("'t', 'a', '2026-11-03', null, 5, 1, 0, 20261103", "missing_number"),
        ("'t', 'a', '2026-11-03', 'NaN', 5, 1, 0, 20261103", "bad_number"),
        ("'t', 'a', '2026-11-03', -5, -5, 1, 0, 20261103", "negative_amount"),
        ("'t', 'a', '2026-11-03', 5, 6, 1, 0, 20261103", "net_over_gross"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_once_with_its_reason(tenant, values, reason):
    good = "('good', 'a', '2026-09-03', 5, 5, 1, 0, 20260903, null)"
    tenant.run(SALE + good + f", ({values}, null)")

    rows = everything(tenant.source(), TRANSACTIONS)

    assert reasons(rows) == [reason]
    assert [row["transaction_id"] for row in usable(rows)] == ["good"]
    (rejected,) = [row for row in rows if row["rejected_reason"]]
    assert json.loads(rejected["source_row"])["rejected_reason"] == reason


def test_numbers_wider_than_money_are_rejected_not_rounded(tenant):
    tenant.run(
        "alter table transactions alter column amount type numeric",
        SALE + "('t', 'a', '2026-11-03', 1e14, null, 1, 0, 20261103, null),"
        " ('u', 'a', '2026-11-03', 'infinity', null, 1, 0, 20261103, null)",
    )

    assert reasons(everything(tenant.source(), TRANSACTIONS)) == ["bad_number"] * 2


def test_a_till_that_closes_after_midnight_books_under_the_day_before(tenant):
    tenant.run(
        SALE + "('t', 'a', '2026-11-01 00:40', 5, null, 1, 0, 20261031, null),"
        " ('u', 'a', '2026-10-31 23:40', 5, null, 1, 0, 20261101, null)"
    )
    source = tenant.source()

    rows = everything(source, TRANSACTIONS)
    october = [
        row["transaction_id"]
        for batch in source.extract(TRANSACTIONS, month=month("2026-10"), as_of=AS_OF)
        for row in batch.to_pylist()
    ]

    assert {row["transaction_id"]: row["order_date"] for row in rows} == {
        "t": date(2026, 11, 1),
        "u": date(2026, 10, 31),
    }
    assert len(rows) == 2
    assert october == ["u"]


def test_nothing_on_or_after_as_of_is_seen(tenant):
    tenant.run(
        SALE + "('before', 'a', '2026-11-20 23:59:59', 5, 5, 1, 0, 20261120, null),"
        " ('on', 'a', '2026-11-21 00:00', 5, 5, 1, 0, 20261121, null),"
        " ('night', 'a', '2026-11-21 00:30', 5, 5, 1, 0, 20261120, null),"
        " ('undated', 'a', null, 5, 5, 1, 0, 20261121, null)",
        POINTS + "('a', 1, 0, '2026-11-20 23:59:59', 'p'), ('a', 1, 0, '2026-11-21', 'p')",
    )
    source = tenant.source()

    assert [row["transaction_id"] for row in everything(source, TRANSACTIONS)] == ["before"]
    assert [row["order_date"] for row in everything(source, LOYALTY_MOVEMENTS)] == [date(2026, 11, 20)]


def test_a_local_time_becomes_an_instant_in_the_firms_zone(tenant):
    tenant.run(
        SALE + "('twice', 'a', '2026-10-25 01:30', 5, 5, 1, 0, 20261025, null),"
        " ('never', 'a', '2026-03-29 01:30', 5, 5, 1, 0, 20260329, null)"
    )

    rows = {row["transaction_id"]: row for row in everything(tenant.source("Europe/London"), TRANSACTIONS)}

    assert rows["twice"]["occurred_at"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert rows["never"]["occurred_at"] == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [row["order_date"] for row in rows.values()] == [date(2026, 3, 29), date(2026, 10, 25)]


def test_empty_text_is_null_as_in_oracle(tenant):
    tenant.run(
        SALE + "('t', '', '2026-11-03', 5, 5, 1, 0, 20261103, '')",
        "insert into customers values ('a', '1980-02-29', '', ''), ('b', '0044-03-15 BC', 'F', 'İzmir')",
        "insert into customers values ('', null, null, null)",
    )
    source = tenant.source()

    (sale,) = everything(source, TRANSACTIONS)
    customers = everything(source, CUSTOMERS)

    assert (sale["customer_id"], sale["programme_id"]) == (None, None)
    assert reasons(customers) == ["missing_id"]
    assert [
        (row["customer_id"], row["birth_date"], row["gender"], row["city"]) for row in usable(customers)
    ] == [("a", date(1980, 2, 29), None, None), ("b", None, "F", "İzmir")]


def test_keys_are_read_as_they_stand(tenant):
    odd = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "İğ", "a'b--", "👩‍👧"]
    for key in odd:
        tenant.run("insert into customers (unique_customer_id) values ('" + key.replace("'", "''") + "')")

    assert {row["customer_id"] for row in everything(tenant.source(), CUSTOMERS)} == set(odd)


def test_numeric_keys_become_plain_text(tenant):
    tenant.run(
        "alter table transactions alter column transaction_id type numeric(38, 0) using 0",
        SALE + "(12345678901234567890123456789012345678, 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)",
    )

    (row,) = everything(tenant.source(), TRANSACTIONS)

    assert row["transaction_id"] == "12345678901234567890123456789012345678"


def test_points_have_a_key_made_of_what_they_are(tenant):
    tenant.run(
        POINTS
        + "('a', 10.5, 0, '2026-11-03 09:05:06', 'gold'), ('a', 10.5, 0, '2026-11-03 09:05:06', 'gold'),"
        " ('a', null, 3, '2026-11-04', 'gold'), ('', 1, 0, '2026-11-04', 'gold'),"
        " ('a', null, null, '2026-11-04', 'gold'), ('a', -1, 0, '2026-11-04', 'gold'),"
        " ('a', 1, 0, null, 'gold'), ('a', 'NaN', 0, '2026-11-04', 'gold')"
    )

    rows = everything(tenant.source(), LOYALTY_MOVEMENTS)

    assert {row["movement_id"]: (row["points_earned"], row["points_used"]) for row in usable(rows)} == {
        "a/20261103/1090506/1": (Decimal("10.5"), 0),
        "a/20261103/1090506/2": (Decimal("10.5"), 0),
        "a/20261104/1000000/1": (0, 3),
    }
    assert reasons(rows) == [
        "bad_date",
        "bad_number",
        "missing_customer",
        "missing_number",
        "negative_points",
    ]


def test_programmes_are_read():
    programmes = Dataset(
        name="programmes",
        about="One row per loyalty programme.",
        grain=("programme_id",),
        schema=pa.schema([column("programme_id", TEXT, "Key."), column("programme_name", TEXT, "Name.")]),
    )
    names = {"PROGRAMME_ID": ["7"], "PROGRAMME_NAME": ["Gold"], "REJECTED_REASON": pa.array([None], TEXT)}
    source, _ = frames(pa.table(names))

    (row,) = everything(source, programmes)

    assert source.offers(programmes)
    assert (row["programme_id"], row["programme_name"]) == ("7", "Gold")


def test_an_empty_schema_is_no_error(tenant):
    source = tenant.source()

    assert source.first_month(TRANSACTIONS) is None
    assert source.first_month(LOYALTY_MOVEMENTS) is None
    assert everything(source, CUSTOMERS) == []
    assert not source.offers(PRODUCTS)


@pytest.mark.parametrize("key", ["null", "0", "19800101"])
def test_keys_without_any_that_can_be_used_are_an_error(tenant, key):
    tenant.run(SALE + f"('t', 'a', '2026-11-03', 5, 5, 1, 0, {key}, null)")

    with pytest.raises(SourceError, match="transactions has rows, but none with a date from 1990-01-01 on"):
        tenant.source().first_month(TRANSACTIONS)


@pytest.mark.parametrize(
    ("key", "first"), [(20260931, "2026-09"), (20261301, "2026-12"), (20261101, "2026-10")]
)
def test_the_first_month_leaves_room_for_a_key_that_is_off(tenant, key, first):
    tenant.run(SALE + f"('t', 'a', '2026-11-03', 5, 5, 1, 0, {key}, null)")

    assert str(tenant.source().first_month(TRANSACTIONS)) == first


def test_a_tenant_sees_its_own_schema_alone(tenant):
    tenant.run(SALE + "('theirs', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")
    tenant.create("select")
    tenant.run(SALE + "('ours', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")

    rows = everything(tenant.source(), TRANSACTIONS)

    assert [row["transaction_id"] for row in rows] == ["ours"]


def test_no_name_or_value_is_written_into_a_statement(tenant):
    tenant.run(SALE + "('t', 'a', '2026-11-03', 5, 5, 1, 0, 20261103, null)")

    everything(tenant.source(), TRANSACTIONS)
    sent = {text for connection in tenant.opened for text, _ in connection.statements}

    assert sent == {
        (FOLDER / "oracle" / f"{name}.sql").read_text()
        for name in ("catalogue", "transactions_first", "transactions")
    }


def test_what_is_missing_is_named(tenant):
    tenant.run("alter table transactions drop column is_deleted", "drop table customers, loyalty_points")
    source = tenant.source()

    with pytest.raises(SourceError, match=r"TRANSACTIONS has no columns \['IS_DELETED'\]; see docs"):
        source.first_month(TRANSACTIONS)
    with pytest.raises(SourceError, match="missing table CUSTOMERS"):
        everything(source, CUSTOMERS)
    with pytest.raises(SourceError, match="schema 'NOBODY': no such schema, or this login may read nothing"):
        tenant.source(schema="nobody").first_month(TRANSACTIONS)
    assert not source.offers(LOYALTY_MOVEMENTS)


def test_a_firm_without_a_schema_is_refused():
    with pytest.raises(SourceError, match=r"needs source\.conn_id.*and source\.schema"):
        Oracle(firm({"kind": "oracle", "conn_id": "crm"}), lambda conn_id: "")


def test_a_connection_of_another_system_is_refused_without_its_password():
    with pytest.raises(SourceError, match="connection crm is of type 'postgresql'") as raised:
        connect_with_hook("crm", lambda conn_id: "postgresql://u:hunter2@h/db")

    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_down_is_an_error_with_the_way_to_mend_it():
    def connect(conn_id: str):
        return oracledb.connect(user="u", password="hunter2", dsn="127.0.0.1:1/x", tcp_connect_timeout=1)

    row = {"kind": "oracle", "conn_id": "crm", "schema": "acme"}
    source = Oracle(firm(row), lambda conn_id: "", connect=connect)

    with pytest.raises(SourceError, match=r"cannot connect: DPY-.*the Airflow connection right") as raised:
        source.first_month(TRANSACTIONS)
    assert "hunter2" not in str(raised.value)


def test_the_hook_opens_the_connection(monkeypatch):
    uri = "oracle://scott:tiger@127.0.0.1:1/?service_name=XEPDB1"
    monkeypatch.setenv("AIRFLOW_CONN_CRM", uri)

    with pytest.raises(oracledb.OperationalError, match="DPY-6005: cannot connect to database"):
        connect_with_hook("crm", lambda conn_id: uri)


def test_frames_keep_types_nulls_and_edges():
    nothing = pa.array([None] * 3, pa.string())
    source, made = frames(sales(2), sales(3, customer_id=nothing), sales(0), sales(1))

    batches = list(source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF))

    assert [batch.num_rows for batch in batches] == [2, 3, 1]
    assert all(batch.schema == extracted_schema(TRANSACTIONS) for batch in batches)
    assert batches[1].column("customer_id").null_count == 3
    assert batches[0].column("net_amount")[0].as_py() == Decimal("90071992547409.9301")
    assert batches[0].column("occurred_at")[0].as_py() == datetime(2026, 11, 3, 10, 30, tzinfo=UTC)
    assert made.is_closed
    assert made.current_schema == "ACME"


def test_batches_are_bounded_and_asked_for_one_at_a_time():
    source, made = frames(sales(BATCH_ROWS + 10), sales(1))
    batches = source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)

    first = next(batches)

    assert (first.num_rows, made.given) == (BATCH_ROWS, 1)
    assert [batch.num_rows for batch in batches] == [10, 1]


def test_a_failure_in_the_middle_is_an_error_and_closes_the_connection():
    error = oracledb.DatabaseError("ORA-01555: snapshot too old")
    source, made = frames(sales(2), error=error)
    batches = source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)
    next(batches)

    with pytest.raises(SourceError, match="firm acme, oracle source crm, schema 'ACME': ORA-01555"):
        next(batches)
    assert made.is_closed


def test_one_data_set_through_two_adapters_is_the_same(tenant, shop):
    shop.create()
    shop.run(
        "insert into orders values ('t1', '', '2026-11-03 07:00Z', 'completed', '', null, '7')",
        "insert into order_lines values ('t1', '1', '', 1, 10.5, 0.25, 0, null)",
    )
    tenant.run(SALE + "('t1', '', '2026-11-03 10:00', 10.5, 10.25, 1, 0, 20261103, '7')")

    assert everything(tenant.source(), TRANSACTIONS) == everything(
        shop.source("Europe/Istanbul"), TRANSACTIONS
    )


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_a_statement_keeps_to_what_oracle_and_postgres_share(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_looked_up_are_those_the_statement_reads(name):
    table, columns = COLUMNS[name]
    tree = sqlglot.parse_one((FOLDER / "oracle" / f"{name}.sql").read_text(), dialect="oracle")
    ddl = sqlglot.parse((FOLDER / "oracle" / "loyalty.sql").read_text(), dialect="oracle")

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
    name = path.stem.removesuffix("_first")
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
