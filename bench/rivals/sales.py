"""A firm's sales as arrays, one element per customer and day with a sale or a return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from include.datasets import Dataset
from include.datasets.computed import CUSTOMER_DAYS

EPOCH = date(1970, 1, 1)


class Sales(NamedTuple):
    """Sorted by customer and day. ``customer`` indexes ``ids``; ``day`` counts from 1970-01-01."""

    ids: list[str]
    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    orders: NDArray[np.int64]
    spend: NDArray[np.float64]

    def before(self, as_of: date) -> Sales:
        """The days before ``as_of``; the index of customers stays."""
        return self._where(self.day < number(as_of))

    def between(self, start: date, days: int) -> Sales:
        """The days from ``start`` on, for ``days`` days."""
        first = number(start)
        return self._where((self.day >= first) & (self.day < first + days))

    def _where(self, kept: NDArray[np.bool_]) -> Sales:
        return Sales(self.ids, self.customer[kept], self.day[kept], self.orders[kept], self.spend[kept])

    def sale_days(self) -> Sales:
        """The days with an order."""
        return self._where(self.orders > 0)

    def known(self, as_of: date) -> NDArray[np.int64]:
        """Indices of the customers with a sale before ``as_of``, rising."""
        return np.unique(self.before(as_of).sale_days().customer)

    def orders_of(self) -> NDArray[np.float64]:
        """Orders by customer index."""
        return np.bincount(self.customer, weights=self.orders, minlength=len(self.ids))

    def spend_of(self) -> NDArray[np.float64]:
        """Net spend by customer index."""
        return np.bincount(self.customer, weights=self.spend, minlength=len(self.ids))


def number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH) // timedelta(days=1)


def read(files: Mapping[Dataset, Sequence[Path]]) -> Sales:
    """The customer days of a firm's files."""
    table = pa.concat_tables([pq.read_table(file) for file in files[CUSTOMER_DAYS]])
    table = table.sort_by([("customer_id", "ascending"), ("order_date", "ascending")])
    ids, customer = np.unique(table["customer_id"].to_numpy(zero_copy_only=False), return_inverse=True)
    return Sales(
        ids.tolist(),
        customer.astype(np.int64),
        table["order_date"].cast(pa.int32()).to_numpy().astype(np.int64),
        table["order_count"].to_numpy().astype(np.int64),
        table["net_amount"].cast(pa.float64()).to_numpy(),
    )
