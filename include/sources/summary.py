"""What a source would give a run: rows used and rejected, customers, orders, money and period."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets.extracted import TRANSACTIONS
from include.periods import months_between
from include.sources import Source, consistent_reads


@dataclass
class Rejected:
    """Rows rejected for one reason: their number, their money, and one of them."""

    rows: int = 0
    amount: Decimal = Decimal(0)
    sample: str = ""


@dataclass
class Summary:
    """The sales of a source before a day. ``net_amount`` is sales less returns, in the firm's currency."""

    rows: int = 0
    used: int = 0
    net_amount: Decimal = Decimal(0)
    first_day: date | None = None
    last_day: date | None = None
    rejected: dict[str, Rejected] = field(default_factory=dict)
    _orders: list[pa.Array] = field(default_factory=list)
    _customers: list[pa.Array] = field(default_factory=list)

    @property
    def orders(self) -> int:
        """Number of orders."""
        return _distinct(self._orders)

    @property
    def customers(self) -> int:
        """Number of named customers."""
        return _distinct(self._customers)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch that a source extracted."""
        self.rows += batch.num_rows
        reasons = batch.column("rejected_reason")
        for row in batch.filter(pc.is_valid(reasons)).select(
            ["rejected_reason", "net_amount", "source_row"]
        ).to_pylist():  # fmt: skip
            one = self.rejected.setdefault(row["rejected_reason"], Rejected())
            one.rows += 1
            one.amount += row["net_amount"] or Decimal(0)
            one.sample = one.sample or row["source_row"] or ""
        batch = batch.filter(pc.is_null(reasons))
        if not batch.num_rows:
            return
        self.used += batch.num_rows
        amount, kind = batch.column("net_amount"), batch.column("kind")
        signed = pc.if_else(pc.equal(kind, "return"), pc.negate(amount), amount)
        self.net_amount += pc.sum(signed).as_py() or Decimal(0)
        days = pc.min_max(batch.column("order_date")).as_py()
        self.first_day = min(self.first_day or days["min"], days["min"])
        self.last_day = max(self.last_day or days["max"], days["max"])
        self._orders.append(pc.unique(batch.column("transaction_id")))
        self._customers.append(pc.unique(batch.column("customer_id").drop_null()))


def summarise(source: Source, as_of: date) -> Summary:
    """The summary of all sales before ``as_of``; SourceError when the source cannot be read."""
    summary = Summary()
    with consistent_reads(source):
        first = source.first_month(TRANSACTIONS)
        for month in months_between(first, as_of) if first else ():
            for batch in source.extract(TRANSACTIONS, month=month, as_of=as_of):
                summary.add(batch)
    return summary


def _distinct(parts: list[pa.Array]) -> int:
    return len(pc.unique(pa.chunked_array(parts, pa.string()))) if parts else 0
