"""The Oracle source and its driver: connecting, converting data frames, and errors."""

from datetime import UTC, datetime
from decimal import Decimal

import oracledb
import pyarrow as pa
import pytest

from include.datasets import Dataset
from include.datasets.contract import TEXT, column
from include.datasets.extracted import TRANSACTIONS
from include.sources import BATCH_ROWS, SOURCES, SourceError, extracted_schema, open_source
from include.sources.oracle import COLUMNS, Oracle, connect_with_hook
from tests.sources.conftest import AS_OF, everything, firm, month
from tests.sources.oracle_server import Frames


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


def test_a_firm_without_a_schema_is_refused():
    with pytest.raises(SourceError, match=r"needs source\.conn_id.*and source\.schema"):
        Oracle(firm({"kind": "oracle", "conn_id": "crm"}), lambda conn_id: "")


def test_a_connection_of_another_system_is_refused_without_its_password():
    with pytest.raises(SourceError, match="connection crm is of type 'postgresql'") as raised:
        connect_with_hook("crm", lambda conn_id: "postgresql://u:hunter2@h/db")

    assert "hunter2" not in str(raised.value)


def test_an_unreachable_server_is_an_error_that_says_what_to_check():
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


def test_batches_are_bounded_and_fetched_one_at_a_time():
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
