"""Warnings about readable rows: late dates, orders of two customers, copies, similar ids."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Findings
from include.intake.customers import near_twins
from include.intake.money import shown
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
        text = f"{int(ahead.sum())} rows have dates in the future, up to {day[ahead].max()}"
        findings.warn(
            "future_date",
            f"{text}: left out, {shown(lines.signed.total(ahead))}; the last day is that of the other rows",
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
                    f"{int(late.sum())} rows are {gaps[cut]} days after all others "
                    f"({day[late].max()}): left out, "
                    f"{shown(lines.signed.total(late))}; the last day is that of the other rows",
                )
                reject(lines.reason, late, "isolated_late_date")
            return


def _repeated(lines: Lines, findings: Findings) -> None:
    """Say how much money depends on rows of several files, and on lines without their order's fields."""
    for code, text, rows in lines.table.repeated:
        where = np.zeros(lines.table.rows, bool)
        where[rows] = True
        money = shown(lines.signed.total(where & lines.used))
        if code == "head_on_first_line":
            findings.note(code, f"{text}, {money}")
        else:
            findings.warn(code, f"{text}. Otherwise {money} would count twice")


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
        findings.warn(
            "copies",
            f"{extra:.0%} of the rows are exact copies of others, {money / 10_000:,.2f}: is an "
            "export contained twice?",
        )


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
        ids = ", ".join(two["order"][:3].to_pylist())
        findings.warn(
            "order_of_two_customers",
            f"{two.num_rows} orders have more than one customer ({ids}), "
            f"{shown(lines.signed.total(where))}: each row counts for its own customer",
        )
    days = several.filter(pc.greater(several["day_count_distinct"], 1))
    if days.num_rows > 0.02 * max(several.num_rows, 1):
        ids = ", ".join(days["order"][:3].to_pylist())
        findings.warn(
            "order_on_several_days",
            f"{days.num_rows} order ids are on several days ({ids}): are ids reused?",
        )


def _customers(lines: Lines, findings: Findings) -> None:
    """Warn about ids that lost digits, similar ids and one very large customer; count guests."""
    used = pa.array(lines.used)
    ids = lines.customer.filter(used)
    if lines.ids_shortened:
        findings.warn(
            "ids_shortened",
            f"{lines.ids_shortened} customer ids are written like 6.5E+12: their last digits are "
            "lost and customers may be merged; "
            "format the column as text and export again",
        )
    values = pc.unique(ids.drop_null())
    if twins := near_twins(values.to_pylist()):
        examples = "; ".join(" and ".join(group[:3]) for group in twins[:3])
        findings.warn(
            "near_twins",
            f"some customer ids differ only in case, blanks or zeros: {examples}; each counts as a customer",
        )
    counts = pc.value_counts(ids.drop_null())
    if len(counts) >= FEW_CUSTOMERS:
        second, most = sorted(counts.to_pylist(), key=lambda c: c["counts"])[-2:]
        dominates = len(counts) >= 20 or most["counts"] > 5 * second["counts"]
        if dominates and most["counts"] > LARGE * len(ids):
            findings.warn(
                "one_large_customer",
                f"customer {most['values']} has {most['counts'] / len(ids):.0%} of the rows: "
                "is it a placeholder?",
            )
    if ids.null_count:
        guests = lines.used & np.asarray(pc.is_null(lines.customer))
        findings.note(
            "guests",
            f"{ids.null_count} rows have no customer; they count as anonymous sales, "
            f"{shown(lines.signed.total(guests))}",
        )
