"""Ingest one slice: split a source's batches into usable and rejected rows, deduplicate and sort.

rows in = rows kept + rows rejected by reason. Exact duplicates are dropped and counted. Rows that have the
same grain key and differ are all rejected, because the correct one is unknown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp

from include.datasets import Dataset
from include.datasets.extracted import rejected_of
from include.engines import Engine

EXACT_DUPLICATE = "exact_duplicate"
CONFLICTING_DUPLICATE = "conflicting_duplicate"
TOO_LONG = "too_long"
LONGEST_KEY = 1000  # bytes; the limit of an index of the warehouse is a little over twice that
SAMPLES = 5
REASONS = 4  # in a note


@dataclass
class Rejections:
    """Rejected rows of one slice: count, net amount and samples, by reason."""

    rows: Counter[str] = field(default_factory=Counter)
    net_amount: dict[str, Decimal] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of rejected rows with the columns ``rejected_reason`` and ``source_row``."""
        has_amount = "net_amount" in batch.schema.names
        for i, reason in enumerate(batch.column("rejected_reason").to_pylist()):
            self.rows[reason] += 1
            if has_amount and (amount := batch.column("net_amount")[i].as_py()) is not None:
                self.net_amount[reason] = self.net_amount.get(reason, Decimal(0)) + amount
            if len(kept := self.samples.setdefault(reason, [])) < SAMPLES:
                kept.append(batch.column("source_row")[i].as_py() or "")

    def include(self, other: Rejections) -> None:
        """Add the counts and money of another slice."""
        self.rows.update(other.rows)
        for reason, amount in other.net_amount.items():
            self.net_amount[reason] = self.net_amount.get(reason, Decimal(0)) + amount

    def note(self) -> str:
        """The rejected rows by reason with their money, most frequent first; empty if there are none."""
        reasons = [
            f"{count:,} {reason}" + (f" ({amount:,.2f})" if (amount := self.net_amount.get(reason)) else "")
            for reason, count in self.rows.most_common(REASONS)
        ]
        more = f" and {len(self.rows) - REASONS} more reasons" if len(self.rows) > REASONS else ""
        return f"left out {', '.join(reasons)}{more}" if reasons else ""

    def records(self, *, with_samples: bool) -> list[dict[str, object]]:
        """One row of ``control.rejections`` per reason. Datasets with personal data give no samples."""
        return [
            {
                "reason": reason,
                "rows": count,
                "net_amount": self.net_amount.get(reason),
                "samples": self.samples.get(reason, []) if with_samples else [],
            }
            for reason, count in sorted(self.rows.items())
        ]


class SliceIngest:
    """The ingestion of one slice: usable rows in one scratch file, rejected rows in another."""

    def __init__(self, dataset: Dataset, scratch: Path) -> None:
        """Files are written under ``scratch``, which the caller removes."""
        self.dataset = dataset
        self.rejections = Rejections()
        self.rows = 0  # read from the source
        self.amount: Decimal | None = None  # of these rows, without signs; None: they have no amount
        self._usable = self.usable_in(scratch)
        self._rejected = scratch / "rejected.parquet"
        self._conflicts = scratch / "conflicts.parquet"

    @staticmethod
    def usable_in(scratch: Path) -> Path:
        """The file of usable rows, which each slice's queries read."""
        return scratch / "usable.parquet"

    def split_rejects(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write usable rows of the batches to one file and rejected rows to another."""
        # The file is read once and removed: lz4 costs less CPU than zstd and more disk.
        usable = pq.ParquetWriter(self._usable, self.dataset.schema, compression="lz4")
        rejected = pq.ParquetWriter(self._rejected, _REJECTED, compression="zstd")
        try:
            for batch in batches:
                self.rows += batch.num_rows
                self._add_amount(batch)
                batch = _without_long_keys(batch, keeps_all=not self.dataset.pii)
                is_usable = pc.is_null(batch.column("rejected_reason"))
                if pc.all(is_usable).as_py() is False:
                    bad = batch.filter(pc.invert(is_usable))
                    self.rejections.add(bad)
                    rejected.write_batch(bad.select(_REJECTED.names).cast(_REJECTED))
                    batch = batch.filter(is_usable)
                usable.write_batch(self.dataset.conform(batch))
        finally:
            usable.close()
            rejected.close()

    def _add_amount(self, batch: pa.RecordBatch) -> None:
        if "net_amount" in batch.schema.names:
            total = pc.sum(pc.abs(batch.column("net_amount"))).as_py()
            self.amount = (self.amount or Decimal(0)) + (total or Decimal(0))

    def deduplicate_and_sort(self, engine: Engine) -> Iterator[pa.RecordBatch]:
        """Usable rows, sorted by grain, one per key."""
        rows = pq.read_metadata(self._usable).num_rows
        keys = self._count(engine, sqlglot.select(*self.dataset.grain).distinct().from_(self.dataset.name))
        if keys == rows:
            lines = sqlglot.select(*self.dataset.schema.names).from_(self.dataset.name)
            yield from self._in_order(engine, lines)
            return
        distinct = self._count(engine, self._distinct("*"))
        if distinct < rows:
            self.rejections.rows[EXACT_DUPLICATE] += rows - distinct
        lines = self._distinct(*self.dataset.schema.names)
        if keys < distinct:
            self._reject_conflicts(engine)
            lines = lines.qualify(self._copies().eq(1))
        yield from self._in_order(engine, lines)

    def rejected(self, engine: Engine) -> Iterator[pa.RecordBatch]:
        """Rejected rows, sorted and numbered by reason. Call it after ``deduplicate_and_sort``."""
        dataset = rejected_of(self.dataset)
        raw = Dataset(name="rejected", about="", grain=(), schema=_REJECTED)
        files = [path for path in (self._rejected, self._conflicts) if path.exists()]
        yield from map(dataset.conform, engine.query(_NUMBERED, [(raw, files)], {}))

    def _distinct(self, *columns: str | exp.Expr) -> exp.Select:
        lines = sqlglot.select(*self.dataset.schema.names).distinct().from_(self.dataset.name)
        return sqlglot.select(*columns).from_(lines.subquery("lines"))

    def _copies(self) -> exp.Window:
        keys = [exp.column(name) for name in self.dataset.grain]
        return exp.Window(this=exp.Count(this=exp.Star()), partition_by=keys)

    def _query(self, engine: Engine, query: exp.Select) -> Iterator[pa.RecordBatch]:
        return engine.query(query.sql(dialect="duckdb"), [(self.dataset, [self._usable])], {})

    def _in_order(self, engine: Engine, lines: exp.Select) -> Iterator[pa.RecordBatch]:
        yield from map(self.dataset.conform, self._query(engine, lines.order_by(*self.dataset.grain)))

    def _count(self, engine: Engine, lines: exp.Select) -> int:
        query = sqlglot.select("count(*) as rows").from_(lines.subquery("counted"))
        (batch,) = self._query(engine, query)
        return int(batch.column("rows")[0].as_py())

    def _reject_conflicts(self, engine: Engine) -> None:
        query = self._distinct(
            exp.alias_(exp.Literal.string(CONFLICTING_DUPLICATE), "rejected_reason"),
            "cast(to_json(lines) as varchar) as source_row",
            *self.dataset.schema.names,
        ).qualify(exp.GT(this=self._copies(), expression=exp.Literal.number(1)))
        with pq.ParquetWriter(self._conflicts, _REJECTED) as writer:
            for batch in self._query(engine, query):
                self.rejections.add(batch)
                writer.write_batch(batch.select(_REJECTED.names).cast(_REJECTED))


def _without_long_keys(batch: pa.RecordBatch, *, keeps_all: bool) -> pa.RecordBatch:
    """Reject usable rows with a key too long for an index; their source text is truncated."""
    ids = [name for name in batch.schema.names if name.endswith("_id")]
    is_long = pa.array([False] * batch.num_rows) if not ids else None
    for name in ids:
        longer = pc.fill_null(pc.greater(pc.binary_length(batch.column(name)), LONGEST_KEY), False)
        is_long = longer if is_long is None else pc.or_(is_long, longer)
    reasons = batch.column("rejected_reason")
    is_long = pc.and_(is_long, pc.is_null(reasons))
    if not pc.any(is_long).as_py():
        return batch
    texts = batch.column("source_row").to_pylist()
    for i in pc.indices_nonzero(is_long).to_pylist():
        row = {
            name: batch.column(name)[i].as_py() for name in (batch.schema.names[:-2] if keeps_all else ids)
        }
        cut = {name: str(value)[:LONGEST_KEY] for name, value in row.items() if value is not None}
        texts[i] = json.dumps(cut, ensure_ascii=False)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns["rejected_reason"] = pc.if_else(is_long, pa.scalar(TOO_LONG, reasons.type), reasons)
    columns["source_row"] = pa.array(texts, columns["source_row"].type)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


_REJECTED = pa.schema({"rejected_reason": pa.string(), "source_row": pa.string()})
_NUMBERED = """
    select
        rejected_reason as reason,
        row_number() over (partition by rejected_reason order by source_row) as row_number,
        source_row
    from rejected
    order by reason, row_number
"""
