"""A dataset: a named table with a grain and typed columns, checked at every write and read.

A dataset is stored in slices: events by month (``month=2026-11``), training results by anchor (training date:
the data ends before it), everything else by snapshot (``as_of=2026-11-21``).

A contract may change: a dataset lists its ``earlier`` contracts, and slices written under one of them are
converted when read. A slice under any other contract is refused.

MONEY is ``decimal128(18, 4)`` in the firm's currency, for one row or one customer; a number too large for it
raises AmountError. FIRM_TOTAL is for sums over a firm. Instants are UTC. Days are days in the firm's time
zone. Ids are text, unchanged from the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import pyarrow as pa

MONEY = pa.decimal128(18, 4)
FIRM_TOTAL = pa.decimal128(38, 4)
"""Sums over all customers of a firm: each customer alone may reach the limit of MONEY."""
QUANTITY = pa.decimal128(18, 4)
INSTANT = pa.timestamp("us", tz="UTC")
DAY = pa.date32()
TEXT = pa.string()
COUNT = pa.int64()
RATE = pa.float64()


class ContractError(ValueError):
    """A table violates its dataset's contract; the message names the dataset and the column."""


class AmountError(ContractError):
    """A number is larger than its column can hold; the message names the number and its row.

    The result is final: a retry computes the same number.
    """


def column(name: str, kind: pa.DataType, about: str, *, required: bool = False) -> pa.Field:
    """A column: name, type, description, and whether it is required (not null)."""
    return pa.field(name, kind, nullable=not required, metadata={"about": about})


@dataclass(frozen=True)
class Earlier:
    """An earlier contract of a dataset: its fingerprint, and how its columns map to the current ones.

    ``renamed`` gives the current name of a column, ``added`` the value of a column that did not exist, and
    ``dropped`` lists the columns that are left out. ``required`` lists those that could not be null then and
    can now; reading needs no conversion for them. A column of another type is cast without loss.
    The grain must have the same columns and sort order, so that the rows are already in the right order.
    """

    fingerprint: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, object] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A named table that steps write and read.

    ``grain`` are the columns that identify a row. ``by`` says how it is cut into slices. ``pii`` are the
    columns with personal data, such as names and e-mail addresses: no message and no quality result shows
    their values. ``earlier`` are its earlier contracts, whose files can still be read. ``about`` and the
    descriptions of the columns become the comments in the warehouse.
    """

    name: str
    about: str
    grain: tuple[str, ...]
    schema: pa.Schema
    by: Literal["as_of", "month", "anchor"] = "as_of"
    pii: tuple[str, ...] = ()
    earlier: tuple[Earlier, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hash of column names, types, nullability and order; it identifies the contract of stored files."""
        text = ";".join(f"{f.name}:{f.type}:{f.nullable}" for f in self.schema)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def can_read(self, fingerprint: str) -> bool:
        """Whether slices with this fingerprint can be read: the current contract, or an earlier one."""
        return fingerprint == self.fingerprint or self._earlier(fingerprint) is not None

    def from_earlier(self, fingerprint: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Convert rows written under ``fingerprint`` to the current columns; ContractError if impossible."""
        if fingerprint == self.fingerprint:
            return batch
        earlier = self._earlier(fingerprint)
        if earlier is None:
            raise ContractError(
                f"{self.name}: contract {fingerprint} is unknown; name it in earlier=(...) of the dataset in "
                "include/datasets/"
            )
        columns = {
            earlier.renamed.get(name, name): batch.column(name)
            for name in batch.schema.names
            if name not in earlier.dropped
        }
        for name, value in earlier.added.items():
            columns[name] = pa.repeat(pa.scalar(value, self.schema.field(name).type), batch.num_rows)
        if unknown := sorted(set(columns) - set(self.schema.names)):
            raise ContractError(
                f"{self.name}: columns {unknown} of contract {fingerprint} are not in today's; add them to "
                "renamed or dropped of its Earlier row in include/datasets/"
            )
        return self.conform(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))

    def _earlier(self, fingerprint: str) -> Earlier | None:
        return next((row for row in self.earlier if row.fingerprint == fingerprint), None)

    def about_column(self, name: str) -> str:
        """Description of a column."""
        return (self.schema.field(name).metadata or {}).get(b"about", b"").decode()

    def check(self, batch: pa.RecordBatch | pa.Table) -> None:
        """ContractError unless columns, types and required values match the contract."""
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
        """The batch with columns in contract order and types cast safely; ContractError otherwise."""
        if missing := [name for name in self.schema.names if name not in batch.schema.names]:
            raise ContractError(f"{self.name}: missing columns {missing}; see include/datasets/")
        columns = []
        for declared in self.schema:
            try:
                columns.append(batch.column(declared.name).cast(declared.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                self._check_size(batch, declared)
                raise ContractError(
                    f"{self.name}.{declared.name}: cannot be read as {declared.type}: {error}"
                ) from error
        shaped = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        self.check(shaped)
        return shaped

    def _check_size(self, batch: pa.RecordBatch, declared: pa.Field) -> None:
        """AmountError if a decimal of the batch has more digits than the declared type."""
        values, kind = batch.column(declared.name), declared.type
        if not (pa.types.is_decimal(values.type) and pa.types.is_decimal(kind)):
            return
        most = Decimal(10**kind.precision - 1).scaleb(-kind.scale)
        for number, value in enumerate(values.to_pylist()):
            if value is not None and abs(value) > most:
                row = [f"{name} {str(batch.column(name)[number].as_py())[:60]!r}" for name in self.grain]
                raise AmountError(
                    f"{self.name}.{declared.name}: {value:,} of {', '.join(row)} is larger than {most:,}, "
                    "the most that the column holds\n"
                    "Correct these amounts in the source, or their unit, then run the firm with --full"
                )


CUSTOMER_ID = column("customer_id", TEXT, "The source's own customer key.", required=True)
