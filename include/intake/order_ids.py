"""Order ids that several stores or years use again: ``1001`` of each store is another order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Findings
from include.intake.columns import Times
from include.intake.mapping import Mapping
from include.intake.samples import text_of
from include.intake.tables import Table

REUSED = 0.1  # of the ids have several customers: ids are used again
RESOLVED = 0.02  # of the ids may have several customers after they are separated
FEWEST_IDS = 10
ROWS = 200_000  # that show whether ids are used again


def separated(
    ids: pa.Array | None,
    customers: pa.Array,
    times: Times,
    table: Table,
    mapping: Mapping,
    findings: Findings,
) -> pa.Array | None:
    """Order ids made unique by store, year or day, if many ids have several customers.

    The first of the three that leaves nearly no id with two customers is used, with a warning.
    """
    if ids is None or mapping.platform.name or _share(ids[:ROWS], customers[:ROWS]) < REUSED:
        return ids
    if pc.count_distinct(ids, mode="only_valid").as_py() < FEWEST_IDS:
        return ids
    days = pa.array(np.datetime_as_string(times.day), pa.string())
    ways = {"year": pc.utf8_slice_codeunits(days, 0, 4), "day": days}
    if "channel" in mapping.at:
        ways = {"store": pc.fill_null(text_of(table, mapping.at["channel"]), ""), **ways}
    for way, values in ways.items():
        unique = pc.binary_join_element_wise(ids, values, " / ")
        if _share(unique, customers) <= RESOLVED:
            column = mapping.header(table, "channel" if way == "store" else "occurred_at")
            orders = pc.count_distinct(unique, mode="only_valid").as_py()
            findings.warn("order_ids_reused", way, column=column, orders=orders)
            return unique
    return ids


def _share(ids: pa.Array, customers: pa.Array) -> float:
    """The share of ids with more than one customer."""
    pairs = pa.table({"id": ids, "customer": customers})
    pairs = pairs.filter(pc.and_(pc.is_valid(pairs["id"]), pc.is_valid(pairs["customer"])))
    counts = pairs.group_by(["id"]).aggregate([("customer", "count_distinct")])["customer_count_distinct"]
    return float(pc.mean(pc.greater(counts, 1)).as_py() or 0) if len(counts) else 0.0
