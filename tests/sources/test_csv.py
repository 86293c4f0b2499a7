"""A file of sales becomes canonical rows: online_retail and cdnow, line by line."""

import gzip
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include import sql_text
from include.datasets.extracted import CUSTOMERS, PRODUCTS, TRANSACTIONS
from include.sources import BATCH_ROWS, SourceError
from tests.sources.conftest import AS_OF, everything, month, reasons, usable
from tests.sources.retail import HEADER, LINE


def test_a_line_of_online_retail_is_canonical_and_exact(drop):
    drop.write("sales.csv", HEADER + LINE)

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert row.pop("line_id").endswith("-1")
    assert row == {
        "transaction_id": "536365",
        "kind": "sale",
        "occurred_at": datetime(2026, 11, 3, 8, 26, tzinfo=UTC),
        "order_date": date(2026, 11, 3),
        "customer_id": "17850",
        "product_id": "85123A",
        "quantity": Decimal(6),
        "gross_amount": Decimal("15.30"),
        "discount_amount": Decimal(0),
        "net_amount": Decimal("15.30"),
        "margin_amount": None,
        "channel": None,
        "payment_method": None,
        "programme_id": None,
        "rejected_reason": None,
        "source_row": None,
    }


@pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz", "sales.parquet"])
@pytest.mark.parametrize(
    "header",
    [HEADER.strip(), "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"],
)
def test_both_headers_and_every_kind_of_file_give_the_same_rows(drop, tmp_path, name, header):
    drop.write("plain.csv", HEADER + LINE)
    wanted = everything(drop.source("online_retail"), TRANSACTIONS)
    (drop.folder / "plain.csv").unlink()
    if name == "sales.parquet":
        values = [
            "536365",
            "85123A",
            "HEART",
            6,
            datetime(2026, 11, 3, 8, 26),  # noqa: DTZ001 the files have local times
            2.55,
            17850.0,
            "United Kingdom",
        ]
        columns = {column: [value] for column, value in zip(header.split(","), values, strict=True)}
        pq.write_table(pa.table(columns), drop.folder / name)
    else:
        text = (header + "\n" + LINE).encode()
        drop.write(name, gzip.compress(text) if name.endswith("gz") else text)

    assert everything(drop.source("online_retail"), TRANSACTIONS) == wanted


def test_columns_may_be_in_any_order_and_others_are_ignored(drop):
    drop.write(
        "sales.csv",
        "Country,Note,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo\n"
        "France,x,12583,1.5,2026-11-03 08:26,2,TEA,1,536370\n",
    )

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert (row["transaction_id"], row["customer_id"], row["net_amount"]) == ("536370", "12583", Decimal(3))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",1,TEA,1,2026-11-03 08:26,1.5,1,X", "missing_id"),
        ("1,1,TEA,1,,1.5,1,X", "bad_date"),
        ("1,1,TEA,1,31/11/2026 08:26,1.5,1,X", "bad_date"),
        ("1,1,TEA,1,0001-01-01 00:00,1.5,1,X", "bad_date"),
        ("1,1,TEA,1,1899-12-30 00:00,1.5,1,X", "bad_date"),
        ("1,1,TEA,1,10000-01-01 00:00,1.5,1,X", "bad_date"),
        ("1,1,TEA,1,infinity,1.5,1,X", "bad_date"),
        ("1,1,TEA,,2026-11-03 08:26,1.5,1,X", "missing_number"),
        ("1,1,TEA,1,2026-11-03 08:26,,1,X", "missing_number"),
        ("1,1,TEA,one,2026-11-03 08:26,1.5,1,X", "bad_number"),
        ("1,1,TEA,1,2026-11-03 08:26,NaN,1,X", "bad_number"),
        ("1,1,TEA,1,2026-11-03 08:26,inf,1,X", "bad_number"),
        ("1,1,TEA,1,2026-11-03 08:26,1e400,1,X", "bad_number"),
        ("1,1,TEA,99999999999999999,2026-11-03 08:26,1,1,X", "bad_number"),
        ("1,1,TEA,99999999,2026-11-03 08:26,99999999,1,X", "bad_number"),
        ("1,1,TEA,1,2026-11-03 08:26,0,1,X", "price_not_positive"),
        ("1,1,TEA,1,2026-11-03 08:26,-3,1,X", "price_not_positive"),
        ("1,1,TEA,0,2026-11-03 08:26,1,1,X", "quantity_not_positive"),
        ("1,1,TEA,-4,2026-11-03 08:26,1,1,X", "quantity_not_positive"),
        ("C1,1,TEA,4,2026-11-03 08:26,1,1,X", "return_not_negative"),
        ("1,1,T\0A,1,2026-11-03 08:26,1,1,X", "nul_character"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_reason(drop, line, reason):
    drop.write("sales.csv", HEADER + LINE + line + "\n")

    rows = everything(drop.source("online_retail"), TRANSACTIONS)

    assert reasons(rows) == [reason]
    assert len(usable(rows)) == 1
    (rejected,) = [row for row in rows if row["rejected_reason"]]
    assert rejected["source_row"].startswith('{"invoice_no":')
    assert "\\u0000" not in rejected["source_row"]


def test_a_c_invoice_is_a_return_with_positive_amounts(drop):
    drop.write("sales.csv", HEADER + "C536379,D,Discount,-2,2026-11-03 09:41,27.50,14527,United Kingdom\n")

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert (row["kind"], row["quantity"], row["net_amount"]) == ("return", Decimal(2), Decimal(55))


def test_the_order_of_rows_changes_nothing_and_duplicates_are_numbered(drop):
    lines = [LINE, LINE, LINE.replace("HEART", "LANTERN"), LINE.replace(",6,", ",1,")]
    seen = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        drop.write("sales.csv", HEADER + "".join(lines[i] for i in order))
        seen.append({row["line_id"] for row in everything(drop.source("online_retail"), TRANSACTIONS)})

    assert len(seen[0]) == 4
    assert seen[0] == seen[1] == seen[2]


def test_a_customers_place_is_that_of_the_last_line_before_as_of(drop):
    drop.write(
        "sales.csv",
        HEADER
        + "1,1,TEA,1,2026-11-01 08:00,1,1,France\n1,1,TEA,1,2026-11-09 08:00,1,1,Spain\n"
        + "1,1,TEA,1,2026-11-20 08:00,1,1,Italy\n1,1,TEA,1,2026-11-20 09:00,1,2,Italy\n"
        + "1,1,TEA,1,2026-11-02 09:00,1,,Malta\n",
    )

    (row,) = everything(drop.source("online_retail"), CUSTOMERS, as_of=date(2026, 11, 20))

    assert (row["customer_id"], row["country"], row["joined_date"]) == ("1", "Spain", date(2026, 11, 1))


def test_a_product_gets_its_most_frequent_name_and_ties_are_alphabetical(drop):
    drop.write(
        "sales.csv",
        HEADER
        + "".join(
            f"1,{code},{name},1,2026-11-01 08:00,1,1,France\n"
            for code, name in [("a", "TEA"), ("a", "TEA"), ("a", "BAD"), ("b", "Z"), ("b", "Y"), ("c", "")]
        ),
    )

    rows = everything(drop.source("online_retail"), PRODUCTS)

    assert {row["product_id"]: row["product_name"] for row in rows} == {"a": "TEA", "b": "Y", "c": None}


def test_nothing_on_or_after_as_of_is_seen(drop):
    drop.write("sales.csv", HEADER + LINE + LINE.replace("11-03", "11-04"))

    rows = everything(drop.source("online_retail"), TRANSACTIONS, as_of=date(2026, 11, 4))

    assert [row["order_date"] for row in rows] == [date(2026, 11, 3)]


def test_rows_without_a_usable_date_are_counted_only_in_the_current_month(drop):
    drop.write("sales.csv", HEADER + LINE.replace("11-03", "09-03") + LINE + LINE.replace("2026-11-03", "?"))
    source = drop.source("online_retail")

    found = {
        text: [reasons(b.to_pylist()) for b in source.extract(TRANSACTIONS, month=month(text), as_of=AS_OF)]
        for text in ("2026-09", "2026-10", "2026-11")
    }

    assert found == {"2026-09": [[]], "2026-10": [], "2026-11": [[], ["bad_date"]]}


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_local_time_is_the_same_instant_as_in_python(zone):
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    database.execute(sql_text.read("extract", "csv", "macros"))
    first = datetime(2011, 1, 1)  # noqa: DTZ001 local times have no zone yet; that is the point
    times = [first + timedelta(minutes=30 * i) for i in range(366 * 48)]
    database.register("times", pa.table({"t": pa.array(times, pa.timestamp("us"))}))

    rows = database.execute("select t, epoch(local_instant(t, $zone)) from times", {"zone": zone}).fetchall()

    wrong = [(t, at) for t, at in rows if t.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp() != at]
    assert wrong == []


def test_a_local_time_that_occurs_twice_means_the_first_instant(drop):
    drop.write("sales.csv", HEADER + LINE.replace("2026-11-03 08:26", "2026-10-25 01:30"))

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert row["occurred_at"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_keys_are_read_unchanged(drop):
    odd = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "İğ", "a'b--", "‮x", "👩‍👧", "12346.5"]
    drop.write("sales.csv", HEADER + "".join(f"{key},1,TEA,1,2026-11-01 08:00,1,{key},X\n" for key in odd))

    rows = everything(drop.source("online_retail"), TRANSACTIONS)

    assert {row["transaction_id"] for row in rows} == {row["customer_id"] for row in rows} == set(odd)


def test_customer_ids_written_as_floats_become_whole_numbers(drop):
    drop.write("sales.csv", HEADER + LINE.replace("17850", "12346.0"))

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert row["customer_id"] == "12346"


@pytest.mark.parametrize("text", ["", "\ufeff"])
@pytest.mark.parametrize("header", ["customer_id,date,cds,spend\n", ""])
def test_cdnow_may_have_a_header_or_none(drop, text, header):
    drop.write(
        "cdnow.csv", text + header + "00001,19970101,1,11.77\n00001,19970101,1,11.77\n00002,1997-01-12,1,0\n"
    )

    rows = usable(everything(drop.source("cdnow"), TRANSACTIONS, as_of=date(1998, 7, 1)))

    assert sorted((row["transaction_id"], row["net_amount"]) for row in rows) == [
        ("00001-19970101-1-11.77-1", Decimal("11.77")),
        ("00001-19970101-1-11.77-2", Decimal("11.77")),
        ("00002-19970112-1-0-1", Decimal(0)),
    ]


def test_a_wrong_header_is_not_read_as_a_cdnow_row(drop):
    drop.write("cdnow.csv", "id,day,n,money\n00001,19970101,1,11.77\n")

    with pytest.raises(SourceError, match=r"cdnow.csv: no column 'customer_id'; the file has \['id', 'day'"):
        drop.source("cdnow").first_month(TRANSACTIONS)


def test_batches_are_bounded(drop):
    drop.write("cdnow.csv", "00001,20261103,1,11.77\n" * (BATCH_ROWS + 10))
    source = drop.source("cdnow")

    sizes = [b.num_rows for b in source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)]

    assert sum(sizes) == BATCH_ROWS + 10
    assert max(sizes) <= BATCH_ROWS


def test_every_row_is_either_loaded_or_rejected(drop):
    chance = random.Random(11)
    odd = [
        "",
        "0",
        "-1",
        "NaN",
        "1e9",
        "x",
        "2026-11-03 08:26",
        "C1",
        "1.5",
        "ü",
        "1/2/2026 10:00",
        "\0",
        " ",
    ]
    lines = [",".join(chance.choice(odd) for _ in range(8)) for _ in range(2000)]
    drop.write("sales.csv", HEADER + LINE + "\n".join(lines) + "\n")

    rows = everything(drop.source("online_retail"), TRANSACTIONS)

    assert len(rows) == 2001
    assert len(usable(rows)) + len(reasons(rows)) == 2001
    assert all(row["net_amount"] > 0 and row["order_date"] for row in usable(rows))
