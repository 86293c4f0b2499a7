"""Every row of a firm's file for its source: used lines, refunds, and rejected rows with their reason."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from include.intake.canonical import TEXTS, canonical
from include.intake.money import Amounts
from include.intake.rows import Lines

COLUMNS = (
    "transaction_id", "kind", "occurred_at", "customer_id", "net_amount", "quantity", *TEXTS,
    "rejected_reason", "source_row",
)  # fmt: skip
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
LONGEST = 10_000  # characters of a rejected row


def every_row(lines: Lines) -> pa.Table:
    """``COLUMNS`` as text, one row per line. Without an order id ``transaction_id`` is null."""
    used = canonical(lines)
    if "transaction_id" not in lines.mapping.at:
        # The id of a customer's day holds the customer, and that of an anonymous row its place in the file.
        at = used.schema.get_field_index("transaction_id")
        used = used.set_column(at, "transaction_id", pa.nulls(used.num_rows, pa.string()))
    return pa.concat_tables([_shaped(used), _rejected(lines), _ragged(lines)])


def _rejected(lines: Lines) -> pa.Table:
    rows = np.flatnonzero(~lines.used)
    at = pa.array(rows)
    day = lines.times.day[rows].astype("M8[s]")
    moments = pa.array(day + lines.times.seconds[rows].astype("m8[s]"), mask=np.isnat(day))
    cells = [column.take(at).to_pylist() for column in lines.table.columns]
    texts = [
        json.dumps(dict(zip(lines.table.header, row, strict=True)), ensure_ascii=False)[:LONGEST]
        for row in zip(*cells, strict=True)
    ]
    amounts = lines.net.amounts
    columns = {
        "kind": pa.array(["sale"] * len(rows), pa.string()),
        "occurred_at": moments.cast(pa.timestamp("s")).cast(pa.string()),
        "customer_id": lines.customer.take(at),
        "net_amount": Amounts(np.abs(amounts.units), amounts.known).array().take(at),
        "rejected_reason": pa.array(lines.reason[rows], pa.string()),
        "source_row": pa.array(texts, pa.string()),
    }
    if "transaction_id" in lines.mapping.at:
        columns["transaction_id"] = lines.order_id.take(at)
    return _shaped(pa.table(columns))


def _ragged(lines: Lines) -> pa.Table:
    """Rows with more fields than the header: their values belong to no column."""
    rows = [json.dumps({"row": row}, ensure_ascii=False)[:LONGEST] for row in lines.table.ragged]
    return _shaped(
        pa.table(
            {
                "kind": pa.array(["sale"] * len(rows), pa.string()),
                "rejected_reason": pa.array(["ragged_row"] * len(rows), pa.string()),
                "source_row": pa.array(rows, pa.string()),
            }
        )
    )


def _shaped(table: pa.Table) -> pa.Table:
    columns = [
        table[name].cast(pa.string()) if name in table.schema.names else pa.nulls(table.num_rows, pa.string())
        for name in COLUMNS
    ]
    return pa.Table.from_arrays([pa.chunked_array(column) for column in columns], schema=SCHEMA)
