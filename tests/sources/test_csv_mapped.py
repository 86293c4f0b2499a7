"""Files of any layout, by a mapping of the firm's own."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.sources import SourceError
from tests.sources.conftest import everything, reasons, usable

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
    ("change", "message"),
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
def test_an_invalid_mapping_is_reported_with_its_place(drop, change, message):
    drop.write("sales.csv", TURKISH.encode("cp1254"))

    with pytest.raises(SourceError, match=message):
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


def test_text_of_a_file_never_becomes_part_of_a_statement(drop):
    trap = 'x"), (select 1) --'
    drop.write(
        "s.csv",
        f'"{trap.replace(chr(34), chr(34) * 2)}",occurred_at,customer_id,net_amount\n1,2026-11-03,a,1\n',
    )
    mapping = {"transaction_id": trap, "occurred_at": "occurred_at", "net_amount": "net_amount"}

    (row,) = everything(drop.source("mapped", mapping), TRANSACTIONS)

    assert row["transaction_id"] == "1"
