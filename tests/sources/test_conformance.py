"""Rules that every kind of source must meet; a new kind in SOURCES adds its shop here."""

from collections.abc import Callable
from datetime import date

import psycopg
import pyarrow as pa
import pytest

from include import sql_text
from include.datasets import Dataset
from include.datasets.extracted import CUSTOMERS, TRANSACTIONS
from include.periods import months_between
from include.settings import PROJECT
from include.sources import BINDS, SOURCES, Source, extracted_schema
from include.sources.oracle import Oracle
from tests.sources.conftest import AS_OF, firm, month
from tests.sources.odoo import LINE, ORDER
from tests.sources.oracle_server import PostgresAsOracle

# Each shop holds these sales of customer 10, one line each; the last one happens on AS_OF, so it is unknown.
DAYS = (date(2026, 9, 3), date(2026, 10, 5), date(2026, 11, 20), AS_OF)
KNOWN = DAYS[:-1]


def csv_shop(request) -> Source:
    drop = request.getfixturevalue("drop")
    lines = "".join(f"o{n},1,{day} 12:00:00,10,5\n" for n, day in enumerate(DAYS))
    drop.write("sales.csv", "transaction_id,line_id,occurred_at,customer_id,net_amount\n" + lines)
    return drop.source("mapped", timezone="UTC")


def postgres_shop(request) -> Source:
    shop = request.getfixturevalue("shop")
    shop.create()
    shop.run("insert into customers (customer_id) values ('10')")
    for n, day in enumerate(DAYS):
        shop.run(
            f"insert into orders (order_id, customer_id, ordered_at) values ('o{n}', '10', '{day} 12:00Z')",
            f"insert into order_lines (order_id, line_no, quantity, gross_amount) values ('o{n}', '1', 1, 5)",
        )
    return shop.source("UTC")


def odoo_shop(request) -> Source:
    odoo = request.getfixturevalue("odoo")
    for n, day in enumerate(DAYS, start=1):
        odoo.run(
            ORDER + f"({n}, 'S{n}', 1, 10, 'sale', '{day} 12:00', null)",
            LINE + f"({n}, {n}, 5, 1, 5, 0, null, false)",
        )
    return odoo.source("UTC")


def oracle_shop(request) -> Source:
    dsn = request.getfixturevalue("module_warehouse_dsn")
    with psycopg.connect(dsn) as connection:
        connection.execute("drop schema if exists tenant cascade")
        connection.execute("create schema tenant")
        connection.execute("set search_path = tenant")
        connection.execute(sql_text.read("extract", "oracle", "loyalty"))
        connection.execute(
            "create view all_tab_columns as select upper(table_schema) as owner, upper(table_name) as"
            " table_name, upper(column_name) as column_name from information_schema.columns"
        )
        connection.execute("insert into customers values ('10', null, null, null)")
        for n, day in enumerate(DAYS):
            connection.execute(
                f"insert into transactions values ('t{n}', '10', '{day} 12:00', 5, null, 1, 0,"
                f" {day:%Y%m%d}, null)"
            )

    def connect(conn_id: str) -> PostgresAsOracle:
        server = PostgresAsOracle(dsn)
        server._connection.execute("set search_path to tenant")
        return server

    row = {"kind": "oracle", "conn_id": "crm", "schema": "tenant"}
    return Oracle(firm(row, "UTC"), lambda conn_id: "", connect=connect)


SHOPS: dict[str, Callable[..., Source]] = {
    "csv": csv_shop,
    "postgres": postgres_shop,
    "odoo": odoo_shop,
    "oracle": oracle_shop,
}


def read(source: Source, dataset: Dataset, as_of: date) -> list[pa.RecordBatch]:
    if dataset.by != "month":
        return list(source.extract(dataset, month=None, as_of=as_of))
    first = source.first_month(dataset)
    return [
        batch
        for one in (months_between(first, as_of) if first else ())
        for batch in source.extract(dataset, month=one, as_of=as_of)
    ]


def failures(source: Source) -> list[str]:
    """The rules of a source that this one breaks, when it reads a shop with the sales of ``DAYS``."""
    broken = []
    if not source.offers(TRANSACTIONS):
        return ["offers(TRANSACTIONS) is False, so the firm has no sales"]
    if source.first_month(TRANSACTIONS) != month("2026-09"):
        broken.append(f"first_month is {source.first_month(TRANSACTIONS)}, not the month of the first sale")
    batches = read(source, TRANSACTIONS, AS_OF)
    rows = [row for batch in batches for row in batch.to_pylist()]
    if wrong := [b.schema.names for b in batches if not b.schema.equals(extracted_schema(TRANSACTIONS))]:
        broken.append(f"a batch has columns {wrong[0]}; see extracted_schema in include/sources")
    if len(rows) != len(KNOWN):
        broken.append(f"{len(rows)} sales were extracted, not the {len(KNOWN)} before as_of")
    if sorted(str(row["order_date"]) for row in rows) != [str(day) for day in KNOWN]:
        broken.append("the days of the extracted sales are not those of the shop")
    if any(row["customer_id"] != "10" or row["rejected_reason"] for row in rows):
        broken.append("a usable sale of customer 10 lost its customer or was rejected")
    if sum(row["net_amount"] or 0 for row in rows) != 5 * len(KNOWN):
        broken.append("the net amounts do not add up")
    days = dict.fromkeys(months_between(month("2026-09"), AS_OF), AS_OF)
    if source.counts(TRANSACTIONS, days) != dict.fromkeys(days, 1):
        broken.append(f"counts gives {source.counts(TRANSACTIONS, days)}, not one sale a month")
    earlier = [row for batch in read(source, TRANSACTIONS, KNOWN[1]) for row in batch.to_pylist()]
    if len(earlier) != 1:
        broken.append("a sale on as_of was extracted: as_of is exclusive")
    return broken


def test_every_source_has_a_shop_here():
    assert set(SHOPS) == set(SOURCES), "write a shop of the new kind in tests/sources/test_conformance.py"


@pytest.mark.parametrize("kind", SHOPS)
def test_a_source_meets_the_rules_of_all_sources(kind, request):
    source = SHOPS[kind](request)

    assert failures(source) == []


@pytest.mark.parametrize("kind", SHOPS)
def test_a_snapshot_has_the_contracts_columns_and_its_customer(kind, request):
    source = SHOPS[kind](request)

    batches = read(source, CUSTOMERS, AS_OF) if source.offers(CUSTOMERS) else []

    assert all(batch.schema.equals(extracted_schema(CUSTOMERS)) for batch in batches)
    if source.offers(CUSTOMERS):
        assert [row["customer_id"] for batch in batches for row in batch.to_pylist()] == ["10"]


def unknown_parameters(kind: str, source: Source) -> list[str]:
    """Parameters of the kind's statements that the source does not give, and binds that none asks for."""
    given, first = source.binds(month("2026-10"), AS_OF), source.binds(None, None)
    asked, broken = set(), []
    for path in sorted((sql_text.FOLDER / "extract" / kind).rglob("*.sql")):
        names = sql_text.parameters(path.read_text())
        asked |= set(names)
        lacking = set(names) - set(first if path.stem.endswith("_first") else given)
        broken += [f"{kind}/{path.name}: binds() of the source lacks :{name}" for name in lacking]
    unused = set(given) - asked - set(BINDS)
    return broken + [f"{kind}: no statement asks for :{name}" for name in sorted(unused)]


@pytest.mark.parametrize("kind", SHOPS)
def test_a_source_gives_every_value_that_its_statements_ask_for(kind, request):
    source = SHOPS[kind](request)

    assert unknown_parameters(kind, source) == []


@pytest.mark.parametrize("kind", SHOPS)
def test_the_binds_that_all_sources_share_are_given_by_each(kind, request):
    source = SHOPS[kind](request)

    assert set(source.binds(month("2026-10"), AS_OF)) >= set(BINDS)
    assert {"as_of_start", "earliest", "latest"} <= set(source.binds(None, AS_OF)) - {"month_start"}
    assert "as_of_start" not in source.binds(None, None)


def test_a_source_that_yields_nothing_fails():
    class Nothing:
        def binds(self, month, as_of):
            return {}

        def offers(self, dataset):
            return True

        def first_month(self, dataset):
            return None

        def extract(self, dataset, *, month, as_of):
            yield from ()

        def counts(self, dataset, months):
            return {}

    found = failures(Nothing())

    assert "0 sales were extracted, not the 3 before as_of" in found
    assert any(line.startswith("first_month is None") for line in found)


def test_every_kind_has_a_section_in_the_docs():
    titles = (PROJECT / "docs" / "sources.md").read_text().splitlines()

    assert [f"write '## {kind}' in docs/sources.md" for kind in SOURCES if f"## {kind}" not in titles] == []
