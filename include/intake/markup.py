"""HTML tables and SpreadsheetML, which many programs write under the name .xls."""

from __future__ import annotations

from pathlib import Path

from lxml import etree, html

from include.intake.answer import Refused
from include.intake.options import Options
from include.intake.tables import Table
from include.intake.workbooks import table_of

MAX_BYTES = 512 << 20


def read_html(path: Path, options: Options) -> list[Table]:
    """The largest table of an HTML file, with text cells."""
    document = _parsed(path, html.HTMLParser(huge_tree=False, no_network=True))
    tables = []
    for element in document.iter("table"):
        rows = [
            [
                " ".join("".join(cell.itertext()).split())
                for cell in row.iterfind("./*")
                if cell.tag in ("td", "th")
            ]
            for row in element.iter("tr")
        ]
        tables.append(rows)
    if not tables:
        raise Refused("no_rows", f"{path.name} is HTML without a table", "Export the sales as csv or xlsx")
    table = table_of(path.name, "1", max(tables, key=len), options)
    return [table] if table else []


def read_xml(path: Path, options: Options) -> list[Table]:
    """The sheets of a SpreadsheetML 2003 workbook."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True)
    document = _parsed(path, parser)
    tables = []
    for sheet in document.iter("{*}Worksheet"):
        rows = [_cells(row) for row in sheet.iter("{*}Row")]
        name = next((str(v) for k, v in sheet.attrib.items() if str(k).endswith("Name")), "1")
        if table := table_of(path.name, name, rows, options):
            tables.append(table)
    if not tables:
        raise Refused(
            "unknown_format", f"{path.name} is XML but not a spreadsheet", "Export the sales as csv or xlsx"
        )
    return tables


def _cells(row: etree._Element) -> list[object]:
    cells: list[object] = []
    for cell in row.iterfind("./{*}Cell"):
        index = next((int(v) for k, v in cell.attrib.items() if str(k).endswith("Index")), 0)
        while index and len(cells) < min(index - 1, 1000):
            cells.append(None)
        data = cell.find("./{*}Data")
        text = "".join(data.itertext()) if data is not None else ""
        kind = (
            next((str(v) for k, v in data.attrib.items() if str(k).endswith("Type")), "")
            if data is not None
            else ""
        )
        if kind == "Number" and text:
            cells.append(float(text))
        else:
            cells.append(text.replace("T00:00:00.000", "") if kind == "DateTime" else text)
    return cells


def _parsed(path: Path, parser: etree.XMLParser | html.HTMLParser) -> etree._Element:
    if path.stat().st_size > MAX_BYTES:
        raise Refused("too_large", f"{path.name} is larger than 512 MB", "Export it as csv or parquet")
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise Refused(
            "damaged_file", f"{path.name} cannot be parsed: {str(error)[:120]}", "Export it again"
        ) from error
    if root is None:
        raise Refused("damaged_file", f"{path.name} cannot be parsed", "Export it again")
    return root
