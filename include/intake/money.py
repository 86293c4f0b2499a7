"""Amounts as whole numbers of ten-thousandths, so that sums are exact and fast."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

UNIT = 10_000
CENT = UNIT // 100
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass
class Amounts:
    """One amount per row; ``known`` marks the rows that have one."""

    units: Ints
    known: Bools

    @classmethod
    def of(cls, column: pa.Array) -> Amounts:
        """The amounts of a decimal column of four digits."""
        column = column.cast(pa.decimal128(18, 4))
        known = np.asarray(column.is_valid())
        words = np.frombuffer(column.buffers()[1], "<i8") if len(column) else np.zeros(0, "int64")
        units = words[2 * column.offset :: 2][: len(column)].astype("int64")
        return cls(np.where(known, units, 0), known)

    @classmethod
    def product(cls, quantity: pa.Array, price: pa.Array) -> Amounts:
        """Quantity times unit price, rounded half away from zero to four digits."""
        exact = pc.multiply(quantity.cast(pa.decimal128(18, 4)), price.cast(pa.decimal128(18, 6)))
        rounded = pc.round(exact, 4, "half_towards_infinity")
        fits = pc.less(pc.abs(rounded), pa.scalar(Decimal(9 * 10**13)))
        return cls.of(pc.if_else(fits, rounded, None).cast(pa.decimal128(18, 4)))

    @classmethod
    def zeros(cls, rows: int) -> Amounts:
        """Zero on each row."""
        return cls(np.zeros(rows, "int64"), np.ones(rows, bool))

    def minus(self, other: Amounts) -> Amounts:
        """Subtract another amount; unknown values count as zero."""
        return Amounts(self.units - np.where(other.known, other.units, 0), self.known)

    def total(self, where: Bools | None = None) -> Decimal:
        """The sum of the known amounts."""
        mask = self.known if where is None else self.known & where
        return Decimal(int(self.units[mask].sum())) / UNIT

    def array(self) -> pa.Array:
        """The amounts as text with a decimal point."""
        whole, rest = np.divmod(np.abs(self.units), UNIT)
        sign = np.where(self.units < 0, "-", "")
        text = pc.binary_join_element_wise(
            pa.array(sign.astype(object), pa.string()),
            pa.array(whole).cast(pa.string()),
            pc.binary_join_element_wise(".", pc.utf8_lpad(pa.array(rest).cast(pa.string()), 4, "0"), ""),
            "",
        )
        return pc.if_else(pa.array(self.known), text, None)


def four_digits(column: pa.Array) -> pa.Array:
    """Decimals rounded half away from zero to four digits."""
    return pc.round(column, 4, "half_towards_infinity").cast(pa.decimal128(18, 4), safe=False)


def per_group(groups: Ints, size: int, values: Ints) -> Ints:
    """The exact sum of ``values`` in each group."""
    sums = np.zeros(size, "int64")
    np.add.at(sums, groups, values)
    return sums


def shown(amount: Decimal) -> str:
    """An amount for display: 12,345.60."""
    return f"{amount:,.2f}"
