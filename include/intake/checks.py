"""Warnings about readable rows: late dates, orders of two customers, copies, similar ids."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Findings
from include.intake.customers import near_twins
from include.intake.money import UNIT
from include.intake.rows import Lines, reject

FEW_DAYS = 90  # longest plausible gap before the last day of a shop with daily sales
LARGE = 0.3
FEW_CUSTOMERS = 5


def check(lines: Lines, findings: Findings) -> None:
    """Warn about rows that may make a figure wrong, with their amounts; reject impossible dates."""
    _late_dates(lines, findings)
    _repeated(lines, findings)
    _copies(lines, findings)
    _two_customers(lines, findings)
    _customers(lines, findings)


def _late_dates(lines: Lines, findings: Findings) -> None:
    """Reject future dates and one or two dates far after all others: they would move the last day."""
    used, day = lines.used, lines.times.day
    if not used.any():
        return
    today = np.datetime64(datetime.now(UTC).date()) + np.timedelta64(1, "D")
    ahead = used & (day > today)
    if ahead.any() and not (ahead | ~used).all():
        findings.warn(
            "future_date",
            rows=int(ahead.sum()),
            day=day[ahead].max().astype(object),
            money=lines.signed.total(ahead),
        )
        reject(lines.reason, ahead, "future_date")
        used = lines.used
    days = np.unique(day[used])
    if len(days) < 20:
        return
    gaps = (days[1:] - days[:-1]).astype("int64")
    typical = max(FEW_DAYS, 10 * int(np.quantile(gaps, 0.95)))
    for cut in range(len(days) - 2, max(len(days) - 4, 0), -1):
        if gaps[cut] > typical:
            late = used & (day > days[cut])
            if late.sum() <= max(2, 0.001 * used.sum()):
                findings.warn(
                    "isolated_late_date",
                    rows=int(late.sum()),
                    days=int(gaps[cut]),
                    day=day[late].max().astype(object),
                    money=lines.signed.total(late),
                )
                reject(lines.reason, late, "isolated_late_date")
            return


def _repeated(lines: Lines, findings: Findings) -> None:
    """Say how much money depends on rows of several files, and on lines without their order's fields."""
    for message, rows in lines.table.repeated:
        where = np.zeros(lines.table.rows, bool)
        where[rows] = True
        is_note = message.code == "head_on_first_line"
        known = message.having(money=lines.signed.total(where & lines.used))
        findings.add(findings.notes if is_note else findings.warnings, known)


def _copies(lines: Lines, findings: Findings) -> None:
    """Warn about many exact copies of rows; they are kept, because an order may contain an item twice."""
    used = lines.used
    rows = int(used.sum())
    if rows < 20:
        return
    # Columns with few values would not change this key of order, day and money.
    keys = {
        "order": lines.order_id,
        "units": pa.array(lines.signed.units),
        "day": pa.array(lines.times.day.astype("int64")),
    }
    for role in ("product_id", "product_name", "quantity", "line_id"):
        if role in lines.mapping.at:
            keys[role] = lines.table.columns[lines.mapping.at[role]]
    table = (
        pa.table(keys)
        .filter(pa.array(used))
        .group_by(list(keys), use_threads=False)
        .aggregate([([], "count_all")])
    )
    distinct = table.num_rows
    if "transaction_id" in lines.mapping.at and rows - distinct >= 0.25 * rows:
        counts = table["count_all"]
        extra = (rows - distinct) / rows
        money = sum(
            abs(int(u)) * (int(n) - 1)
            for u, n in zip(table["units"].to_pylist(), counts.to_pylist(), strict=True)
            if n > 1
        )
        findings.warn("copies", share=extra, money=Decimal(money) / UNIT)


def _two_customers(lines: Lines, findings: Findings) -> None:
    """Warn about orders with two customers or on several days."""
    if "transaction_id" not in lines.mapping.at:
        return
    used = pa.array(lines.used)
    pairs = pa.table(
        {
            "order": lines.order_id,
            "customer": lines.customer,
            "day": pa.array(lines.times.day.astype("int64")),
        }
    ).filter(used)
    named = pairs.filter(pc.is_valid(pairs["customer"]))
    several = named.group_by(["order"]).aggregate([("customer", "count_distinct"), ("day", "count_distinct")])
    two = several.filter(pc.greater(several["customer_count_distinct"], 1))
    if two.num_rows:
        where = np.asarray(pc.is_in(lines.order_id, value_set=two["order"].combine_chunks())) & lines.used
        ids, money = tuple(two["order"][:3].to_pylist()), lines.signed.total(where)
        findings.warn("order_of_two_customers", orders=two.num_rows, ids=ids, money=money)
    days = several.filter(pc.greater(several["day_count_distinct"], 1))
    if days.num_rows > 0.02 * max(several.num_rows, 1):
        ids = tuple(days["order"][:3].to_pylist())
        findings.warn("order_on_several_days", orders=days.num_rows, ids=ids)


def _customers(lines: Lines, findings: Findings) -> None:
    """Warn about ids that lost digits, similar ids and one very large customer; count guests."""
    used = pa.array(lines.used)
    ids = lines.customer.filter(used)
    if lines.ids_shortened:
        findings.warn("ids_shortened", ids=lines.ids_shortened)
    values = pc.unique(ids.drop_null())
    if twins := near_twins(values.to_pylist()):
        findings.warn("near_twins", ids=tuple(" / ".join(group[:3]) for group in twins[:3]))
    counts = pc.value_counts(ids.drop_null())
    if len(counts) >= FEW_CUSTOMERS:
        second, most = sorted(counts.to_pylist(), key=lambda c: c["counts"])[-2:]
        dominates = len(counts) >= 20 or most["counts"] > 5 * second["counts"]
        if dominates and most["counts"] > LARGE * len(ids):
            share = most["counts"] / len(ids)
            findings.warn("one_large_customer", customer=most["values"], share=share)
    if ids.null_count:
        guests = lines.used & np.asarray(pc.is_null(lines.customer))
        findings.note("guests", rows=ids.null_count, money=lines.signed.total(guests))
