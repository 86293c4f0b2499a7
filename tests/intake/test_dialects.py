"""Formats, encodings and dialects: the same four sales in many formats, and files without a table."""

import gzip
import io
import json
import os
import zipfile
from decimal import Decimal

import pytest

from include.intake import inspect
from include.simulator.exports.workbook import write_xlsx

HEADER = ("Order ID", "Date", "Customer", "Item", "Amount")
ROWS = [
    ("1", "2024-05-01", "7", 'plate 12"', "1234.50"),
    ("2", "2024-05-02", "8", "red, round", "10.00"),
    ("3", "2024-05-03", "7", "two\nlines", "5.25"),
    ("4", "2024-05-04", "9", "plain", "-1.75"),
]
NET = Decimal("1248.00")


def text(delimiter: str = ",", end: str = "\n", *, quote: bool = True) -> str:
    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if quote else value

    return "".join(delimiter.join(map(cell, row)) + end for row in [HEADER, *ROWS])


def check(answer) -> None:
    assert answer.outcome == "read", (answer.refusal, answer.question)
    assert (answer.customers, answer.orders, answer.net_amount) == (3, 4, NET)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_text_file_is_read_whatever_its_dialect(write, delimiter, end, encoding):
    check(inspect(write(text(delimiter, end), encoding=encoding)).answer)


@pytest.mark.parametrize(
    "before", ["\n", "sep=,\n", "Sales report\n\n", "Sales report,,,,\nPrinted 2024-05-12 10:33,,,,\n,,,,\n"]
)
@pytest.mark.parametrize("after", ["", "\n\n", "Total,,,,1248.00\n", "4 records downloaded\n"])
def test_lines_around_the_table_are_left_out(write, before, after):
    check(inspect(write(before + text() + after)).answer)


def test_quotes_that_are_not_closed_or_not_doubled_lose_no_row(write):
    path = write(
        "Order ID,Date,Customer,Item,Amount\n"
        '1,2024-05-01,7,plate 12",1234.50\n2,2024-05-02,8,"never closed,10.00\n'
        '3,2024-05-03,7,"FLOWER" VASE,5.25\n4,2024-05-04,9,plain,-1.75\n'
    )

    check(inspect(path).answer)


def test_backslashes_before_quotes_are_understood(write):
    lines = "".join(f'"{a}","{b}","{c}","a \\"b\\", c","{e}"\n' for a, b, c, _, e in ROWS)

    check(inspect(write('"Order ID","Date","Customer","Item","Amount"\n' + lines)).answer)


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.csv", "orders"])
def test_a_gzip_file_is_read_whatever_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(text().encode()))

    check(inspect(tmp_path / name).answer)


def test_an_archive_of_two_months_is_read_together_and_a_copy_once(tmp_path):
    first, second = text().splitlines(keepends=True)[:3], text().splitlines(keepends=True)
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("may.csv", "".join(first))
        archive.writestr("june.csv", second[0] + "".join(second[3:]))
        archive.writestr("june (1).csv", second[0] + "".join(second[3:]))
        archive.writestr("__MACOSX/._may.csv", "x")
        archive.writestr("manual.pdf", b"%PDF-1.4 x")

    answer = inspect(tmp_path / "export.zip").answer

    check(answer)
    assert [message.code for message in answer.findings.warnings] == ["same_file_twice"]
    assert {"joined", "unread_files"} <= {note.code for note in answer.findings.notes}


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.xls", "orders.csv"])
def test_a_workbook_is_read_whatever_its_name_and_its_sheets_joined(tmp_path, name):
    rows = [[a, b, c, d, Decimal(e)] for a, b, c, d, e in ROWS]
    sheets = {
        "May": [["Report"], [], list(HEADER), *rows[:2]],
        "June": [list(HEADER), *rows[2:]],
        "Notes": [["x"]],
    }
    write_xlsx(tmp_path / name, sheets)

    answer = inspect(tmp_path / name).answer

    check(answer)
    assert {"joined"} <= {note.code for note in answer.findings.notes}


@pytest.mark.parametrize("lines", [True, False])
def test_json_is_read(tmp_path, lines):
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    written = "\n".join(map(json.dumps, records)) if lines else json.dumps({"orders": records})
    (tmp_path / "o.json").write_text(written, encoding="utf-8")

    check(inspect(tmp_path / "o.json").answer)


def test_html_and_spreadsheet_xml_under_the_name_xls_are_read(tmp_path):
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in [HEADER, *ROWS])
    (tmp_path / "h.xls").write_text(f"<html><table>{cells}</table></html>", encoding="utf-8")
    rows = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{c}</Data></Cell>' for c in row) + "</Row>"
        for row in [HEADER, *ROWS]
    )
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    book = f'<Workbook xmlns="{space}" xmlns:ss="{space}"><Worksheet ss:Name="S">'
    (tmp_path / "x.xls").write_text(
        f'<?xml version="1.0"?>{book}<Table>{rows}</Table></Worksheet></Workbook>',
        encoding="utf-8",
    )

    check(inspect(tmp_path / "h.xls").answer)
    check(inspect(tmp_path / "x.xls").answer)


@pytest.mark.parametrize(
    ("encoding", "header"),
    [
        ("cp1254", "Sipariş No;Tarih;Müşteri;Ürün;Tutar"),
        ("cp1252", "Bestellnr;Datum;Kundennummer;Größe;Betrag"),
        ("cp1250", "Nr zamówienia;Data;Klient;Żółty;Wartość"),
        ("cp1251", "Номер заказа;Дата;Клиент;Товар;Сумма"),
        ("gb18030", "订单编号;日期;客户;商品;金额"),
        ("shift_jis", "注文番号;注文日;顧客ID;商品;金額"),
        ("cp949", "주문번호;주문일;고객;상품명;금액"),
    ],
)
def test_a_code_page_is_found(write, encoding, header):
    rows = "".join(f"{a};{b};{c};x;{e}\n" for a, b, c, _, e in ROWS)

    check(inspect(write(f"{header}\n{rows}", encoding=encoding)).answer)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"order_id,date,customer_id,amount\n", "no_rows"),
        (b"%PDF-1.4 x", "unknown_format"),
        (gzip.compress(text().encode(), mtime=0)[:60], "damaged_file"),
        (gzip.compress(b"0" * (60 << 20), mtime=0), "expands_too_much"),
        (b"PK\x03\x04 fake", "damaged_file"),
        (b"PAR1" + bytes(20) + b"\x04\0\0\0PAR1", "damaged_file"),
        (b'[{"a": 1', "damaged_file"),
        (b"[]", "no_rows"),
        (b"1,2\n3,4\n", "no_header"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_a_file_without_a_table_is_refused_in_three_lines(tmp_path, data, code):
    (tmp_path / "x.csv").write_bytes(data)

    answer = inspect(tmp_path / "x.csv").answer

    if answer.question:
        assert answer.question.code == code
    else:
        assert answer.refusal.code == code
        assert len(str(answer.refusal).splitlines()) <= 3


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_raise(tmp_path, seed):
    (tmp_path / "x").write_bytes(os.urandom(200 * (seed + 1)))

    assert inspect(tmp_path / "x").answer.outcome in ("refused", "asks")


def test_a_decompression_bomb_is_refused_before_it_is_loaded(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 << 20))
    (tmp_path / "x.xlsx").write_bytes(buffer.getvalue())

    assert inspect(tmp_path / "x.xlsx").answer.refusal.code == "expands_too_much"


def test_an_opendocument_sheet_is_read(tmp_path):
    space = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    space += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    space += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(value) for value in row)}</table:table-row>"
        for row in [HEADER, *ROWS]
    )
    body = f'<office:spreadsheet><table:table table:name="Sales">{rows}</table:table></office:spreadsheet>'
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {space}><office:body>{body}'
    content += "</office:body></office:document-content>"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(tmp_path / "orders.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)

    check(inspect(tmp_path / "orders.ods").answer)


def test_letters_of_values_show_the_code_page_where_the_header_does_not(write):
    rows = "".join(f"{n};2024-05-0{n};{n};Łódź żółty;{n}1,50 zł\n" for n in range(1, 5))

    answer = inspect(write("Order ID;Date;Customer;Item;Amount\n" + rows, encoding="cp1250")).answer

    assert (answer.outcome, answer.currency) == ("read", "PLN"), answer.refusal
