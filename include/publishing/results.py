"""Read the results to publish from the warehouse: all tables of a run in one database snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.rows import tuple_row

from include import sql_text
from include.publishing import Read, Run
from include.warehouse.session import Session

BATCH_ROWS = 10_000


class Results(Session):
    """The rows of ``sql/publish``, streamed."""

    @contextmanager
    def of(self, run: Run) -> Iterator[Read]:
        """A function that opens the rows of one table; all tables are read in one snapshot."""
        params = {"firm_key": run.firm_id, "as_of": run.as_of, "run_id": run.run_id}

        @contextmanager
        def read(table: str) -> Iterator[tuple[list[str], Iterator[tuple[Any, ...]]]]:
            text, bound = sql_text.for_psycopg(sql_text.read("publish", table), params)
            with self.connection.cursor(name="published", row_factory=tuple_row) as cursor:
                cursor.itersize = BATCH_ROWS
                with self.clear_errors(f"sql/publish/{table}.sql"):
                    cursor.execute(text, bound)
                yield [column.name for column in cursor.description or ()], self._fetch(cursor, table)

        with self.clear_errors(f"reading what is published of {run.run_id}"), self.connection.transaction():
            self.connection.execute("set transaction isolation level repeatable read, read only")
            yield read

    def missing(self, run: Run, facts: Iterable[str]) -> list[str]:
        """The facts without a snapshot of the run's as_of."""
        found = self.rows(
            "select fact_name from analytics.dim_snapshot join analytics.dim_firm using (firm_sk) "
            "where firm_key = %s and as_of = %s",
            [run.firm_id, run.as_of],
        )
        return sorted(set(facts) - {row["fact_name"] for row in found})

    def _fetch(self, cursor: Iterable[tuple[Any, ...]], table: str) -> Iterator[tuple[Any, ...]]:
        # Convert errors here: the writer would report them as errors of the firm's own database.
        with self.clear_errors(f"sql/publish/{table}.sql"):
            yield from cursor
