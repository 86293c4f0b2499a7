"""Fields that are filled on only one line of an order, such as its date and its customer."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.columns import Times
from include.intake.mapping import CUSTOMERS, Mapping
from include.intake.messages import Message
from include.intake.money import Bools
from include.intake.samples import text_of
from include.intake.tables import Table


def filled_down(table: Table, mapping: Mapping, reason: npt.NDArray[np.object_]) -> Table:
    """Fill the order's fields down if they are only on its first line."""
    at = mapping.at
    if "transaction_id" not in at:
        return table
    ids, dates = text_of(table, at["transaction_id"]), text_of(table, at["occurred_at"])
    live = reason == None  # noqa: E711 an array is compared
    blank = np.asarray(pc.is_null(ids)) & live
    if not blank.any() or blank[0] or (np.asarray(pc.is_valid(dates)) & blank).mean() > 0.02 * blank.mean():
        return table
    for role in CUSTOMERS:
        if (
            role in at
            and (np.asarray(pc.is_valid(text_of(table, at[role]))) & blank).mean() > 0.02 * blank.mean()
        ):
            return table  # such rows have their own customer, so they are not lines of the order above
    columns = list(table.columns)
    columns[at["transaction_id"]] = pc.fill_null_forward(ids)
    note = Message("head_on_first_line", values={"rows": int(blank.sum())})
    repeated = [*table.repeated, (note, np.flatnonzero(blank))]
    return dataclasses.replace(table, columns=columns, repeated=repeated)


def customers_of_orders(ids: pa.Array, raw: pa.Array | None, orders: pa.Array | None) -> pa.Array:
    """Fill blank customers from another line of their order; a placeholder stays anonymous."""
    if orders is None or raw is None or ids.null_count == 0:
        return ids
    blank = pc.is_null(raw)
    if not pc.any(blank).as_py():
        return ids
    encoded = orders.dictionary_encode()
    code = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)), "int64")
    first = np.full(len(encoded.dictionary) + 1, -1, "int64")
    known = np.flatnonzero(np.asarray(pc.is_valid(ids)))[::-1]
    first[code[known]] = known
    first[-1] = -1
    source = pa.array(np.where(first[code] < 0, 0, first[code]), mask=first[code] < 0)
    return pc.if_else(blank, pc.coalesce(ids, pc.take(ids, source)), ids)


def has_order_date(times: Times, orders: pa.Array | None) -> Bools:
    """Rows that have a date, on this or another line of their order."""
    if orders is None:
        return np.zeros(len(times.day), bool)
    return ~np.isnat(dates_of_orders(times, orders).day)


def dates_of_orders(times: Times, orders: pa.Array | None) -> Times:
    """Fill blank dates from another line of their order."""
    if orders is None or not times.blank.any():
        return times
    encoded = orders.dictionary_encode()
    code = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)), "int64")
    first = np.full(len(encoded.dictionary) + 1, -1, "int64")
    known = np.flatnonzero(~np.isnat(times.day))[::-1]
    first[code[known]] = known
    first[-1] = -1
    fill = times.blank & (first[code] >= 0)
    source = np.where(first[code] < 0, 0, first[code])
    day = np.where(fill, times.day[source], times.day)
    return Times(
        day,
        np.where(fill, times.seconds[source], times.seconds),
        times.blank,
        times.has_time,
        times.has_offset,
    )
