"""Read workbooks (xlsx, xlsb, xls, ods) with calamine, after checking their size."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineWorkbook, PasswordError

from include.data_files.folder import FREE_BYTES, MAX_RATIO
from include.intake.answer import Refused
from include.intake.headers import KNOWN
from include.intake.messages import Message
from include.intake.options import Options
from include.intake.records import text_of
from include.intake.tables import Table, find_header

HEAD_ROWS = 60
# calamine loads a whole sheet: 60 bytes per cell, measured on a million rows of eight columns.
MAX_UNPACKED = 2 << 30


def read(path: Path, options: Options) -> list[Table]:
    """The tables of a workbook's sheets; those without a table are left out."""
    _check_archive(path)
    try:
        # By content: calamine's from_path uses the file's suffix, which is often wrong.
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        names, hidden = _visible(book)
        names = [options.sheet] if options.sheet else names
        if options.sheet and options.sheet not in book.sheet_names:
            raise Refused(
                "bad_option",
                f"{path.name} has no sheet {options.sheet!r}; it has {', '.join(book.sheet_names)}",
                "Select one of them with --sheet",
            )
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in names]
    except Refused:
        raise
    except PasswordError as error:
        raise Refused(
            "damaged_file",
            f"{path.name} is a workbook that needs a password",
            "Open it in a spreadsheet program, remove the password and save it again",
        ) from error
    except BaseException as error:  # calamine's errors share no base class; a panic is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise Refused(
            "damaged_file",
            f"{path.name} is a workbook that cannot be opened: {str(error).splitlines()[0][:120]}",
            "Open it in a spreadsheet program and save it again, or save the sheet as csv",
        ) from error
    tables = [table for name, rows in sheets if (table := table_of(path.name, name, rows, options))]
    if hidden and tables and not options.sheet:
        tables[0].notes.append(Message("hidden_sheets", values={"sheets": hidden}))
    return tables


def _visible(book: CalamineWorkbook) -> tuple[list[str], tuple[str, ...]]:
    """The sheets to read, and those that are hidden; all are read if none is visible."""
    kinds = {sheet.name: str(sheet.visible).rpartition(".")[2] for sheet in book.sheets_metadata}
    visible = [name for name in book.sheet_names if kinds.get(name, "Visible") == "Visible"]
    if not visible:
        return book.sheet_names, ()
    return visible, tuple(name for name in book.sheet_names if name not in visible)


def table_of(file: str, sheet: str, rows: Sequence[Sequence[object]], options: Options) -> Table | None:
    """The table of one sheet's cells; None if it has none."""
    filled = [row for row in rows if any(cell not in ("", None) for cell in row)]
    if not filled:
        return None
    left = min(next(i for i, cell in enumerate(row) if cell not in ("", None)) for row in filled)
    filled = [row[left:] for row in filled]
    first = [[_text(cell) or "" for cell in row] for row in filled[:HEAD_ROWS]]
    at = None if options.has_header is False else find_header(first, KNOWN)
    width = max(len(row) for row in first)
    header = tuple(f"#{i + 1}" for i in range(width))
    if at is not None:
        names = [" ".join(cell.split()) for cell in first[at]]
        while names and not names[-1]:
            names.pop()
        header = tuple(name or f"#{i + 1}" for i, name in enumerate(names))
    body = filled if at is None else filled[at + 1 :]
    columns, typed, ragged = _columns(body, len(header))
    table = Table(f"{file}, sheet {sheet}", header, columns, typed, ragged, has_header=at is not None)
    table.notes.append(Message("sheet", values={"sheet": sheet}))
    if at:
        table.notes.append(Message("preamble", values={"rows": at}))
    return table


def _columns(
    rows: Sequence[Sequence[object]], width: int
) -> tuple[list[pa.Array], frozenset[int], list[str]]:
    """Text columns, the fully typed columns, and the rows with more fields than the header."""
    wide = [row for row in rows if len(row) > width and any(cell not in ("", None) for cell in row[width:])]
    ragged = [" | ".join(_text(cell) or "" for cell in row) for row in wide]
    if wide:
        left_out = {id(row) for row in wide}
        rows = [row for row in rows if id(row) not in left_out]
    columns, typed = [], []
    for i in range(width):
        cells = [row[i] if i < len(row) else None for row in rows]
        kinds = {type(cell) for cell in cells if cell not in ("", None)}
        if str not in kinds:
            typed.append(i)
        if kinds == {str}:
            columns.append(pa.array([cell or None for cell in cells], pa.string()))
        elif kinds == {float}:
            numbers = [None if cell in ("", None) else round(cell, 9) for cell in cells]  # type: ignore[call-overload]
            columns.append(text_of(pa.array(numbers, pa.float64())))
        else:
            exact = {str, float} <= kinds
            columns.append(pa.array([_text(cell, exact=exact) for cell in cells], pa.string()))
    return columns, frozenset(typed), ragged


def _text(cell: object, *, exact: bool = False) -> str | None:
    """A cell as text. ``exact`` writes a fraction so that its point cannot be read as a group mark."""
    if cell is None or isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 9e15:
            return str(int(cell))
        shown = repr(round(cell, 9))
        return f"{shown}e0" if exact and "e" not in shown else shown
    if isinstance(cell, datetime):
        return cell.isoformat(" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _check_archive(path: Path) -> None:
    """Refuse a workbook that decompresses to too much, before it is loaded."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        given = sum(entry.file_size for entry in archive.infolist())
    if (given > FREE_BYTES and given > MAX_RATIO * path.stat().st_size) or given > MAX_UNPACKED:
        raise Refused(
            "expands_too_much",
            f"{path.name} decompresses to {given:,} bytes, too much for its size",
            "Save the sheet as csv and give that file",
        )
