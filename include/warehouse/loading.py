"""Loads: stage, check and commit a table's slices in one transaction.

The rows are copied to a temporary table without a lock. Then, under the firm's lock, the tokens are
compared, ``sql/load/<table>.sql`` replaces the slices, ``sql/check/<table>.sql`` selects wrong rows, and the
commit makes all slices visible. The lock serialises loads; the token rejects a superseded loader.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from include import faults, sql_text
from include.datasets.contract import Dataset
from include.slices import Slice
from include.warehouse.errors import Fenced, LoadRefused, UnknownFirm, WarehouseError, explain, is_data_fault
from include.warehouse.load_text import load_text
from include.warehouse.partitions import analyze_partition, ensure_partition, index_partition
from include.warehouse.scoring import FIRM_LOCK, score
from include.warehouse.session import Part, Row
from include.warehouse.staging import stage
from include.warehouse.summaries import Changes, Summaries

TRIES = 8
SHOWN = 5


@dataclass(frozen=True)
class LoadSlice:
    """A slice to load: its rows, its manifest and what made it."""

    slice: Slice
    manifest_token: int
    manifest_sha256: str
    batches: Iterable[pa.RecordBatch] = field(repr=False)
    made_from: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """How ``control.loads`` names the slice: ``2026-11`` or ``2026-11-21``."""
        return str(self.slice)

    @property
    def day(self) -> date:
        """The month's first day, or the snapshot's day."""
        return self.slice.first_day


@dataclass(frozen=True)
class Loaded:
    """What a load did: rows now in the table from it, and slices that were there already."""

    rows: int
    skipped_slices: int


class FactLoader(Part):
    """Loads facts and dimensions, and scores predictions. ``include.run.records.Loader`` is its protocol."""

    def load(
        self,
        table: str,
        *,
        firm_key: str,
        as_of: date,
        dataset: Dataset,
        slices: Sequence[LoadSlice],
        token: int,
        step: str,
    ) -> Loaded:
        """Replace ``slices`` of a firm's ``table``; slices already loaded from the same bytes are skipped.

        Raises LoadRefused when the rows are wrong, Fenced when a newer attempt has written, UnknownOutcome
        if the commit's status is unknown; none of them leaves a partial load.
        """
        if table not in sql_text.names("check"):
            raise KeyError(f"no load of {table!r}; there are {', '.join(sql_text.names('check'))}")
        doing = f"{step}: {table} of {firm_key}"
        if dataset.by == "as_of" and [s.day for s in slices] != [as_of]:
            raise ValueError(f"{doing}: a snapshot is loaded alone, for its own as_of {as_of}")
        if dataset.by == "anchor" and [s.day <= as_of for s in slices] != [True]:
            raise ValueError(f"{doing}: an anchor is loaded alone, on or after its day; as_of is {as_of}")
        with self._session.clear_errors(doing):
            firm_sk = self._firm_sk(firm_key)
            ensure_partition(self._session.connection, table, firm_sk)
        load = _Load(table, firm_key, firm_sk, as_of, dataset, token, doing)
        try:
            with self._session.transaction(doing) as connection:
                done = load.run(connection, slices)
                faults.point("warehouse.before_commit")
            faults.point("warehouse.after_commit")
        except psycopg.Error as error:
            kind = LoadRefused if is_data_fault(error) else WarehouseError
            raise kind(f"{doing}: {load.at}: {explain(error)}; nothing was changed") from None
        if done.rows:
            analyze_partition(self._session.connection, table, firm_sk)
        Summaries(self._session).fill(table, firm_key=firm_key, firm_sk=firm_sk, as_of=as_of)
        return done

    def score(self, module: str, *, firm_key: str, step: str) -> int:
        """Bring a firm's scorecard of a module up to date; rows written, 0 when it was."""
        return score(self._session, module, firm_key=firm_key, step=step)

    def _firm_sk(self, firm_key: str) -> int:
        text, bound = sql_text.for_psycopg(sql_text.read("load", "dim_firm"), {"firm_key": firm_key})
        with self._session.connection.transaction():
            self._session.connection.execute(text, bound)
            row = self._session.connection.execute(
                "select firm_sk from analytics.dim_firm where firm_key = %s", [firm_key]
            ).fetchone()
        if row is None:
            raise UnknownFirm(f"no firm {firm_key!r}; see them: python -m include firms list")
        return int(row["firm_sk"])


@dataclass
class _Load:
    """One load inside its transaction."""

    table: str
    firm_key: str
    firm_sk: int
    as_of: date
    dataset: Dataset
    token: int
    doing: str
    at: str = "looking at what is loaded"

    def run(self, connection: psycopg.Connection[Row], slices: Sequence[LoadSlice]) -> Loaded:
        self.loader = self._loader()
        due = self._due(connection, slices)
        rows: Counter[str] = Counter()
        if due:
            faults.point("warehouse.before_copy")
            self.at = "copying the handoff to its staging table"
            stage(connection, self.dataset, self._batches(due, rows))
        # From here a stopped loader holds locks: the server ends its session after this long.
        connection.execute(
            "set local idle_in_transaction_session_timeout = '60s'; set local lock_timeout = '5min'; "
            # Dimensions that this load fills have no statistics yet: the planner would loop over them, for
            # minutes. The staged rows have theirs, see staging.py.
            "set local work_mem = '128MB'; set local enable_nestloop = off"
        )
        connection.execute("savepoint staged")

        def undo(state: RetryCallState) -> None:
            connection.execute("rollback to savepoint staged")

        again = Retrying(
            retry=retry_if_exception_type(
                (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
            ),
            stop=stop_after_attempt(TRIES),
            wait=wait_random(0.05, 0.5),
            before_sleep=undo,
            reraise=True,
        )
        done: Loaded = again(self._replace, connection, slices, due, rows)
        return done

    def _replace(
        self,
        connection: psycopg.Connection[Row],
        slices: Sequence[LoadSlice],
        staged: Sequence[LoadSlice],
        rows: Counter[str],
    ) -> Loaded:
        connection.execute("select pg_advisory_xact_lock(%s, %s)", [FIRM_LOCK, self.firm_sk])
        due = self._due(connection, slices, lock=True)
        if missing := {s.text for s in due} - {s.text for s in staged}:
            raise Fenced(f"{self.doing}: {sorted(missing)} changed while it was loading; run the step again")
        if due:
            params: Row = {
                "firm_key": self.firm_key,
                "firm_sk": self.firm_sk,
                "as_of": self.as_of,
                "months": [s.day for s in due],
                "anchor": due[0].day,
                "manifest_token": due[0].manifest_token,
                "manifest_sha256": due[0].manifest_sha256,
                "made_from": list(due[0].made_from),
            }
            check = sql_text.read("check", self.table)
            texts = {"load": load_text(self.table, self.dataset), "check": check}
            changes = Changes(connection, self.table, self.firm_sk, self.as_of, [s.day for s in due])
            for folder, text in texts.items():
                self.at = f"sql/{folder}/{self.table}.sql"
                answer = connection.execute(*sql_text.for_psycopg(text, params))
                if folder == "check":
                    self._refuse(answer.fetchmany(1000))
            index_partition(connection, self.table, self.firm_sk)
        self.at = "noting what is loaded"
        self._record(connection, slices, due, rows)
        if due:
            self.at = "removing the summaries that changed"
            changes.remove()
        return Loaded(sum(rows[s.text] for s in due), len(slices) - len(due))

    def _due(
        self, connection: psycopg.Connection[Row], slices: Sequence[LoadSlice], *, lock: bool = False
    ) -> list[LoadSlice]:
        """The slices that differ from what is loaded. Fenced if a newer attempt has loaded."""
        query = (
            "select slice, token, manifest_token, manifest_sha256, loader_sha256 from control.loads "
            "where firm_key = %s and table_name = %s and slice = any(%s) order by slice"
        ) + (" for update" if lock else "")
        found = connection.execute(query, [self.firm_key, self.table, [s.text for s in slices]])
        loaded = {row["slice"]: row for row in found.fetchall()}
        return [s for s in slices if s.text not in loaded or self._is_due(s, loaded[s.text])]

    def _is_due(self, wanted: LoadSlice, loaded: Row) -> bool:
        same_bytes = loaded["manifest_sha256"] == wanted.manifest_sha256
        if same_bytes and loaded["loader_sha256"] == self.loader:
            return False
        if wanted.manifest_token < loaded["manifest_token"] and self.dataset.by == "month":
            return False  # a newer extraction of the month contains every row of this one
        if wanted.manifest_token < loaded["manifest_token"] or self.token < loaded["token"]:
            raise Fenced(
                f"{self.doing}: {wanted.text} was loaded by attempt {loaded['token']}, of a handoff of "
                f"{loaded['manifest_token']}; this is attempt {self.token}, of {wanted.manifest_token}"
            )
        return True

    def _batches(self, due: Sequence[LoadSlice], rows: Counter[str]) -> Iterator[pa.RecordBatch]:
        for part in due:
            for batch in part.batches:
                self.dataset.check(batch)
                if self.dataset.by == "month":
                    self._refuse_other_months(part, batch)
                rows[part.text] += batch.num_rows
                yield batch

    def _refuse_other_months(self, part: LoadSlice, batch: pa.RecordBatch) -> None:
        """LoadRefused if a row belongs to another month: it would be lost or replaced with that."""
        days = pc.min_max(batch.column("order_date")).as_py()
        if batch.num_rows and any(
            (d.year, d.month) != (part.day.year, part.day.month) for d in days.values()
        ):
            raise LoadRefused(
                f"{self.doing}: {part.text} holds order_date {days['min']} to {days['max']}, outside "
                "the month; nothing was changed"
            )

    def _refuse(self, found: list[Row]) -> None:
        if not found:
            return
        counts = Counter(row["fault"] for row in found)
        summary = "; ".join(
            f"{fault}: {count}{'+' if len(found) == 1000 else ''} rows, such as "
            + ", ".join([str(row["sample"]) for row in found if row["fault"] == fault][:SHOWN])
            for fault, count in counts.items()
        )
        raise LoadRefused(
            f"{self.doing}: {summary}. Nothing was changed; see include/sql/check/{self.table}.sql"
        )

    def _record(
        self,
        connection: psycopg.Connection[Row],
        slices: Sequence[LoadSlice],
        due: Sequence[LoadSlice],
        rows: Counter[str],
    ) -> None:
        rewritten = {s.text for s in due}
        params = [
            {
                "firm_key": self.firm_key,
                "table_name": self.table,
                "slice": s.text,
                "dataset": self.dataset.name,
                "as_of": self.as_of,
                "token": self.token,
                "manifest_token": s.manifest_token,
                "manifest_sha256": s.manifest_sha256,
                "loader_sha256": self.loader,
                "row_count": rows[s.text],
                "is_due": s.text in rewritten,
            }
            for s in slices
        ]
        text = sql_text.read("load", "loads")
        with connection.cursor() as cursor:
            if params:
                cursor.executemany(sql_text.for_psycopg(text, params[0])[0], params)
        if self.table.startswith("fact_"):
            snapshot = {"firm_sk": self.firm_sk, "fact_name": self.table, "as_of": self.as_of}
            connection.execute(*sql_text.for_psycopg(sql_text.read("load", "dim_snapshot"), snapshot))

    def _loader(self) -> str:
        """A hash of what turns the handoff into rows: when it changes, equal bytes are loaded again."""
        parts = (sql_text.read("load", self.table), self.dataset.fingerprint)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
