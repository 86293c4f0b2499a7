"""Substitutes for an Oracle server, which the tests cannot run: Postgres, and prepared data frames.

Both give ``oracledb`` data frames, in Oracle's types and with its capital names, so what reads them is
the code that would read the real ones.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping

import oracledb
import psycopg
import pyarrow as pa
from psycopg import sql

from include import sql_text

TYPES = {"text": pa.string(), "varchar": pa.string(), "bpchar": pa.string(), "timestamp": pa.timestamp("us")}


class PostgresAsOracle:
    """Runs the very text meant for Oracle on Postgres."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self.statements: list[tuple[str, Mapping[str, object]]] = []

    def _schema(self, name: str) -> None:
        self._connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(name.lower())))

    current_schema = property(fset=_schema)

    @contextlib.contextmanager
    def cursor(self) -> Iterator[psycopg.Cursor]:
        with self._connection.cursor() as cursor:
            yield cursor

    def close(self) -> None:
        self._connection.close()

    def fetch_df_batches(self, statement, parameters, size, *, fetch_decimals):
        assert fetch_decimals, "NUMBER would come as a float"
        names = set(sql_text.parameters(statement))
        if names != set(parameters):
            raise oracledb.DatabaseError(f"DPY-4008: binds {sorted(names ^ set(parameters))}")
        self.statements.append((statement, parameters))
        text, _ = sql_text.for_psycopg(re.sub(r"--[^\n]*", "", statement), parameters)
        try:
            with psycopg.ServerCursor(self._connection, "extracted") as cursor:
                cursor.execute(text, parameters)
                schema = pa.schema([(c.name.upper(), _type(c)) for c in cursor.description])
                while True:
                    rows = cursor.fetchmany(size)
                    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
                    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
                    yield oracledb.from_arrow(pa.Table.from_arrays(arrays, schema=schema))
                    if len(rows) < size:
                        return
        except psycopg.Error as error:
            raise oracledb.DatabaseError(f"ORA-00000: {error}") from error


class Frames:
    """Gives the catalogue of a whole schema, then frames made beforehand, then perhaps an error."""

    current_schema = None

    def __init__(self, tables, columns, *, error: Exception | None = None) -> None:
        self.tables, self.columns, self.error, self.is_closed = tables, columns, error, False
        self.given = 0

    @contextlib.contextmanager
    def cursor(self):
        class Cursor:
            def execute(self, text):
                assert text == "set transaction read only"

        yield Cursor()

    def close(self) -> None:
        self.is_closed = True

    def fetch_df_batches(self, statement, parameters, size, *, fetch_decimals):
        if "all_tab_columns" in statement:
            rows = [(t, c) for t, names in self.columns for c in names]
            names = ["RELATION_NAME", "ATTRIBUTE_NAME"]
            columns = [pa.array([row[i].upper() for row in rows]) for i in (0, 1)]
            yield oracledb.from_arrow(pa.table(columns, names=names))
            return
        for table in self.tables:
            self.given += 1
            yield oracledb.from_arrow(table)
        if self.error:
            raise self.error


def _type(column: psycopg.Column) -> pa.DataType:
    if column.type_display.startswith("numeric"):
        return pa.decimal128(column.precision or 38, column.scale or 0)
    return TYPES[re.split(r"[( ]", column.type_display)[0]]
