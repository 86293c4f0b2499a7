"""Write rows as a file: csv in random dialects, gz, zip, json, jsonl, parquet, xlsx or a folder."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from include.simulator.exports.cells import Rows
from include.simulator.exports.languages import HEADERS
from include.simulator.exports.styles import NumberStyle, write_date
from include.simulator.exports.workbook import write_xlsx

ENCODINGS = {
    "en": ("utf-8", "utf-8-sig", "utf-16", "cp1252"),
    "ours": ("utf-8", "utf-8-sig"),
    "tr": ("utf-8", "utf-8-sig", "cp1254", "utf-16"),
    "de": ("utf-8", "utf-8-sig", "cp1252", "utf-16"),
    "fr": ("utf-8", "utf-8-sig", "cp1252"),
    "es": ("utf-8", "utf-8-sig", "cp1252"),
    "zh": ("utf-8", "utf-8-sig", "gb18030"),
    "it": ("utf-8", "utf-8-sig", "cp1252"),
    "nl": ("utf-8", "utf-8-sig", "cp1252"),
    "pl": ("utf-8", "utf-8-sig", "cp1250"),
    "pt": ("utf-8", "utf-8-sig", "cp1252"),
    "ru": ("utf-8", "utf-8-sig", "cp1251"),
}


QUANTITIES = frozenset(
    {
        "Order Lines/Quantity",
        "Number of Items",
        "Lineitem quantity",
        "Qty",
        "Quantity (- Refund)",
        "Items sold",
    }
    | {names[4] for names in HEADERS.values()}
)


class Writer:
    """Writes rows in one random style; ``about`` describes what was drawn."""

    def __init__(self, random: Random, numbers: NumberStyle, dates: str, language: str) -> None:
        self.random, self.numbers, self.dates, self.language = random, numbers, dates, language
        self.about = ""

    def fix_numbers(self, before: str = "") -> None:
        """Write numbers with a decimal point, as platforms do."""
        self.numbers = NumberStyle(self.random.choice(["", ","]), ".", before=before)

    def write(self, rows: Rows, folder: Path, form: str) -> Path:
        """The rows in a format, under a random name."""
        if form == "folder":
            cut = len(rows) // 2
            place = folder / "exports"
            place.mkdir()
            encoding, delimiter = self._dialect()
            for i, part in enumerate((rows[:cut], rows[cut:])):
                text = self._csv(part, delimiter, plain=True)
                (place / f"part{i}.csv").write_bytes(text.encode(encoding))
            if self.random.random() < 0.3:
                (place / "part1 (1).csv").write_bytes((place / "part1.csv").read_bytes())
            self.about = f"{encoding} {delimiter!r}"
            return place
        if form == "parts":
            return self._parts(rows, folder)
        if form in ("json", "jsonl", "columns", "parquet", "xlsx", "html"):
            return getattr(self, f"_{form}")(rows, folder)
        encoding, delimiter = self._dialect()
        data = self._csv(rows, delimiter).encode(encoding)
        self.about += f" {encoding} {delimiter!r}"
        path = folder / self.random.choice(["orders.csv", "export.CSV", "data.txt", "sales"])
        if form == "gz":
            data = gzip.compress(data)
            path = folder / "orders.csv.gz"
        if form == "zip":
            path = folder / "export.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("orders.csv", data)
            return path
        path.write_bytes(data)
        return path

    def _parts(self, rows: Rows, folder: Path) -> Path:
        """An archive of two files, the second with another order of columns or a column more."""
        cut, path = len(rows) // 2, folder / "export.zip"
        encoding, delimiter = self._dialect()
        names = list(rows[0])
        if self.random.random() < 0.5:
            self.random.shuffle(names)
        second = [{name: row[name] for name in names} for row in rows[cut:]]
        if self.random.random() < 0.5:
            second = [{**row, "Remark": "x"} for row in second]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in (("2024.csv", rows[:cut]), ("2025.csv", second)):
                archive.writestr(name, self._csv(part, delimiter, plain=True).encode(encoding))
            archive.writestr("readme.txt", "Thank you for using our export.\n")
        self.about = f"{encoding} {delimiter!r}"
        return path

    def _dialect(self) -> tuple[str, str]:
        encoding = self.random.choice(ENCODINGS[self.language])
        extra = (
            self.numbers.before
            + self.numbers.after
            + self.numbers.group
            + self.numbers.negative
            + self.numbers.mark
        )
        if any(ord(c) > 127 for c in extra) and not encoding.startswith("utf"):
            encoding = "utf-8"
        if self.dates in ("chinese", "word tr", "word fr", "word de") and encoding not in ("gb18030",):
            encoding = "utf-8"
        if self.dates not in ("chinese",) and encoding == "gb18030" and self.dates.startswith("word"):
            encoding = "utf-8"
        return encoding, self.random.choice([",", ",", ";", ";", "\t", "|"])

    def _cell(self, name: str, value: object) -> str:
        if isinstance(value, datetime):
            return write_date(value, self.dates)
        if isinstance(value, Decimal):
            if name in QUANTITIES:
                return str(int(value))
            return self.numbers.write(value)
        return str(value)

    def _text(self, rows: Rows) -> list[list[str]]:
        return [[self._cell(name, value) for name, value in row.items()] for row in rows]

    def _csv(self, rows: Rows, delimiter: str, *, plain: bool = False) -> str:
        random, out = self.random, io.StringIO()
        end = random.choice(["\n", "\r\n", "\r\n", "\r"]) if not plain else "\n"
        if end == "\r" and any("\n" in str(value) for row in rows for value in row.values()):
            end = "\n"  # Python's writer would leave that line break without quotes
        quote_all = random.choice([False, True])
        if not plain:
            if random.random() < 0.1:
                out.write(f"sep={delimiter}{end}")
            if random.random() < 0.15:
                out.write(f"Sales report{end}{end}")
                self.about += " preamble"
        writer = csv.writer(
            out,
            delimiter=delimiter,
            quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
            lineterminator=end,
        )
        writer.writerow(list(rows[0]))
        writer.writerows(self._text(rows))
        if not plain and random.random() < 0.15:
            self.about += " footer"
            writer.writerow(
                [
                    random.choice(["Total", "TOPLAM", "Summe"]),
                    *[""] * (len(rows[0]) - 2),
                    self.numbers.write(Decimal("1234.50")),
                ]
            )
        if random.random() < 0.2:
            out.write(end * 2)
        return out.getvalue()

    def _json(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.json"
        cells = [{n: self._typed(v) for n, v in row.items()} for row in rows]
        path.write_text(
            json.dumps(self.random.choice([cells, {"orders": cells}]), ensure_ascii=False), encoding="utf-8"
        )
        return path

    def _columns(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.json"
        columns = {n: {str(i): self._typed(row[n]) for i, row in enumerate(rows)} for n in rows[0]}
        path.write_text(json.dumps(columns, ensure_ascii=False), encoding="utf-8")
        return path

    def _html(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.xls"
        encoding, _ = self._dialect()
        encoding = "utf-8" if encoding.startswith(("utf", "gb")) else encoding
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._text(rows)
        )
        head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
        text = f'<html><meta charset="{encoding}"><table border=1><tr>{head}</tr>{body}</table></html>'
        path.write_bytes(text.encode(encoding))
        return path

    def _jsonl(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.jsonl"
        lines = [json.dumps({n: self._typed(v) for n, v in row.items()}, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def _typed(self, value: object) -> object:
        if isinstance(value, datetime):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value

    def _parquet(self, rows: Rows, folder: Path) -> Path:
        path = folder / "o.parquet"
        names = list(rows[0])
        columns = {}
        for name in names:
            values = [row[name] for row in rows]
            if any(isinstance(v, Decimal) for v in values):
                columns[name] = pa.array(
                    [float(v) if isinstance(v, Decimal) else None for v in values], pa.float64()
                )
            elif any(isinstance(v, datetime) for v in values):
                columns[name] = pa.array(
                    [v if isinstance(v, datetime) else None for v in values], pa.timestamp("us")
                )
            else:
                columns[name] = pa.array([str(v) for v in values])
        pq.write_table(pa.table(columns), path)
        return path

    def _xlsx(self, rows: Rows, folder: Path) -> Path:
        path = folder / self.random.choice(["orders.xlsx", "orders.xls"])
        body: list[list[object]] = [list(rows[0]), *[list(row.values()) for row in rows]]
        if self.random.random() < 0.3:
            body = [["Sales report"], [], *body]
        cut = len(rows) // 2
        if (
            self.random.random() < 0.2
            and cut > 4
            and body[0] != ["Sales report"]
            and "" not in [r[0] for r in body]
        ):
            write_xlsx(path, {"2024": body[: cut + 1], "2025": [body[0], *body[cut + 1 :]]})
        else:
            write_xlsx(path, {"Orders": body})
        return path
