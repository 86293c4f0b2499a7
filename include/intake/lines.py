"""Classify the rows of a table as sales, returns or rejected rows with their reason."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.amounts import net_of
from include.intake.answer import Findings, Refused
from include.intake.columns import Times, numbers_of, times_of
from include.intake.customers import BLANKS, ids_of, names_of, phones_of, unified
from include.intake.effects import apply_effects
from include.intake.mapping import CUSTOMERS, Mapping
from include.intake.money import Amounts, shown
from include.intake.options import Options
from include.intake.order_fields import customers_of_orders, dates_of_orders, filled_down, has_order_date
from include.intake.order_ids import separated
from include.intake.order_totals import Orders
from include.intake.rows import Lines, reject
from include.intake.samples import text_of
from include.intake.summary_rows import summary_rows
from include.intake.tables import Table, compact, is_total
from include.periods import EARLIEST

SPELLINGS = {"customer_phone": phones_of, "customer_name": names_of}
FIRST_ROWS = 2  # rows below the header that may describe the columns


def lines_of(table: Table, mapping: Mapping, options: Options, findings: Findings) -> Lines:
    """Classify all rows of a table; Asks or Refused if this is impossible."""
    reason = np.full(table.rows, None, dtype=object)
    table, reason = _without_others(table, mapping, reason, findings)
    table = filled_down(table, mapping, reason)
    times = times_of(table, mapping, options, findings)
    numbers = numbers_of(table, mapping, options, findings)
    given, raw_customer = _order_ids(table, mapping)
    ids, shortened = _customers(table, mapping)
    ids = customers_of_orders(ids, raw_customer, given)
    reject(reason, times.blank & ~has_order_date(times, given), "missing_date")
    times = dates_of_orders(times, given)
    reject(reason, np.isnat(times.day), "bad_date")
    early = times.day < np.datetime64(EARLIEST)
    reject(reason, early & ~np.isnat(times.day), "bad_date")
    given = separated(given, ids, times, table, mapping, findings)
    order_id = given if given is not None else _customer_days(ids, times)
    if given is None:
        findings.warn("order_is_customer_day")
    else:
        reject(reason, np.asarray(pc.is_null(given)), "missing_id")
    orders = _orders(order_id, reason, have_ids=given is not None)
    summary = summary_rows(table, mapping, numbers, orders) & (reason == None)  # noqa: E711 an array is compared
    if summary.any():
        findings.note("total_rows", rows=int(summary.sum()))
        reject(reason, summary, "total_row")
        numbers = numbers.without(summary)
        orders = _orders(order_id, reason, have_ids=given is not None)
    products = text_of(table, mapping.at["product_id"]) if "product_id" in mapping.at else None
    net = net_of(table, mapping, numbers, orders, products, options, findings)
    lines = Lines(
        table,
        mapping,
        reason,
        times,
        ids,
        order_id,
        orders,
        net,
        net.amounts,
        Amounts.zeros(table.rows),
        numbers,
    )
    lines.ids_shortened = shortened
    _bad_numbers(lines)
    _apply_amounts(lines, options, findings)
    return lines


def _without_others(
    table: Table, mapping: Mapping, reason: npt.NDArray[np.object_], findings: Findings
) -> tuple[Table, npt.NDArray[np.object_]]:
    """Mark total rows, repeated headers and comments, which have no date, before types are decided."""
    date = text_of(table, mapping.at["occurred_at"])
    no_digit = np.asarray(pc.invert(pc.fill_null(pc.match_substring_regex(date, r"\d"), False)))
    named = pc.fill_null(pc.match_substring_regex(date, r"^[^\W\d]{3,}[ :]"), False)
    totals_named = [is_total(text) for text in date.filter(named).to_pylist()]
    no_digit[np.flatnonzero(np.asarray(named))] |= np.array(totals_named, bool)
    candidates = np.flatnonzero(no_digit)
    if len(candidates) > max(2000, table.rows // 2):
        edges = np.concatenate([candidates[:50], candidates[-50:]])
        candidates = np.unique(edges)
    money = [
        mapping.at[r] for r in ("net_amount", "order_amount", "unit_price", "gross_amount") if r in mapping.at
    ]
    names = [compact(name) for name in table.header]
    for at in candidates.tolist():
        cells = [(column[at].as_py() or "").strip() for column in table.columns]
        filled = [cell for cell in cells if cell]
        if any(is_total(cell.rstrip(":")) for cell in filled):
            reason[at] = "total_row"
        elif [compact(cell) for cell in cells] == names:
            reason[at] = "header_repeated"
        elif at < FIRST_ROWS and len(filled) > 1 and not any(re.search(r"\d", cells[i]) for i in money):
            reason[at] = "not_a_row"  # what the columns mean, below the header
        elif not filled or (len(filled) == 1 and not any(cells[i] for i in money)):
            reason[at] = "not_a_row"
    totals = int((reason == "total_row").sum())
    if totals:
        findings.note("total_rows", rows=totals)
    if (reason != None).any():  # noqa: E711 an array is compared
        drop = np.isin(reason.astype(str), ["total_row", "header_repeated", "not_a_row"])
        # Their values must not decide the type of a column.
        keep = pa.array(~drop)
        columns = [pc.if_else(keep, column, None) for column in table.columns]
        table = dataclasses.replace(table, columns=columns)
    return table, reason


def _order_ids(table: Table, mapping: Mapping) -> tuple[pa.Array | None, pa.Array | None]:
    """Normalised order ids, and the first filled customer column of each row."""
    raw = None
    for role in CUSTOMERS:
        if role in mapping.at:
            column = text_of(table, mapping.at[role])
            raw = column if raw is None else pc.coalesce(raw, column)
    if "transaction_id" not in mapping.at:
        return None, raw
    return ids_of(text_of(table, mapping.at["transaction_id"]), BLANKS)[0], raw


def _customers(table: Table, mapping: Mapping) -> tuple[pa.Array, int]:
    """One customer id per row from the customer columns; null for an anonymous sale."""
    order = mapping.platform.customer
    roles = [role for role in order if role in mapping.at] or [
        role for role in CUSTOMERS if role in mapping.at
    ]
    found, lost = [], 0
    for role in roles:
        ids, shortened = ids_of(text_of(table, mapping.at[role]))
        lost += shortened
        found.append(SPELLINGS[role](ids) if role in SPELLINGS else ids)
        if role == "customer_id" and not mapping.platform.name and ids.null_count == 0:
            break
    names = [role for role in roles if role in ("customer_phone", "customer_name")]
    if len(found) > len(names):
        found = found[
            : len(found) - len(names)
        ]  # a name or telephone number is an id only if there is no other
    first, *others = found
    return unified(first, others), lost


def _customer_days(ids: pa.Array, times: Times) -> pa.Array:
    """Order ids for files without one: customer and day; each anonymous row is an order."""
    days = pa.array(np.datetime_as_string(times.day), pa.string())
    number = pa.array(np.arange(len(ids))).cast(pa.string())
    anonymous = pc.binary_join_element_wise("row", number, "-")
    return pc.if_else(pc.is_valid(ids), pc.binary_join_element_wise(ids, days, "|"), anonymous)


def _orders(order_id: pa.Array, reason: npt.NDArray[np.object_], *, have_ids: bool) -> Orders:
    """Number the orders; amounts that an order has once are on its first usable row.

    An order without a usable row has them on its first row, so that the money of rejected rows is known.
    A row without an order id is an order of its own.
    """
    encoded = order_id.dictionary_encode()
    size = len(encoded.dictionary)
    code = np.array(encoded.indices.fill_null(-1), "int64")
    without = np.flatnonzero(code < 0)
    code[without] = size + np.arange(len(without))
    size += len(without)
    usable = np.array([why is None for why in reason], bool)
    has_usable = np.zeros(size, bool)
    has_usable[code[usable]] = True
    rows = np.flatnonzero(usable | ~has_usable[code])
    first = np.zeros(len(code), bool)
    _, at = np.unique(code[rows], return_index=True)
    first[rows[at]] = True
    return Orders(code, max(size, 1), first, have_ids)


def _bad_numbers(lines: Lines) -> None:
    """Reject rows whose net amount depends on an unreadable number."""
    numbers, unknown = lines.numbers, ~lines.net.amounts.known
    for role, bad in numbers.bad.items():
        if role in ("quantity", "unit_price"):
            reject(lines.reason, bad & unknown & (not lines.net.per_order), "bad_number")
        elif numbers.amounts[role].known.any():
            reject(lines.reason, bad, "bad_number")


def _apply_amounts(lines: Lines, options: Options, findings: Findings) -> None:
    """Apply signs, status and missing amounts after the amount of each row is known."""
    net, reason = lines.net, lines.reason
    if net.per_order:
        known = np.zeros(lines.orders.size, bool)
        known[lines.orders.code[net.amounts.known]] = True
        missing = ~known[lines.orders.code]
    else:
        missing = ~net.amounts.known
    apply_effects(lines, options, findings)
    reject(reason, missing, "missing_amount")


def check_share(lines: Lines, most: float = 0.2) -> None:
    """Refuse a file if more than a fifth cannot be read, with the most common reasons."""
    bad = ("bad_date", "missing_date", "bad_number", "missing_amount", "missing_id", "ragged_row")
    counts = {why: int((lines.reason == why).sum()) for why in bad}
    counts["ragged_row"] = len(lines.table.ragged)
    rows = lines.table.rows + len(lines.table.ragged)
    rejected = sum(counts.values())
    money = sum(
        (abs(lines.net.amounts.total(lines.reason == why)) for why in bad),
        start=lines.net.amounts.total(np.zeros(lines.table.rows, bool)),
    )
    whole = Amounts(np.abs(lines.net.amounts.units), lines.net.amounts.known).total()
    if not rows or (rejected <= most * rows and (not whole or money <= whole / 5)):
        return
    worst = sorted((why for why in counts if counts[why]), key=lambda why: -counts[why])[:3]
    reasons = ", ".join(f"{why} {counts[why]}" for why in worst)
    raise Refused(
        "too_many_rejected",
        f"{lines.table.name}: {rejected} of {rows} rows cannot be read ({reasons}; {shown(money)} in money)",
        ADVICE.get(worst[0], "Check these rows and export again"),
    )


ADVICE = {
    "bad_date": "Set the order of its dates with --date-order, or its column with --map occurred_at=COLUMN",
    "missing_date": "Set the date's column with --map occurred_at=COLUMN",
    "bad_number": "Set the decimal mark with --decimal-mark, or the column with --map net_amount=COLUMN",
    "missing_amount": "Set the amount's column with --map net_amount=COLUMN",
    "missing_id": "Set the order's column with --map transaction_id=COLUMN",
    "ragged_row": "Fields do not match the header: quote fields that contain commas, or set --delimiter",
}
