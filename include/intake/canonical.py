"""Understood rows as lines of the layout ``mapped``: canonical columns as text, ready for a csv source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.intake.money import Amounts, Bools, Ints
from include.intake.rows import Lines
from include.intake.samples import text_of

TEXTS = (
    "product_id",
    "product_name",
    "department",
    "category",
    "brand",
    "country",
    "city",
    "channel",
    "payment_method",
    "programme_id",
    "may_contact",
    "do_not_contact",
)


def canonical(lines: Lines) -> pa.Table:
    """One row per used line, and one per refund; amounts are positive, ``kind`` gives the sign."""
    signed, keep = _per_line(lines)
    table = lines.table
    rows = np.flatnonzero(keep)
    at = pa.array(rows)
    units = signed[rows]
    quantity = lines.numbers.amounts.get("quantity")
    columns: dict[str, pa.Array] = {
        "transaction_id": lines.order_id.take(at),
        "line_id": pa.array(rows + 1).cast(pa.string()),
        "kind": pa.array(np.where(units < 0, "return", "sale").astype(object), pa.string()),
        "occurred_at": _written(lines, rows),
        "customer_id": lines.customer.take(at),
        "net_amount": Amounts(np.abs(units), np.ones(len(units), bool)).array(),
    }
    if quantity is not None:
        columns["quantity"] = Amounts(np.abs(quantity.units), quantity.known).array().take(at)
    for role in TEXTS:
        if role in lines.mapping.at:
            columns[role] = text_of(table, lines.mapping.at[role]).take(at)
    sales = pa.table(columns)
    return pa.concat_tables([sales, _refunds(lines, sales.schema)])


def write_canonical(lines: Lines, path: Path) -> None:
    """Write the lines as parquet.
    Pages are not compressed, because the source refuses files that expand too much."""
    pq.write_table(canonical(lines), path, compression="none", use_dictionary=False)


def _per_line(lines: Lines) -> tuple[Ints, Bools]:
    """The signed amount of each line, and which lines to keep.

    An order's amount is divided among its lines by quantity x price. If these are not known, it stays on
    the first line, and the other lines, which have no amount, are left out.
    """
    used, signed = lines.used, np.where(lines.signed.known, lines.signed.units, 0)
    if not lines.net.per_order:
        return signed, used
    orders, weights = lines.orders, lines.net.lines
    first = used & lines.signed.known
    if weights is None:
        return signed, first
    weight = np.where(used & weights.known, np.maximum(weights.units, 0), 0).astype("float64")
    whole = np.zeros(orders.size)
    np.add.at(whole, orders.code[used], weight[used])
    total = np.zeros(orders.size, "int64")
    np.add.at(total, orders.code[used], signed[used])
    shared = whole > 0
    share = np.where(whole[orders.code] > 0, weight / np.where(whole > 0, whole, 1)[orders.code], 0)
    part = np.round(share * total[orders.code]).astype("int64")
    given = np.zeros(orders.size, "int64")
    np.add.at(given, orders.code[used], part[used])
    part = part + np.where(orders.first, total[orders.code] - given[orders.code], 0)  # the rounding remainder
    by_line = shared[orders.code]
    return np.where(by_line, part, signed), np.where(by_line, used, first)


def _written(lines: Lines, rows: Ints) -> pa.Array:
    """Local times as ISO 8601 without an offset."""
    moments = lines.times.day[rows].astype("M8[s]") + lines.times.seconds[rows].astype("m8[s]")
    return pc.strftime(pa.array(moments, pa.timestamp("s")), "%Y-%m-%d %H:%M:%S").cast(pa.string())


def _refunds(lines: Lines, schema: pa.Schema) -> pa.Table:
    """One return per refunded order, on the day of the order, because exports omit the day of the refund."""
    rows = np.flatnonzero(lines.used & (lines.refunded.units > 0))
    at = pa.array(rows)
    known: dict[str, pa.Array] = {
        "transaction_id": lines.order_id.take(at),
        "line_id": pc.binary_join_element_wise(pa.array(rows + 1).cast(pa.string()), "refund", "-"),
        "kind": pa.array(["return"] * len(rows), pa.string()),
        "occurred_at": _written(lines, rows),
        "customer_id": lines.customer.take(at),
        "net_amount": lines.refunded.array().take(at),
    }
    return pa.table({name: known.get(name, pa.nulls(len(rows), pa.string())) for name in schema.names})
