"""DuckDB's errors about a firm's files: the file they are about, and the message without the row's values."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from include.data_files.folder import plain_name


def place_of(error: duckdb.Error, folder: Path) -> Path:
    """The file that DuckDB was reading, by its name in the firm's folder; else the folder."""
    found = re.search(r"^ *file = (.+)$", str(error), re.M)
    read = Path(found[1].strip()).name if found else ""
    called = (path for path in folder.iterdir() if read in (path.name, plain_name(path)))
    return next(called, folder)


def message_of(error: duckdb.Error) -> str:
    """DuckDB's message without its advice and without the row, which may contain personal data."""
    lines = [line.strip() for line in str(error).partition("Possible")[0].splitlines() if line.strip()]
    # DuckDB reports a line number, the row itself on any number of lines, and the reason.
    kept = [lines[0], lines[-1]] if "CSV Error" in lines[0] else lines[:6]
    return " | ".join(line[:300] for line in kept)
