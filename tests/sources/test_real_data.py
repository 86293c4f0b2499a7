"""Published counts and sums of well-known data sets, reproduced exactly."""

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from include.datasets.extracted import CUSTOMERS, PRODUCTS, TRANSACTIONS
from include.demo.data import JOURNEY_SCHEMA, load_journey, write_cdnow
from include.periods import months_between
from include.sources import open_source
from tests.sources.conftest import firm

DATA = Path(__file__).parents[3] / "shared" / "data"


def lines(source, as_of: date) -> pa.Table:
    first = source.first_month(TRANSACTIONS)
    batches = [
        b for m in months_between(first, as_of) for b in source.extract(TRANSACTIONS, month=m, as_of=as_of)
    ]
    return pa.Table.from_batches(batches)


def ask(sql: str, **tables: pa.Table) -> list[tuple]:
    with duckdb.connect() as database:
        for name, table in tables.items():
            database.register(name, table)
        return database.execute(sql).fetchall()


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory):
    folder = DATA / "online_retail_i"
    if not folder.is_dir():
        pytest.skip("../shared/data/online_retail_i is not here")
    row = {"kind": "csv", "uri": folder.as_uri(), "layout": "online_retail"}
    source = open_source(firm(row), lambda conn_id: "", scratch=tmp_path_factory.mktemp("scratch"))
    truth = json.loads((folder / "ground_truth.json").read_text())
    return source, lines(source, date(2011, 12, 10)), truth


def test_online_retail_has_its_identified_sales(online_retail):
    _, table, truth = online_retail
    clean = truth["clean(cust not null,not C,qty>0,price>0)"]

    (found,) = ask(
        """
        select count(*), count(distinct customer_id), count(distinct transaction_id), sum(net_amount)
        from t where customer_id is not null and kind = 'sale' and rejected_reason is null
        """,
        t=table,
    )

    assert found == (clean["rows"], clean["customers"], clean["invoices"], Decimal("8911407.904"))
    assert found == (397884, 4338, 18532, Decimal("8911407.904"))


def test_online_retail_net_of_returns(online_retail):
    _, table, truth = online_retail

    ((net,),) = ask(
        """
        select sum(if(kind = 'sale', net_amount, -net_amount))
        from t where customer_id is not null and rejected_reason is null
        """,
        t=table,
    )

    assert net == Decimal(str(truth["net_revenue_identified"])) == Decimal("8300065.814")


def test_every_line_of_online_retail_is_either_used_or_rejected(online_retail):
    _, table, truth = online_retail

    found = dict(
        ask(
            """
            select
                concat_ws(' ', if(customer_id is null, 'nobody', 'somebody'), kind, rejected_reason) as text,
                count(*)
            from t group by text
            """,
            t=table,
        )
    )

    assert found == {
        "nobody return": 383,
        "nobody sale": 132220,
        "nobody sale price_not_positive": 2477,
        "somebody return": 8905,
        "somebody sale": 397884,
        "somebody sale price_not_positive": 40,
    }
    assert (
        sum(n for text, n in found.items() if text.startswith("nobody"))
        == truth["null_customer_rows"]
        == 135080
    )
    assert sum(found.values()) == truth["rows"] == 541909


def test_the_months_of_online_retail(online_retail):
    _, table, truth = online_retail

    found = ask(
        """
        select strftime(order_date, '%Y-%m'), count(distinct transaction_id), count(distinct customer_id),
            round(sum(net_amount), 2)
        from t where customer_id is not null and kind = 'sale' and rejected_reason is null group by 1
        """,
        t=table,
    )

    wanted = truth["monthly_clean(orders,customers,revenue)"]
    assert {m: [float(orders), float(buyers), float(sales)] for m, orders, buyers, sales in found} == wanted


@pytest.mark.parametrize(
    ("key", "select"),
    [
        (
            "top10_clean",
            "count(distinct transaction_id), round(sum(net_amount), 2) as spend from t where kind = 'sale'",
        ),
        (
            "top10_net_of_cancellations",
            "round(sum(if(kind = 'sale', net_amount, -net_amount)), 2) as spend from t where true",
        ),
    ],
)
def test_the_top_ten_customers_of_online_retail(online_retail, key, select):
    _, table, truth = online_retail

    found = ask(
        f"""
        select customer_id::int, {select} and customer_id is not null and rejected_reason is null
        group by customer_id order by spend desc limit 10
        """,
        t=table,
    )

    assert [[float(value) for value in row] for row in found] == [
        [float(v) for v in row] for row in truth[key]
    ]


def test_no_line_of_online_retail_shares_its_key(online_retail):
    _, table, _ = online_retail

    ((rows, keys),) = ask("select count(*), count(distinct (transaction_id, line_id)) from t", t=table)

    assert rows == keys == 541909


def test_the_customers_of_online_retail_are_those_with_a_usable_line(online_retail):
    source, table, _ = online_retail
    as_of = date(2011, 12, 10)

    customers = pa.Table.from_batches(source.extract(CUSTOMERS, month=None, as_of=as_of))
    products = pa.Table.from_batches(source.extract(PRODUCTS, month=None, as_of=as_of))

    wanted = "select distinct {} from t where rejected_reason is null and {} is not null"
    assert {c for (c,) in ask(wanted.format("customer_id", "customer_id"), t=table)} == set(
        customers["customer_id"].to_pylist()
    )
    assert {p for (p,) in ask(wanted.format("product_id", "product_id"), t=table)} == set(
        products["product_id"].to_pylist()
    )
    assert all(len(c) == 5 and c.isdecimal() for c in customers["customer_id"].to_pylist())


@pytest.mark.parametrize("where", ["the lifetimes wheel", "../shared/data"])
def test_cdnow_has_its_customers_and_spend(tmp_path, where):
    folder = tmp_path / "cdnow"
    if where == "../shared/data":
        if not (DATA / "cdnow").is_dir():
            pytest.skip("../shared/data/cdnow is not here")
        folder.mkdir()
        shutil.copy(DATA / "cdnow" / "cdnow_master.csv.gz", folder)
    else:
        write_cdnow(folder)
    row = {"kind": "csv", "uri": folder.as_uri(), "layout": "cdnow"}
    source = open_source(firm(row, "America/New_York"), lambda conn_id: "", scratch=tmp_path / "scratch")

    found = ask(
        """
        select count(*), count(distinct transaction_id), count(distinct customer_id), sum(net_amount),
            count(*) filter (net_amount = 0), min(order_date), max(order_date), count(rejected_reason)
        from t
        """,
        t=lines(source, date(1998, 7, 1)),
    )

    assert found == [(69659, 69659, 23570, Decimal("2500315.63"), 80, date(1997, 1, 1), date(1998, 6, 30), 0)]


def test_the_complete_journey_has_its_baskets_and_its_january(module_warehouse_dsn):
    load_journey(module_warehouse_dsn)
    row = {"kind": "postgres", "conn_id": "shop", "schema": JOURNEY_SCHEMA}
    source = open_source(firm(row, "America/New_York"), lambda conn_id: module_warehouse_dsn)
    as_of = date(2018, 1, 1)

    table = lines(source, as_of)
    customers = sum(b.num_rows for b in source.extract(CUSTOMERS, month=None, as_of=as_of))

    found = ask(
        """
        select count(*), count(distinct transaction_id), count(distinct customer_id), sum(net_amount),
            sum(net_amount) filter (order_date < '2017-02-01'), min(order_date), max(order_date),
            count(rejected_reason)
        from t
        """,
        t=table,
    )
    assert found == [
        (
            1469307,
            155848,
            2469,
            Decimal("4596039.58"),
            Decimal("373300.23"),
            date(2017, 1, 1),
            date(2017, 12, 31),
            0,
        )
    ]
    assert customers == 2469
    assert load_journey(module_warehouse_dsn) is False
