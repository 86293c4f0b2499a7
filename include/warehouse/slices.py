"""The ledger of slices: which months of a firm's events are extracted, and how many rows each has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from include.slices import Slice
from include.warehouse.errors import Fenced
from include.warehouse.session import Part, Row


@dataclass(frozen=True)
class Written:
    """A slice as its manifest says: the as_of and token it was written for, its rows and its contract."""

    slice: Slice
    as_of: date
    token: int
    rows: int
    sha256: str
    fingerprint: str


@dataclass(frozen=True)
class Recorded:
    """A row of the ledger. ``written`` is the manifest where it is known and no attempt began since.

    ``source_rows`` are the rows that the source gave and ``source_amount`` their money; ``compared_rows`` are
    those it had at ``compared_as_of``.
    """

    slice: Slice
    as_of: date
    token: int
    written: Written | None
    source_rows: int | None
    compared_as_of: date | None
    compared_rows: int | None
    source_amount: Decimal | None = None


class Slices(Part):
    """``control.slices``."""

    def begin(
        self,
        firm_key: str,
        dataset_name: str,
        part: Slice,
        as_of: date,
        token: int,
        source_rows: int,
        source_amount: Decimal | None = None,
    ) -> None:
        """An attempt is about to commit the slice; Fenced when a newer one began. Comparisons are void."""
        with self._session.clear_errors(f"slice {part} of {dataset_name} of {firm_key}"):
            found = self._session.connection.execute(
                """
                insert into control.slices
                (firm_key, dataset, slice, as_of, token, status, source_row_count, source_amount)
                values (%s, %s, %s, %s, %s, 'writing', %s, %s)
                on conflict (firm_key, dataset, slice) do update set
                    as_of = excluded.as_of, token = excluded.token, status = excluded.status,
                    source_row_count = excluded.source_row_count,
                    source_amount = excluded.source_amount, row_count = null, manifest_sha256 = null,
                    fingerprint = null, compared_as_of = null, compared_row_count = null,
                    recorded_at = excluded.recorded_at
                where slices.token <= excluded.token
                returning token
                """,
                [firm_key, dataset_name, str(part), as_of, token, source_rows, source_amount],
            ).fetchone()
        if found is None:
            raise Fenced(f"{firm_key}/{dataset_name}/{part} was read by an attempt newer than {token}")

    def record(self, firm_key: str, dataset_name: str, written: Sequence[Written]) -> None:
        """Record what manifests say. A row of a newer attempt, which may not have committed yet, is kept."""
        with (
            self._session.clear_errors(f"slices of {dataset_name} of {firm_key}"),
            self._session.connection.transaction(),
            self._session.connection.cursor() as cursor,
        ):
            cursor.executemany(
                """
                insert into control.slices
                (firm_key, dataset, slice, as_of, token, status, row_count, manifest_sha256, fingerprint)
                values (%s, %s, %s, %s, %s, 'current', %s, %s, %s)
                on conflict (firm_key, dataset, slice) do update set
                    as_of = excluded.as_of, token = excluded.token, status = excluded.status,
                    row_count = excluded.row_count, manifest_sha256 = excluded.manifest_sha256,
                    fingerprint = excluded.fingerprint, recorded_at = excluded.recorded_at
                where slices.token <= excluded.token
                """,
                [
                    [firm_key, dataset_name, str(w.slice), w.as_of, w.token, w.rows, w.sha256, w.fingerprint]
                    for w in written
                ],
            )

    def of(self, firm_key: str, dataset_name: str) -> list[Recorded]:
        """The slices of the dataset that are in the ledger, in order."""
        found = self._session.rows(
            "select slice, as_of, token, status, row_count, source_row_count, source_amount, "
            "manifest_sha256, fingerprint, compared_as_of, compared_row_count from control.slices "
            "where firm_key = %s and dataset = %s order by slice",
            [firm_key, dataset_name],
        )
        return [_recorded(row) for row in found]

    def record_comparison(
        self, firm_key: str, dataset_name: str, as_of: date, counted: Mapping[Slice, tuple[int, int]]
    ) -> None:
        """Record a new count of the source: by slice, the rows at extraction and the rows now."""
        with (
            self._session.clear_errors(f"counting of {dataset_name} of {firm_key}"),
            self._session.connection.transaction(),
            self._session.connection.cursor() as cursor,
        ):
            cursor.executemany(
                # A month that was extracted again meanwhile is compared another day.
                "update control.slices set compared_as_of = %s, compared_row_count = %s "
                "where firm_key = %s and dataset = %s and slice = %s and source_row_count = %s",
                [
                    [as_of, now, firm_key, dataset_name, str(part), then]
                    for part, (then, now) in counted.items()
                ],
            )

    def late(self, firm_key: str) -> dict[str, list[Recorded]]:
        """By dataset, the slices whose source has another number of rows than were extracted, in order."""
        found = self._session.rows(
            "select dataset, slice, as_of, token, status, row_count, source_row_count, source_amount, "
            "manifest_sha256, fingerprint, compared_as_of, compared_row_count from control.slices "
            "where firm_key = %s and compared_row_count <> source_row_count order by dataset, slice",
            [firm_key],
        )
        late: dict[str, list[Recorded]] = {}
        for row in found:
            late.setdefault(row["dataset"], []).append(_recorded(row))
        return late


def _recorded(row: Row) -> Recorded:
    part = Slice.parse(row["slice"])
    written = None
    if row["status"] == "current":
        written = Written(
            part,
            row["as_of"],
            row["token"],
            row["row_count"],
            row["manifest_sha256"],
            row["fingerprint"],
        )
    return Recorded(
        part,
        row["as_of"],
        row["token"],
        written,
        row["source_row_count"],
        row["compared_as_of"],
        row["compared_row_count"],
        row["source_amount"],
    )
