"""Lists of customers beside the page: csv and xlsx, written batch by batch, safe to open in a spreadsheet.

A text that a spreadsheet would run as a formula gets a leading apostrophe in csv (OWASP, "CSV Injection") and
stays a text in xlsx. Numbers and days are numbers and days. Only the owner may read the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import xlsxwriter

from include import metrics
from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.computed import CUSTOMER_SUMMARY, RFM
from include.datasets.extracted import CUSTOMERS, PRODUCTS
from include.datasets.next_product import NEXT_PRODUCTS
from include.datasets.value import LTV
from include.overview.figures import Figure
from include.overview.words import Words
from include.private_files import open_private
from include.report.reading import Reading
from include.spreadsheet_text import BOM, LONGEST_XLSX_TEXT, XLSX_OPTIONS, safe

MOST_XLSX_ROWS = 100_000  # 12 CPU seconds
RENAMED = {
    "predicted_clv_1_year": "value_1_year",
    "predicted_clv_1_year_low": "value_1_year_low",
    "predicted_clv_1_year_high": "value_1_year_high",
    "churn_probability": "chance_of_leaving",
    "top_churn_factor": "main_reason",
    "action_code": "action",
}
COLUMNS = (
    "customer_id", "days_since_last_order", "window_orders", "window_spend", "recency_score",
    "frequency_score", "monetary_score", "rfm_score", "segment_code", "segment", "first_order_date",
    "last_order_date", "order_count", "total_spend", "avg_order_value", "expected_spend_1_year",
    "value_1_year", "value_1_year_low", "value_1_year_high", "chance_of_leaving", "main_reason",
    "margin_at_risk", "expected_next_order_date", "next_product", "next_product_due_date", "new_product",
    "may_contact", "action", "action_reason",
)  # fmt: skip


@dataclass
class Lists:
    """The files that were written: by action, and those of all customers."""

    csv: Path
    xlsx: Path | None = None
    actions: dict[str, Path] = field(default_factory=dict)


def names_of(folder: Path, stem: str, *, customers: int, actions: Mapping[str, int]) -> Lists:
    """Where the lists will be: named after the input, one per action with a customer."""
    return Lists(
        folder / f"{stem}-customers.csv",
        folder / f"{stem}-customers.xlsx" if customers <= MOST_XLSX_ROWS else None,
        {code: folder / f"{stem}-{code}.csv" for code in actions},
    )


def write_lists(reading: Reading, lists: Lists, words: Words, *, segments: Mapping[str, str]) -> None:
    """Write all lists in one pass over the customers. ``segments`` gives the name of each segment code."""
    inputs = (CUSTOMER_SUMMARY, RFM, LTV, CHURN_RISK, NEXT_PRODUCTS, PRODUCTS, ACTIONS, CUSTOMERS)
    for dataset in inputs:
        reading.has(dataset)
    with ExitStack() as stack:
        everyone = stack.enter_context(_Csv(lists.csv))
        book = stack.enter_context(_Xlsx(lists.xlsx, words)) if lists.xlsx else None
        by_action = {code: stack.enter_context(_Csv(path)) for code, path in lists.actions.items()}
        for batch in reading.batches("customer_list", *inputs):
            rows = _shaped(batch, segments)
            everyone.write(rows)
            if book:
                book.write(rows)
            codes = rows.column("action")
            for code, file in by_action.items():
                file.write(rows.filter(pc.equal(codes, code)))


def _shaped(batch: pa.RecordBatch, segments: Mapping[str, str]) -> pa.RecordBatch:
    """The batch in the columns of a list."""
    columns = {RENAMED.get(name, name): batch.column(name) for name in batch.schema.names}
    columns["chance_of_leaving"] = pc.round(columns["chance_of_leaving"], 4)
    codes = columns["segment_code"].dictionary_encode()
    names = pa.array([segments.get(code, code) for code in codes.dictionary.to_pylist()], pa.string())
    columns["segment"] = names.take(codes.indices) if len(names) else pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_pydict({name: columns[name] for name in COLUMNS})


class _Csv:
    """A csv file, replaced as a whole when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> _Csv:
        self._partial.unlink(missing_ok=True)
        self._file = open_private(self._partial, "wb")
        self._file.write(BOM)
        self._writer: pa_csv.CSVWriter | None = None
        return self

    def write(self, rows: pa.RecordBatch) -> None:
        columns = {
            name: safe(rows.column(name)) if pa.types.is_string(rows.schema.field(name).type) else rows[name]
            for name in rows.schema.names
        }
        batch = pa.RecordBatch.from_pydict(columns)
        if self._writer is None:
            options = pa_csv.WriteOptions(quoting_style="needed")
            self._writer = pa_csv.CSVWriter(self._file, batch.schema, write_options=options)
        self._writer.write_batch(batch)

    def __exit__(self, kind: type[BaseException] | None, *of: object) -> None:
        if self._writer is None and kind is None:
            self._file.write((",".join(f'"{name}"' for name in COLUMNS) + "\n").encode())
        elif self._writer is not None:
            self._writer.close()
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)


class _Xlsx:
    """A workbook with the customers and a sheet that says what each column is; rows are written to disk."""

    def __init__(self, path: Path, words: Words) -> None:
        self._path, self._words = path, words
        self._partial = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> _Xlsx:
        options = {**XLSX_OPTIONS, "tmpdir": str(self._path.parent)}
        self._file = open_private(self._partial, "wb")
        self._book = xlsxwriter.Workbook(self._file, options)
        self._formats = {
            "day": self._book.add_format({"num_format": "yyyy-mm-dd"}),
            "money": self._book.add_format({"num_format": "#,##0.00"}),
            "head": self._book.add_format({"bold": True, "bottom": 1}),
        }
        self._sheet = self._book.add_worksheet(self._words.plain("list.sheet_customers"))
        self._sheet.freeze_panes(1, 1)
        for at, name in enumerate(COLUMNS):
            self._sheet.set_column(at, at, 34 if name == "action_reason" else max(11, len(name) + 2))
            self._sheet.write_string(0, at, name, self._formats["head"])
        self._row = 0
        return self

    def write(self, rows: pa.RecordBatch) -> None:
        kinds = [rows.schema.field(name).type for name in COLUMNS]
        columns = [rows.column(name).to_pylist() for name in COLUMNS]
        for values in zip(*columns, strict=True):
            self._row += 1
            for at, (value, kind) in enumerate(zip(values, kinds, strict=True)):
                if value is not None:
                    self._cell(self._row, at, value, kind)

    def _cell(self, row: int, at: int, value: Any, kind: pa.DataType) -> None:
        if isinstance(value, str):
            self._sheet.write_string(row, at, value[:LONGEST_XLSX_TEXT])
        elif isinstance(value, bool):
            self._sheet.write_boolean(row, at, value)
        elif pa.types.is_date(kind):
            self._sheet.write_datetime(row, at, value, self._formats["day"])
        elif isinstance(value, Decimal):
            self._sheet.write_number(row, at, float(value), self._formats["money"])
        else:
            self._sheet.write_number(row, at, value)

    def __exit__(self, kind: type[BaseException] | None, *of: object) -> None:
        self._sheet.autofilter(0, 0, max(self._row, 1), len(COLUMNS) - 1)
        about = self._book.add_worksheet(self._words.plain("list.sheet_columns"))
        about.set_column(0, 1, 26)
        about.set_column(2, 2, 100)
        for at, (name, label, text) in enumerate(described(self._words)):
            about.write_string(at, 0, name)
            about.write_string(at, 1, label)
            about.write_string(at, 2, text)
        self._book.close()
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)


def described(words: Words) -> Iterator[tuple[str, str, str]]:
    """Each column, its label in the glossary of metrics (else empty), and what it is.

    A metric has its formula from the glossary; a text of ``field`` adds what is special to the file.
    """
    assumed = words.figures.get("assumed_margin")
    own = Figure(words.plain("field.own_margin"), "text")
    for name in COLUMNS:
        metric, key = metrics.named(name, "customer"), f"field.{name}"
        text = words.plain(key, margin=assumed or own) if words.has(key) else ""
        label, formula = (
            (metric.label(words.language), metric.definition(words.language)) if metric else ("", "")
        )
        yield name, label, " ".join(filter(None, (formula, text)))
