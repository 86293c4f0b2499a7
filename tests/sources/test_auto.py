"""Layout ``auto``: a folder of sales files in any format, read by the forms of the firm's row."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.data_files.folder import data_files
from include.firms import Firm, Ltv, Rfm, parse_firm
from include.simulator.exports.workbook import write_xlsx
from include.sources import SourceError, SourceRowError, check_source, open_source
from include.sources.summary import Summary, summarise
from include.sources.understood_files import ENDINGS, read_forms

AS_OF = date(2026, 1, 1)
HEAD = ("order_id", "date", "customer_id", "total")


def sales(first: int, count: int, day: date) -> list[tuple[str, date, str, Decimal]]:
    """Orders of 1.10, 2.10, ..., one a day."""
    return [
        (
            f"o{first + n}",
            day + timedelta(days=n),
            f"c{(first + n) % 7}",
            Decimal(first + n) + Decimal("1.10"),
        )
        for n in range(count)
    ]


def text(rows, *, mark: str = ",", head: tuple[str, ...] = HEAD) -> str:
    return "\n".join(mark.join(map(str, row)) for row in [head, *rows]) + "\n"


def firm_in(folder: Path, *, forms=None, **source: object) -> Firm:
    row = {"kind": "csv", "uri": folder.as_uri(), "layout": "auto", **source}
    if forms is not None:
        row["understood"] = [form.model_dump() for form in forms]
    return parse_firm(
        {
            "firm_key": "acme",
            "name": "Acme",
            "source": row,
            "timezone": "UTC",
            "currency": "EUR",
            "working_day_period": 1,
            "churn_threshold_days": 90,
        }
    )


class Drop:
    """A folder of files. ``add`` decides how they are read, ``read`` reads what is there now."""

    def __init__(self, home: Path, **source: object) -> None:
        self.home, self.source = home, source
        self.folder = home / "drop"
        self.folder.mkdir()
        self.forms = None

    def write(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def add(self) -> None:
        self.forms = read_forms(data_files(self.folder, ENDINGS), firm_in(self.folder, **self.source))

    def read(self, as_of: date = AS_OF) -> Summary:
        firm = firm_in(self.folder, forms=self.forms, **self.source)
        return summarise(open_source(firm, str, scratch=self.home / "scratch"), as_of)


@pytest.fixture
def drop(tmp_path):
    return Drop(tmp_path)


def archive(name: str, content: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr(name, content)
    return target.getvalue()


def workbook(folder: Path, rows) -> bytes:
    path = folder / "book"
    cells = [(o, datetime(d.year, d.month, d.day), c, t) for o, d, c, t in rows]  # noqa: DTZ001 a cell has no zone
    write_xlsx(path, {"Sales": [HEAD, *cells]})
    return path.read_bytes()


def parquet(folder: Path, rows) -> bytes:
    path = folder / "table"
    pq.write_table(pa.table(dict(zip(HEAD, map(list, zip(*rows, strict=True)), strict=True))), path)
    return path.read_bytes()


def html(rows) -> str:
    cells = "".join(f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>" for row in [HEAD, *rows])
    return f"<html><table>{cells}</table></html>"


def opendocument(rows) -> bytes:
    """A sheet of OpenDocument 1.3 with typed cells, as a spreadsheet program saves it."""
    names = "urn:oasis:names:tc:opendocument:xmlns"
    space = f'xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0"'

    def cell(value: object) -> str:
        typed = f'office:value-type="string"><text:p>{value}</text:p>'
        if isinstance(value, date):
            typed = f'office:value-type="date" office:date-value="{value}"><text:p>{value:%d.%m.%y}</text:p>'
        if isinstance(value, Decimal):
            typed = f'office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
        return f"<table:table-cell {typed}</table:table-cell>"

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in [HEAD, *rows])
    table = f'<table:table table:name="Sales">{lines}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    content = f'<?xml version="1.0"?><office:document-content {space}>{body}</office:document-content>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{names}:manifest:1.0"/>')
        file.writestr("content.xml", content)
    return target.getvalue()


def spreadsheet_xml(rows) -> str:
    """A workbook as XML Spreadsheet 2003 with typed cells."""

    def cell(value: object) -> str:
        kind, shown = "String", value
        if isinstance(value, date):
            kind, shown = "DateTime", f"{value}T00:00:00.000"
        if isinstance(value, Decimal):
            kind = "Number"
        return f'<Cell><Data ss:Type="{kind}">{shown}</Data></Cell>'

    lines = "".join(f"<Row>{''.join(map(cell, row))}</Row>" for row in [HEAD, *rows])
    space = 'xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
    space += ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'
    sheet = f'<Worksheet ss:Name="Sales"><Table>{lines}</Table></Worksheet>'
    return (
        f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook {space}>{sheet}</Workbook>'
    )


FORMATS = {
    "semicolons.csv": lambda folder, rows: text(rows, mark=";"),
    "tabs.tsv": lambda folder, rows: text(rows, mark="\t"),
    "utf16.txt": lambda folder, rows: text(rows).encode("utf-16"),
    "zipped.csv.gz": lambda folder, rows: gzip.compress(text(rows).encode()),
    "archive.zip": lambda folder, rows: archive("export/sales.csv", text(rows)),
    "book.xlsx": workbook,
    "page.xls": lambda folder, rows: html(rows),
    "book.ods": lambda folder, rows: opendocument(rows),
    "book.xml": lambda folder, rows: spreadsheet_xml(rows),
    "book.xls": lambda folder, rows: spreadsheet_xml(rows),
    "records.json": lambda folder, rows: json.dumps(
        {"orders": [dict(zip(HEAD, map(str, row), strict=True)) for row in rows]}
    ),
    "records.jsonl": lambda folder, rows: "\n".join(
        json.dumps(dict(zip(HEAD, map(str, row), strict=True))) for row in rows
    ),
    "table.parquet": parquet,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_by_the_form_of_a_csv_file_and_decides_the_same(drop, tmp_path, name):
    rows = sales(31, 28, date(2025, 2, 1))
    drop.write("a.csv", text(sales(0, 31, date(2025, 1, 1))))
    drop.add()
    drop.write(name, FORMATS[name](tmp_path, rows))
    alone = tmp_path / "alone"
    alone.mkdir()
    other = Drop(alone)
    other.write(name, FORMATS[name](tmp_path, rows))
    other.add()

    found, own = drop.read(), other.read()

    assert (found.used, found.orders, found.customers, found.rejected) == (59, 59, 7, {})
    assert found.net_amount == sum(total for *_, total in sales(0, 59, date(2025, 1, 1)))
    assert (own.used, own.net_amount) == (28, sum(total for *_, total in rows))
    assert other.forms[0].columns == drop.forms[0].columns


def test_an_earlier_day_sees_no_later_row_and_a_late_date_moves_nothing(drop):
    drop.write("a.csv", text([*sales(0, 31, date(2025, 1, 1)), ("o99", "2062-01-01", "c1", "5.00")]))
    drop.add()

    assert drop.read(date(2025, 1, 11)).used == 10
    found = drop.read()
    assert (found.used, found.last_day, found.rejected) == (31, date(2025, 1, 31), {})


def test_ids_of_lines_stay_when_a_file_is_added_or_renamed(drop, tmp_path):
    drop.write("b.csv", text(sales(0, 31, date(2025, 1, 1))))
    drop.add()
    before = ids(drop)
    drop.write("a.csv", text(sales(31, 3, date(2025, 1, 5))))

    assert before < ids(drop)


def ids(drop: Drop) -> set[tuple[str, str]]:
    from include.datasets.extracted import TRANSACTIONS
    from include.periods import Month

    source = open_source(firm_in(drop.folder, forms=drop.forms), str, scratch=drop.home / "scratch")
    batches = source.extract(TRANSACTIONS, month=Month(2025, 1), as_of=AS_OF)
    return {(row["transaction_id"], row["line_id"]) for batch in batches for row in batch.to_pylist()}


def test_overlapping_exports_without_order_ids_count_each_day_once(drop):
    lines = [f"{date(2025, 1, 1) + timedelta(days=n // 2)},{'' if n % 3 == 0 else f'p{n % 5}@x.test'},{n}.50"
             for n in range(60)]  # fmt: skip
    drop.write("1.csv", "\n".join(["date,email,amount", *lines[:40]]))
    drop.add()
    drop.write("2.csv", "\n".join(["date,email,amount", *lines[20:]]))

    found = drop.read()

    assert (found.used, found.rejected["exact_duplicate"].rows) == (60, 20)
    assert found.net_amount == sum(n + Decimal("0.5") for n in range(60))


STATUS = "order_id,date,customer_id,total,status\n"


def test_an_order_that_is_cancelled_in_a_later_export_is_not_counted_in_silence(tmp_path):
    paid = STATUS + "".join(f"o{n},2025-01-{n + 1:02},c{n % 3},5.00,paid\n" for n in range(28))
    drop = Drop(tmp_path)
    drop.write("1.csv", paid)
    drop.add()
    drop.write("2.csv", paid.replace("o3,2025-01-04,c0,5.00,paid", "o3,2025-01-04,c0,5.00,cancelled"))

    with pytest.raises(SourceRowError, match=r"1 orders are in several files and differ, such as o3\."):
        drop.read()
    drop.source = {"options": {"repeated_orders": "last"}}
    found = drop.read()

    assert (found.used, found.orders, found.net_amount) == (27, 27, 135)
    assert {reason: one.rows for reason, one in found.rejected.items()} == {
        "cancelled_order": 1, "exact_duplicate": 27, "repeated_order": 1,
    }  # fmt: skip


def test_two_forms_of_one_header_do_not_read_a_file_that_fits_both(drop):
    shown = [(o, f"{d:%d/%m/%Y}", c, t) for o, d, c, t in sales(0, 31, date(2025, 1, 1))]
    drop.write("1.csv", text(shown))
    drop.add()
    month_first = [(o, f"{d:%m/%d/%Y}", c, t) for o, d, c, t in sales(31, 28, date(2025, 2, 1))]
    drop.write("2.csv", text(month_first))
    firm = firm_in(drop.folder, forms=drop.forms)
    drop.forms = read_forms(data_files(drop.folder, ENDINGS), firm)
    assert [form.date_order for form in drop.forms] == ["dmy", "mdy"]
    assert drop.read().last_day == date(2025, 2, 28)

    drop.write("3.csv", text([("o99", "03/04/2025", "c1", "5.00")]))

    with pytest.raises(SourceError, match=r"3\.csv: two forms .*date_order dmy or mdy.* Export it again"):
        drop.read()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"layout": "autto"}, r"layout 'autto' is unknown, did you mean 'auto'"),
        ({"layout": "shopify_order"}, r"did you mean 'shopify_orders'"),
        ({"layout": "cdnow", "options": {"date_order": "dmy"}}, r"layout cdnow takes no source\.options"),
        ({"mapping": {"custmer_id": "X"}}, r"unknown columns \['custmer_id'\], did you mean 'customer_id'"),
        ({"layout": "shopify_orders", "understood": [{"header": ["A"], "columns": {"occurred_at": "A"}}]},
         "the files are of no known platform, not shopify_orders"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_refused(tmp_path, source, message):
    with pytest.raises(SourceRowError, match=message):
        check_source(firm_in(tmp_path, **source))


def test_a_row_without_a_form_says_what_to_type(drop):
    drop.write("a.csv", text(sales(0, 3, date(2025, 1, 1))))

    with pytest.raises(SourceRowError, match=r"source\.understood.*firms accept acme"):
        drop.read()


def test_files_that_did_not_change_are_not_read_again(drop, monkeypatch):
    drop.write("a.csv", text(sales(0, 31, date(2025, 1, 1))))
    drop.add()
    drop.read()
    drop.write("b.csv", text(sales(31, 3, date(2025, 2, 1))))
    read = []
    from include.sources import understood_files

    of = understood_files.read_tables
    monkeypatch.setattr(
        understood_files, "read_tables", lambda path, *rest: read.append(path.name) or of(path, *rest)
    )

    assert drop.read().used == 34
    assert read == ["b.csv"]


def test_a_firm_of_a_set_layout_has_the_same_reference_of_settings_as_before():
    firm = firm_in(Path("/x"), layout="cdnow")

    # Measured on the release before source.options and source.understood.
    digest = "0d31d00e8dde851e84fe6ca37a1f5a8fc48990e65daaadd8829083df758251dd"
    assert firm.settings_reference == f"settings#0#{digest}"
    at_default = {"rfm": Rfm(segment_parents={}), "ltv": Ltv(tier_bounds=(20, 40, 70, 90), tier_benefits={})}
    changed = {"rfm": Rfm(segment_parents={"lost": "gone"}), "ltv": Ltv(tier_bounds=(10, 40, 70, 90))}
    assert firm.model_copy(update=at_default).settings_reference == firm.settings_reference
    references = {firm.model_copy(update={name: part}).settings_reference for name, part in changed.items()}
    assert len(references - {firm.settings_reference}) == 2
