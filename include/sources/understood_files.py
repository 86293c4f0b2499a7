"""Read the files of layout ``auto``: any sales file, by the forms that are stored in the firm's row.

Each file is read by ``include/intake`` once and kept as parquet until the file, the row or the code changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import ConstantExpression, StarExpression

from include.data_files.folder import File
from include.firms import Firm, Understood
from include.intake import Asks, Reading, Refused, inspect
from include.intake.answer import Findings
from include.intake.every_row import SCHEMA, every_row
from include.intake.form import form_of_reading, has_header, lines_by_form, options_of
from include.intake.formats import read_tables
from include.intake.reading import joined, ragged_text
from include.intake.rows import Lines
from include.intake.tables import Table
from include.private_files import private_folder
from include.source_errors import SourceError, SourceRowError

ENDINGS = (
    ".csv", ".tsv", ".tab", ".txt", ".gz", ".zip", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".html",
    ".htm", ".xml", ".json", ".jsonl", ".ndjson", ".parquet",
)  # fmt: skip
NO_ROWS = ("no_rows",)
DISPUTED = "disputed_order"  # see sql/extract/csv/auto/transactions.sql


class UnderstoodFiles:
    """The files of one firm."""

    endings = ENDINGS

    def __init__(self, firm: Firm) -> None:
        """Read nothing yet."""
        self._firm = firm
        self._where = f"firm {firm.firm_key}, csv source"
        self._forms = firm.source.understood or ()

    @property
    def key(self) -> str:
        """A text that changes when files are to be read again: the row, and the code that reads."""
        return "\n".join([self._row(), _code()])

    def parquet_of(self, files: Sequence[File], folder: Path) -> list[Path]:
        """The rows of each file as parquet in ``folder``, which keeps them until something changes.

        SourceError when a file cannot be read, is not written as a form says, or leaves a question.
        """
        private_folder(folder)
        paths = []
        for file in files:
            name = hashlib.sha256(f"{file.identity}\n{self.key}".encode()).hexdigest()[:32]
            path = folder / f"{name}.parquet"
            if not path.exists():
                part = path.with_suffix(".part")
                pq.write_table(self._rows(file), part, compression="lz4")
                part.rename(path)
            paths.append(path)
        for old in set(folder.iterdir()) - set(paths):
            old.unlink()
        return paths

    @staticmethod
    def numbered(database: duckdb.DuckDBPyConnection, path: Path, number: int) -> duckdb.DuckDBPyRelation:
        """The rows of a file with its number in the order of names."""
        rows = database.read_parquet(str(path))
        return rows.project(StarExpression(), ConstantExpression(number).alias("file_number"))

    def check_orders(self, staged: Path) -> None:
        """SourceRowError when an order differs between two files and the row does not say which is right."""
        found: list[str] = []
        count = 0
        for path in staged.glob("month_key=*/*.parquet"):
            rows = pq.read_table(path, columns=["transaction_id", "rejected_reason"])
            ids = rows.filter(pc.equal(rows["rejected_reason"], DISPUTED))["transaction_id"].unique()
            count += len(ids)
            found += ids[:3].to_pylist()
        if count:
            raise SourceRowError(
                f"{self._where}: {count:,} orders are in several files and differ, such as "
                f"{', '.join(found[:3])}. Set source.options.repeated_orders in the firm's row: last (the "
                "last file by name is right) or all (they are different orders, or parts of one)"
            )

    def _rows(self, file: File) -> pa.Table:
        name = file.path.name
        if not self._forms:
            raise SourceRowError(
                f"{self._where}: its row does not say how its files are to be read (source.understood); "
                f"decide it from the files: python -m include firms accept {self._firm.firm_key}"
            )
        try:
            lines = self.lines_of(file)
        except Asks as asks:
            raise SourceRowError(f"{self._where}, {name}: {question_text(asks)}") from None
        except Refused as refused:
            if refused.code == "changed_form":
                raise SourceRowError(
                    f"{self._where}, {refused.what}. If the file is right: "
                    f"python -m include firms accept {self._firm.firm_key}. Else correct or remove the file"
                ) from None
            fix = "Correct the file and send it again" if "--" in refused.fix else refused.fix
            what = refused.what if name in refused.what else f"{name}: {refused.what}"
            raise SourceError(f"{self._where}, {what}. {fix}") from None
        except OSError as error:
            raise SourceError(f"{self._where}, {name}: {error.strerror or error}") from error
        return SCHEMA.empty_table() if lines is None else every_row(lines)

    def lines_of(self, file: File) -> Lines | None:
        """The lines of a file by its form; None when it has no rows. Refused or Asks if it is not read."""
        table = self._table_of(file)
        if table is None:
            return None
        options, zone = self._firm.source.options, self._firm.timezone
        return lines_by_form(table, self._forms, options, timezone=zone, currency=self._firm.currency)

    def _table_of(self, file: File) -> Table | None:
        source = self._firm.source
        options = options_of(source.options, source.mapping, timezone=self._firm.timezone)
        with TemporaryDirectory(prefix="firmament-read-") as scratch:
            try:
                tables = read_tables(file.path, options, Path(scratch))
            except Refused as refused:
                if refused.code in NO_ROWS:
                    return None
                raise
        known = [table for table in tables if has_header(table, self._forms)]
        table = joined(known or tables, Findings())
        if not table.rows and table.ragged:
            raise Refused("too_many_rejected", ragged_text(table), "Quote fields that contain the delimiter")
        if table.rows or not has_header(table, self._forms):
            return table
        return None

    def _row(self) -> str:
        row = self._firm.source.model_dump(
            mode="json", include={"options", "understood", "mapping", "layout"}
        )
        return json.dumps([row, self._firm.timezone, self._firm.currency], sort_keys=True)


def decide(path: Path, firm: Firm) -> tuple[Understood | None, Reading]:
    """The form of a file, and what it holds; without a form if the file is refused or a question is open."""
    source = firm.source
    options = options_of(source.options, source.mapping, timezone=firm.timezone)
    reading = inspect(path, options)
    if reading.lines is None:
        return None, reading
    return form_of_reading(path, reading, options), reading


def question_text(asks: Asks) -> str:
    """An open question with its choices and the field of the firm's row that answers it."""
    question = asks.question
    choices = "; ".join(f"{value}: {meaning}" for value, meaning in question.choices.items())
    return f"{question.text} ({choices}). Answer it in the firm's row: {answer_field(question.option)}"


def answer_field(option: str) -> str:
    """The field of a firm's row that an option of ``inspect`` sets."""
    if option.startswith("--map"):
        return "source.mapping: {" + option.split()[1].replace("=", ": ") + "}"
    return f"source.options.{option.split()[0].removeprefix('--').replace('-', '_')}"


def read_forms(files: Sequence[File], firm: Firm) -> tuple[Understood, ...]:
    """The forms of the firm's files: those of its row and a new one for each file that none of them fits."""
    forms = list(firm.source.understood or ())
    for file in files:
        source = firm.source.model_copy(update={"understood": tuple(forms)})
        known = UnderstoodFiles(firm.model_copy(update={"source": source}))
        try:
            if forms:
                known.lines_of(file)
                continue
        except Refused as refused:
            if refused.code != "changed_form":
                raise
        form, reading = decide(file.path, firm)
        if reading.answer.question:
            raise Asks(reading.answer.question)
        if reading.answer.refusal:
            if reading.answer.refusal.code in NO_ROWS:
                continue
            raise reading.answer.refusal
        assert form is not None
        forms.append(form)
    return tuple(forms)


@cache
def _code() -> str:
    """A hash of the code and the words that read a file."""
    digest = hashlib.sha256()
    folder = Path(inspect.__code__.co_filename).parent
    for path in sorted([*folder.glob("*.py"), *folder.glob("*.yaml")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
