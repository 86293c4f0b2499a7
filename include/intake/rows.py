"""The classified rows of a table: amount, customer, time, and the reason of a rejected row."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from include.intake.amounts import Net
from include.intake.columns import Numbers, Times
from include.intake.mapping import Mapping
from include.intake.money import Amounts, Bools
from include.intake.order_totals import Orders
from include.intake.tables import Table

SAMPLE = 5


@dataclass
class Lines:
    """A table's classified rows. Arrays have one entry per row."""

    table: Table
    mapping: Mapping
    reason: npt.NDArray[np.object_]  # None: used
    times: Times
    customer: pa.Array
    order_id: pa.Array
    orders: Orders
    net: Net
    signed: Amounts  # returns are negative; an order's amount is on its first row
    refunded: Amounts  # refunds of an order, on its first row
    numbers: Numbers
    effects: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))  # of the status
    texts: dict[str, pa.Array] = field(default_factory=dict)
    ids_shortened: int = 0

    @property
    def used(self) -> Bools:
        """Rows that count."""
        return np.array([reason is None for reason in self.reason], bool)


def reject(reason: npt.NDArray[np.object_], where: Bools, why: str) -> None:
    """Reject rows that have no reason yet."""
    reason[where & (reason == None)] = why  # noqa: E711 an array is compared
