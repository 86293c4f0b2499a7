import gzip
import os
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.sources import BATCH_ROWS, SourceError, open_source
from include.sources.statements import statement
from tests.sources.conftest import AS_OF, everything, firm, month, reasons, usable

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINE = "536365,85123A,HEART,6,2026-11-03 08:26:00,2.55,17850,United Kingdom\n"


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


def test_columns_may_stand_in_any_order_beside_others(drop):
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


def test_the_order_of_rows_changes_nothing_and_copies_are_kept_apart(drop):
    lines = [LINE, LINE, LINE.replace("HEART", "LANTERN"), LINE.replace(",6,", ",1,")]
    seen = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        drop.write("sales.csv", HEADER + "".join(lines[i] for i in order))
        seen.append({row["line_id"] for row in everything(drop.source("online_retail"), TRANSACTIONS)})

    assert len(seen[0]) == 4
    assert seen[0] == seen[1] == seen[2]


def test_a_customer_lives_where_the_last_line_before_as_of_says(drop):
    drop.write(
        "sales.csv",
        HEADER
        + "1,1,TEA,1,2026-11-01 08:00,1,1,France\n1,1,TEA,1,2026-11-09 08:00,1,1,Spain\n"
        + "1,1,TEA,1,2026-11-20 08:00,1,1,Italy\n1,1,TEA,1,2026-11-20 09:00,1,2,Italy\n"
        + "1,1,TEA,1,2026-11-02 09:00,1,,Malta\n",
    )

    (row,) = everything(drop.source("online_retail"), CUSTOMERS, as_of=date(2026, 11, 20))

    assert (row["customer_id"], row["country"], row["joined_date"]) == ("1", "Spain", date(2026, 11, 1))


def test_a_product_is_called_as_it_mostly_is_and_ties_go_by_the_alphabet(drop):
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


def test_rows_that_no_date_places_are_counted_in_the_current_month_alone(drop):
    drop.write("sales.csv", HEADER + LINE.replace("11-03", "09-03") + LINE + LINE.replace("2026-11-03", "?"))
    source = drop.source("online_retail")

    found = {
        text: [reasons(b.to_pylist()) for b in source.extract(TRANSACTIONS, month=month(text), as_of=AS_OF)]
        for text in ("2026-09", "2026-10", "2026-11")
    }

    assert found == {"2026-09": [[]], "2026-10": [], "2026-11": [[], ["bad_date"]]}


def test_files_without_any_date_that_can_be_read_are_an_error(drop):
    drop.write("sales.csv", HEADER + LINE.replace("2026-11-03", "?"))

    with pytest.raises(SourceError, match=r"none of the rows .* set mapping.date_format"):
        drop.source("online_retail").first_month(TRANSACTIONS)


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_local_time_is_the_instant_that_python_takes_it_for(zone):
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    database.execute(statement("csv/macros"))
    first = datetime(2011, 1, 1)  # noqa: DTZ001 local times have no zone yet; that is the point
    times = [first + timedelta(minutes=30 * i) for i in range(366 * 48)]
    database.register("times", pa.table({"t": pa.array(times, pa.timestamp("us"))}))

    rows = database.execute("select t, epoch(local_instant(t, $zone)) from times", {"zone": zone}).fetchall()

    wrong = [(t, at) for t, at in rows if t.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp() != at]
    assert wrong == []


def test_an_hour_that_comes_twice_is_its_first(drop):
    drop.write("sales.csv", HEADER + LINE.replace("2026-11-03 08:26", "2026-10-25 01:30"))

    (row,) = everything(drop.source("online_retail"), TRANSACTIONS)

    assert row["occurred_at"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_keys_are_read_as_they_stand(drop):
    odd = ["00123", "1e5", " a", "A", "a", "9223372036854775808", "İğ", "a'b--", "‮x", "👩‍👧", "12346.5"]
    drop.write("sales.csv", HEADER + "".join(f"{key},1,TEA,1,2026-11-01 08:00,1,{key},X\n" for key in odd))

    rows = everything(drop.source("online_retail"), TRANSACTIONS)

    assert {row["transaction_id"] for row in rows} == {row["customer_id"] for row in rows} == set(odd)


def test_customers_that_went_through_floating_point_are_whole_again(drop):
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


def test_a_wrong_header_is_no_line_of_cdnow(drop):
    drop.write("cdnow.csv", "id,day,n,money\n00001,19970101,1,11.77\n")

    with pytest.raises(SourceError, match=r"cdnow.csv: no column 'customer_id'; the file has \['id', 'day'"):
        drop.source("cdnow").first_month(TRANSACTIONS)


MAPPING = {
    "transaction_id": "Fiş No",
    "occurred_at": "Tarih",
    "customer_id": "Müşteri",
    "product_id": "Ürün",
    "quantity": "Adet",
    "net_amount": "Tutar",
    "date_format": "%d.%m.%Y %H:%M",
    "decimal_mark": ",",
    "delimiter": ";",
    "encoding": "cp1254",
}
TURKISH = (
    "Fiş No;Tarih;Müşteri;Ürün;Adet;Tutar\n"
    "F1;03.11.2026 10:00;007;çay;2;1.234,50\n"
    "F2;03.11.2026 11:00;;;-1;-12,5\n"
)


def test_any_file_can_be_mapped(drop):
    drop.write("satis.csv", TURKISH.encode("cp1254"))

    rows = everything(drop.source("mapped", MAPPING, "Europe/Istanbul"), TRANSACTIONS)

    assert [
        (
            row["kind"],
            row["customer_id"],
            row["product_id"],
            row["quantity"],
            row["net_amount"],
            row["occurred_at"],
        )
        for row in sorted(rows, key=lambda row: row["transaction_id"])
    ] == [
        ("sale", "007", "çay", Decimal(2), Decimal("1234.5"), datetime(2026, 11, 3, 7, tzinfo=UTC)),
        ("return", None, None, Decimal(1), Decimal("12.5"), datetime(2026, 11, 3, 8, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantity": "Adetler"}, "no column 'Adetler'; the file has"),
        ({"encoding": "utf-8"}, "Layout mapped|is not utf-8"),
        ({"encoding": "klingon"}, "encoding 'klingon' is unknown"),
        ({"delimiter": ";;"}, "must be one character"),
        ({"delimiter": ","}, "no column 'Fiş No'"),
        ({"zone": "Mars/Olympus"}, "'Mars/Olympus' is not a time zone"),
        ({"decimal_mark": "'"}, "must be '.' or ','"),
        ({"colour": "Renk"}, r"unknown columns \['colour'\]"),
        ({"date_format": "%Q"}, "%Q|strptime|specifier"),
    ],
)
def test_a_mapping_that_does_not_fit_says_where(drop, change, said):
    drop.write("sales.csv", TURKISH.encode("cp1254"))

    with pytest.raises(SourceError, match=said):
        everything(drop.source("mapped", MAPPING | change, "Europe/Istanbul"), TRANSACTIONS)


@pytest.mark.parametrize("missing", ["transaction_id", "occurred_at", "net_amount"])
def test_a_mapping_must_name_what_a_sale_needs(drop, missing):
    with pytest.raises(SourceError, match=f"mapping must name .*{missing}"):
        drop.source("mapped", {k: v for k, v in MAPPING.items() if k != missing})


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-03", datetime(2026, 11, 2, 21, tzinfo=UTC)),
        ("2026-11-03 10:00", datetime(2026, 11, 3, 7, tzinfo=UTC)),
        ("2026-11-03T10:00:00.25", datetime(2026, 11, 3, 7, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-03T10:00:00Z", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("2026-11-03 10:00:00+05:30", datetime(2026, 11, 3, 4, 30, tzinfo=UTC)),
        ("2026-11-03T10:00-0300", datetime(2026, 11, 3, 13, tzinfo=UTC)),
        ("2026-11-31", None),
        ("2026-11-03T24:30", None),
        ("03-11-2026", None),
        ("20261103", None),
        ("2026-11-03 10:00 Europe/London", None),
    ],
)
def test_an_iso_time_is_local_unless_it_has_an_offset(drop, written, instant):
    drop.write(
        "s.csv", f"transaction_id,occurred_at,customer_id,net_amount\n1,{written},a,1\n2,2026-11-03,a,1\n"
    )

    rows = everything(drop.source("mapped", timezone="Europe/Istanbul"), TRANSACTIONS)

    (row,) = [row for row in rows if row["transaction_id"] == "1"]
    assert row["occurred_at"] == instant
    assert row["rejected_reason"] == (None if instant else "bad_date")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2026-11-03,a,sale,12.5.3", "bad_number"),
        ("1,2026-11-03,a,sale,100000000000000", "bad_number"),
        ('1,2026-11-03,a,sale,"1,5"', "bad_number"),
        ("1,2026-11-03,a,sale,", "missing_number"),
        ("1,2026-11-03,a,sale,-1", "negative_amount"),
        ("1,2026-11-03,a,gift,1", "unknown_kind"),
        ("1,2026-11-03,a,Cancelled,1", "cancelled_order"),
        ("1,03/11/2026,a,sale,1", "bad_date"),
        (",2026-11-03,a,sale,1", "missing_id"),
    ],
)
def test_a_mapped_row_that_cannot_be_used_is_rejected_with_its_reason(drop, line, reason):
    drop.write(
        "s.csv", f"transaction_id,occurred_at,customer_id,kind,net_amount\n2,2026-11-03,a,sale,1\n{line}\n"
    )

    rows = everything(drop.source("mapped"), TRANSACTIONS)

    assert reasons(rows) == [reason]
    assert len(usable(rows)) == 1


def test_the_largest_amounts_do_not_overflow(drop):
    most = "99999999999999.9999"
    drop.write(
        "s.csv",
        "transaction_id,occurred_at,customer_id,quantity,unit_price,discount_amount,net_amount\n"
        f"1,2026-11-03,a,1,,0,{most}\n2,2026-11-03,a,1,,{most},{most}\n3,2026-11-03,a,{most},999999999999,0,\n",
    )

    rows = everything(drop.source("mapped"), TRANSACTIONS)

    assert [row["net_amount"] for row in usable(rows)] == [Decimal(most)]
    assert reasons(rows) == ["bad_number", "bad_number"]


def test_discounts_that_do_not_add_up_are_rejected(drop):
    drop.write(
        "s.csv",
        "transaction_id,occurred_at,customer_id,gross_amount,discount_amount,net_amount\n"
        "1,2026-11-03,a,10,2,8\n2,2026-11-03,a,10,2,9\n",
    )

    rows = everything(drop.source("mapped"), TRANSACTIONS)

    assert reasons(rows) == ["amounts_disagree"]
    assert [row["transaction_id"] for row in usable(rows)] == ["1"]


SAID = (
    r"csv source, .*/drop/sales\.csv: .*CSV Error on Line: \d+ \| "
    "(Expected Number of Columns|Value with unterm|Invalid unicode|Maximum line size)"
)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + LINE + "536365,85123A,HEART\n",
        HEADER + LINE + LINE.strip() + ",extra\n",
        HEADER + LINE.replace("HEART", '"HEART'),
        HEADER + LINE.replace("HEART", '"HE"ART'),
        HEADER + LINE.replace("HEART", "H\x80ART").replace("\x80", "\udc80"),
        HEADER + LINE.replace("HEART", "H" * 3_000_000),
    ],
    ids=["few fields", "many fields", "open quote", "odd quote", "not utf-8", "one endless line"],
)
def test_a_broken_file_is_an_error_that_names_it_and_no_row_is_dropped(drop, text):
    drop.write("sales.csv", text.encode("utf-8", "surrogateescape"))

    with pytest.raises(SourceError, match=SAID) as caught:
        everything(drop.source("online_retail"), TRANSACTIONS)

    # The row is about somebody.
    assert "ART" not in str(caught.value)
    assert "85123A" not in str(caught.value)


def test_a_broken_file_among_others_is_named_as_it_is_called(drop):
    drop.write("january.csv", HEADER + LINE)
    drop.write("february.csv.gz", gzip.compress((HEADER + LINE.replace("HEART", '"HE\nA"RT')).encode()))

    with pytest.raises(SourceError, match=r"drop/february\.csv\.gz: .*CSV Error on Line: 2 \| \w") as caught:
        everything(drop.source("online_retail"), TRANSACTIONS)

    assert "RT" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_gz_that_was_cut_off_is_an_error_that_names_it(drop, keep):
    whole = gzip.compress((HEADER + LINE * 2000).encode())
    drop.write("sales.csv.gz", whole[: int(len(whole) * keep)])

    with pytest.raises(SourceError, match=r"sales.csv.gz is cut off"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_gz_with_a_flipped_bit_is_an_error_that_names_it(drop):
    lines = "".join(LINE.replace("HEART", f"{random.Random(i).random()}") for i in range(2000))
    whole = bytearray(gzip.compress((HEADER + lines).encode()))
    whole[len(whole) // 2] ^= 1
    drop.write("sales.csv.gz", bytes(whole))

    with pytest.raises(SourceError, match=r"sales.csv.gz is (damaged|cut off|not utf-8)|CSV Error"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_gz_of_several_members_is_read_whole(drop):
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()) + gzip.compress(LINE.encode()))

    assert len(everything(drop.source("online_retail"), TRANSACTIONS)) == 2


def test_a_bomb_is_refused_before_it_fills_the_disk(drop):
    drop.write("sales.csv.gz", gzip.compress(HEADER.encode() + b"0" * 50_000_000))

    with pytest.raises(SourceError, match="inflates more than 200 times"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_parquet_file_that_is_none_is_an_error_that_names_the_folder(drop):
    drop.write("sales.parquet", b"PAR1 nothing PAR1")

    with pytest.raises(SourceError, match=r"sales.parquet"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_missing_column_is_named_with_its_file(drop):
    drop.write("sales.csv", HEADER.replace("UnitPrice,", "") + "1,1,TEA,1,2026-11-03 08:26,1,X\n")

    with pytest.raises(SourceError, match=r"file sales.csv: no column 'UnitPrice' or 'Price'; the file has"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_column_that_is_there_twice_is_an_error(drop):
    drop.write("sales.csv", HEADER.replace("Country", "Price") + LINE)

    with pytest.raises(SourceError, match="column 'UnitPrice' is there 2 times"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_an_empty_folder_and_a_bare_header_are_no_error(drop):
    assert drop.source("online_retail").first_month(TRANSACTIONS) is None

    drop.write("sales.csv", HEADER)

    assert drop.source("online_retail").first_month(TRANSACTIONS) is None
    assert everything(drop.source("online_retail"), CUSTOMERS) == []


def test_a_file_without_even_a_header_is_an_error(drop):
    drop.write("sales.csv", "")

    with pytest.raises(SourceError, match=r"sales.csv is empty"):
        drop.source("online_retail").first_month(TRANSACTIONS)


def test_the_same_file_twice_is_an_error(drop):
    drop.write("sales.csv", HEADER + LINE)
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()))

    with pytest.raises(SourceError, match=r"sales.csv and sales.csv.gz .* the same file twice"):
        drop.source("online_retail").first_month(TRANSACTIONS)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    row = {"kind": "csv", "uri": (tmp_path / "gone").as_uri(), "layout": "cdnow"}

    with pytest.raises(SourceError, match="gone is not a folder"):
        open_source(firm(row), lambda conn_id: "", scratch=tmp_path).first_month(TRANSACTIONS)


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "file://elsewhere/etc", "s3://bucket/x", "file:///a%00b"]
)
def test_only_a_local_folder_may_be_a_source(tmp_path, uri):
    with pytest.raises(SourceError):
        open_source(
            firm({"kind": "csv", "uri": uri, "layout": "cdnow"}), lambda conn_id: "", scratch=tmp_path
        ).first_month(TRANSACTIONS)


def test_an_operator_can_say_which_folders_may_be_sources(drop, tmp_path, monkeypatch):
    drop.write("sales.csv", HEADER + LINE)
    monkeypatch.setenv("FIRMAMENT_SOURCE_ROOTS", str(tmp_path / "dro"))
    with pytest.raises(SourceError, match="FIRMAMENT_SOURCE_ROOTS"):
        drop.source("online_retail").first_month(TRANSACTIONS)

    monkeypatch.setenv("FIRMAMENT_SOURCE_ROOTS", f"/nowhere{os.pathsep}{tmp_path}")

    assert drop.source("online_retail").first_month(TRANSACTIONS) == month("2026-11")


def test_a_link_that_leads_out_of_the_folder_is_refused(drop, tmp_path):
    (tmp_path / "secret.csv").write_text(HEADER + LINE)
    source = drop.source("online_retail")
    (drop.folder / "sales.csv").symlink_to(tmp_path / "secret.csv")

    with pytest.raises(SourceError, match="leads out of its folder"):
        source.first_month(TRANSACTIONS)


def test_an_unknown_layout_is_named_with_those_there_are(drop):
    with pytest.raises(SourceError, match=r"layout 'excel' is unknown; there are \['cdnow', 'online_retail'"):
        drop.source("excel")


def test_text_of_a_file_never_becomes_part_of_a_statement(drop):
    trap = 'x"), (select 1) --'
    drop.write(
        "s.csv",
        f'"{trap.replace(chr(34), chr(34) * 2)}",occurred_at,customer_id,net_amount\n1,2026-11-03,a,1\n',
    )
    mapping = {"transaction_id": trap, "occurred_at": "occurred_at", "net_amount": "net_amount"}

    (row,) = everything(drop.source("mapped", mapping), TRANSACTIONS)

    assert row["transaction_id"] == "1"


def test_a_file_is_parsed_once_until_it_changes(drop, tmp_path):
    drop.write("sales.csv", HEADER + LINE)
    first = everything(drop.source("online_retail"), TRANSACTIONS)
    staged = sorted((tmp_path / "scratch").rglob("*.parquet"))
    stamps = [path.stat().st_mtime_ns for path in staged]
    again = everything(drop.source("online_retail"), TRANSACTIONS)
    unchanged = [path.stat().st_mtime_ns for path in staged]

    drop.write("sales.csv", HEADER + LINE + LINE.replace("HEART", "LANTERN"))

    assert staged
    assert again == first
    assert stamps == unchanged
    assert len(everything(drop.source("online_retail"), TRANSACTIONS)) == 2


def test_no_scratch_but_the_staged_lines_is_left(drop, tmp_path):
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()))
    everything(drop.source("online_retail"), TRANSACTIONS)

    left = [path for path in (tmp_path / "scratch").rglob("*") if path.is_file() and path.name != "lock"]

    assert [path.suffix for path in left] == [".parquet"]


def test_what_a_layout_has_not_is_not_offered(drop):
    retail, cdnow = drop.source("online_retail"), drop.source("cdnow")

    assert [retail.offers(d) for d in (TRANSACTIONS, CUSTOMERS, PRODUCTS, LOYALTY_MOVEMENTS)] == [
        True
    ] * 3 + [False]
    assert not cdnow.offers(PRODUCTS)


def test_batches_are_bounded(drop):
    drop.write("cdnow.csv", "00001,20261103,1,11.77\n" * (BATCH_ROWS + 10))
    source = drop.source("cdnow")

    sizes = [b.num_rows for b in source.extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF)]

    assert sum(sizes) == BATCH_ROWS + 10
    assert max(sizes) <= BATCH_ROWS


def test_rows_in_are_rows_loaded_and_rows_rejected_whatever_is_in_them(drop):
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
