"""What a dataset is: a named table with a grain and typed columns, checked on write and on read.

A dataset is kept in slices: events by month (``month=2026-11``), everything else by snapshot
(``as_of=2026-11-21``). What training leaves lies at its anchor, the day before which its data ends.
``check`` is called on every write and every read: no step sees a table that breaks the contract.

Money is ``decimal128(18, 4)`` in the firm's currency, up to the totals of one customer; instants are UTC;
days are days in the firm's time zone; ids are text, exactly as the source wrote them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

MONEY = pa.decimal128(18, 4)
FIRM_TOTAL = pa.decimal128(38, 4)
"""Sums over all of a firm's customers: every customer may come to the limit of MONEY."""
QUANTITY = pa.decimal128(18, 4)
INSTANT = pa.timestamp("us", tz="UTC")
DAY = pa.date32()
TEXT = pa.string()
COUNT = pa.int64()
RATE = pa.float64()


class ContractError(ValueError):
    """A table breaks its dataset's contract; the message names the dataset and the column."""


def column(name: str, kind: pa.DataType, about: str, *, required: bool = False) -> pa.Field:
    """One column of a dataset: its name, type, what it means, and whether it may be null."""
    return pa.field(name, kind, nullable=not required, metadata={"about": about})


@dataclass(frozen=True)
class Dataset:
    """A named table handed from step to step."""

    name: str
    about: str
    grain: tuple[str, ...]
    schema: pa.Schema
    by: Literal["as_of", "month", "anchor"] = "as_of"
    pii: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A short hash of column names, types and nullability: changes when the contract does."""
        text = ";".join(f"{f.name}:{f.type}:{f.nullable}" for f in self.schema)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def about_column(self, name: str) -> str:
        """What a column means, in words."""
        return (self.schema.field(name).metadata or {}).get(b"about", b"").decode()

    def check(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Raise ContractError unless columns, types and required values are as declared."""
        wanted, found = self.schema.names, batch.schema.names
        if missing := [name for name in wanted if name not in found]:
            raise ContractError(f"{self.name}: missing columns {missing}; see include/datasets/")
        if extra := [name for name in found if name not in wanted]:
            raise ContractError(f"{self.name}: unknown columns {extra}; see include/datasets/")
        for declared in self.schema:
            actual = batch.schema.field(declared.name).type
            if actual != declared.type:
                raise ContractError(
                    f"{self.name}.{declared.name}: type is {actual}, the contract says "
                    f"{declared.type}; see include/datasets/"
                )
            if not declared.nullable and (nulls := batch.column(declared.name).null_count):
                raise ContractError(
                    f"{self.name}.{declared.name}: {nulls} nulls in a required column; see include/datasets/"
                )

    def conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with columns in contract order and types cast safely, checked."""
        if missing := [name for name in self.schema.names if name not in batch.schema.names]:
            raise ContractError(f"{self.name}: missing columns {missing}; see include/datasets/")
        columns = []
        for declared in self.schema:
            try:
                columns.append(batch.column(declared.name).cast(declared.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise ContractError(
                    f"{self.name}.{declared.name}: cannot be read as {declared.type}: {error}"
                ) from error
        shaped = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        self.check(shaped)
        return shaped


CUSTOMER_ID = column("customer_id", TEXT, "The source's own customer key.", required=True)
