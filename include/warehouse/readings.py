"""How many rows each month had when it was read, and how many its source has by now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from include.warehouse.errors import Fenced
from include.warehouse.session import Part, Row


class Readings(Part):
    """``control.readings``: what tells a late row from silence."""

    def record(
        self, firm_key: str, dataset_name: str, month: str, as_of: date, token: int, rows: int
    ) -> None:
        """A month was read: so many rows, the unusable ones too. Earlier comparisons are void."""
        with self._session.clear_errors(f"reading of {dataset_name} of {firm_key}"):
            found = self._session.connection.execute(
                """
                insert into control.readings (firm_key, dataset, slice, as_of, token, row_count)
                values (%s, %s, %s, %s, %s, %s)
                on conflict (firm_key, dataset, slice) do update set
                    as_of = excluded.as_of, token = excluded.token, row_count = excluded.row_count,
                    compared_as_of = null, source_row_count = null
                where readings.token <= excluded.token
                returning token
                """,
                [firm_key, dataset_name, month, as_of, token, rows],
            ).fetchone()
            if found is None:
                raise Fenced(f"{firm_key}/{dataset_name}/{month} was read by an attempt newer than {token}")

    def of(self, firm_key: str, dataset_name: str) -> list[Row]:
        """The months that were read: ``slice, as_of, row_count, compared_as_of, source_row_count``."""
        return self._session.rows(
            "select slice, as_of, row_count, compared_as_of, source_row_count from control.readings "
            "where firm_key = %s and dataset = %s order by slice",
            [firm_key, dataset_name],
        )

    def record_comparison(
        self, firm_key: str, dataset_name: str, as_of: date, counted: Mapping[str, tuple[int, int]]
    ) -> None:
        """Months were counted in the source again: by month, the rows once read and those there are now."""
        with (
            self._session.clear_errors(f"counting of {dataset_name} of {firm_key}"),
            self._session.connection.transaction(),
            self._session.connection.cursor() as cursor,
        ):
            cursor.executemany(
                # A month that was read anew meanwhile is compared with that reading another day.
                "update control.readings set compared_as_of = %s, source_row_count = %s "
                "where firm_key = %s and dataset = %s and slice = %s and row_count = %s",
                [
                    [as_of, now, firm_key, dataset_name, month, then]
                    for month, (then, now) in sorted(counted.items())
                ],
            )

    def overtaken(self, firm_key: str) -> list[Row]:
        """Months whose source has another number of rows than were read, oldest first."""
        return self._session.rows(
            "select dataset, slice, as_of, row_count, compared_as_of, source_row_count from control.readings "
            "where firm_key = %s and source_row_count <> row_count order by dataset, slice",
            [firm_key],
        )
