"""One file of a set layout as rows of text, with the column names of the layout's statement."""

from __future__ import annotations

from pathlib import Path

import duckdb
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

from include.data_files.expansion import check_expansion, check_footer
from include.data_files.folder import File, first_line, plain
from include.sources.layouts import Layout


def rows_of(
    database: duckdb.DuckDBPyConnection, file: File, layout: Layout, work: Path, *, where: str
) -> duckdb.DuckDBPyRelation:
    """One file's rows as text, with the column names of the layout's statement."""
    where = f"{where}, file {file.path.name}"
    if file.ending == ".parquet":
        check_footer(file)
        rows = database.read_parquet(str(file.path))
        names = list(rows.columns)
        at = layout.place(names, where=where)
        check_expansion(rows, [names[i] for i in at.values()], file)
        texts = {column: _as_text(names[i], str(rows.types[i])) for column, i in at.items()}
    else:
        path = plain(file, encoding=layout.encoding, scratch=work)
        header = first_line(path, delimiter=layout.delimiter, name=file.path)
        has_header = not layout.is_data(header)
        at = layout.place(header if has_header else layout.headerless, where=where)
        rows = database.read_csv(
            str(path),
            # Columns are numbered, so that no text of a file becomes part of a statement.
            columns={f"column_{i}": "VARCHAR" for i in range(len(header))},
            auto_detect=False,
            header=has_header,
            delimiter=layout.delimiter,
            quotechar='"',
            escapechar='"',
        )
        texts = {column: ColumnExpression(f"column_{i}") for column, i in at.items()}
    nothing = ConstantExpression(None).cast("VARCHAR")
    return rows.project(*[texts.get(column, nothing).alias(column) for column in layout.columns])


def _as_text(name: str, kind: str) -> duckdb.Expression:
    """A parquet column as text; floats with whole values are written as whole numbers."""
    column = ColumnExpression(name)
    if kind in ("DOUBLE", "FLOAT"):
        return FunctionExpression("whole_text", column)
    return column.cast("VARCHAR")
