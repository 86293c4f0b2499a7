"""Inspect a file: read its tables, map its columns, classify its rows, compute the figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.amounts import ORDERS_ONLY
from include.intake.answer import Answer, Asks, Refused, Rejected
from include.intake.checks import check
from include.intake.currencies import CODES, currency_of
from include.intake.formats import read_tables
from include.intake.full_names import with_full_name
from include.intake.group_rows import with_groups
from include.intake.joining import joined
from include.intake.lines import ADVICE, check_share
from include.intake.mapping import map_columns
from include.intake.options import Options
from include.intake.repeated_orders import lines_of_files
from include.intake.rows import SAMPLE, Lines
from include.intake.samples import text_of
from include.intake.tables import Table


@dataclass
class Reading:
    """The answer, and the lines if the file was read."""

    answer: Answer
    lines: Lines | None = None


def inspect(path: Path, options: Options | None = None) -> Reading:
    """Inspect a file, a folder or an archive of sales. A file that cannot be read raises no exception.

    The answer to a refused file, or to one with an open question, has the warnings known so far.
    """
    options = options or Options()
    answer = Answer(str(path))
    seen = _Seen()
    try:
        _read(path, options, answer, seen)
    except OSError as error:
        answer.refusal = Refused("no_file", f"{path}: {error.strerror or error}", "Give a readable file")
    except Asks as asks:
        answer.question = asks.question
    except Refused as refused:
        answer.refusal = refused
    else:
        return Reading(answer, seen.lines)
    answer.outcome = "asks" if answer.question else "refused"
    _known_so_far(answer, seen)
    return Reading(answer)


@dataclass
class _Seen:
    """What was read of a file until a question or a refusal."""

    table: Table | None = None
    lines: Lines | None = None
    is_checked: bool = False


def _read(path: Path, options: Options, answer: Answer, seen: _Seen) -> None:
    """Fill the answer; Asks or Refused where the file does not allow it."""
    with TemporaryDirectory(prefix="firmament-inspect-") as folder:
        tables = read_tables(path, options, Path(folder))
        table = joined(tables, answer.findings)
    seen.table = table
    if not table.rows and table.ragged:
        raise Refused("too_many_rejected", ragged_text(table), ADVICE["ragged_row"])
    if not table.rows:
        raise Refused("no_rows", f"{table.name} has a header and no rows", "Export a period with sales")
    table = with_full_name(with_groups(table))
    for note in table.notes:
        answer.findings.add(answer.findings.notes, note)
    mapping = map_columns(table, options, answer.findings)
    answer.platform = mapping.platform.name or None
    answer.mapping = mapping.names(table)
    lines = seen.lines = lines_of_files(table, mapping, options, answer.findings)
    check_share(lines)
    check(lines, answer.findings)
    seen.is_checked = True
    _figures(answer, lines, options, table)


def _known_so_far(answer: Answer, seen: _Seen) -> None:
    """Complete the warnings and the rejected rows of a file that was not read to its end."""
    if seen.lines is not None and not seen.is_checked:
        check(seen.lines, answer.findings)
    if seen.lines is not None:
        answer.rows_read = seen.lines.table.rows + len(seen.lines.table.ragged)
        if not answer.rejected:
            _rejections(answer, seen.lines)
    elif seen.table is not None:
        answer.rows_read = seen.table.rows + len(seen.table.ragged)
        _ragged(answer, seen.table)
        for message, _ in seen.table.repeated:
            answer.findings.add(answer.findings.warnings, replace(message, variant="unread"))


def ragged_text(table: Table) -> str:
    """The message about a table whose rows all have more fields than the header."""
    first = table.ragged[0][:120]
    return f"{table.name}: all {len(table.ragged)} rows have more fields than the header, such as {first}"


def _figures(answer: Answer, lines: Lines, options: Options, table: Table) -> None:
    used = lines.used
    mask = pa.array(used)
    answer.rows_read = lines.table.rows + len(lines.table.ragged)
    answer.rows_used = int(used.sum())
    _rejections(answer, lines, table)
    if not answer.rows_used:
        raise Refused(
            "no_sales",
            f"{lines.table.name}: no row counts as a sale",
            "See the reasons under rows.rejected in --json",
        )
    ids = lines.customer.filter(mask)
    answer.guest_rows = ids.null_count
    answer.customers = pc.count_distinct(ids, mode="only_valid").as_py()
    if not answer.customers:
        raise Refused(
            "no_customer",
            f"{lines.table.name}: no sale has a customer, and every figure needs customers",
            "Export a customer id or an e-mail address, or set its column with --map customer_id=COLUMN",
        )
    answer.orders = pc.count_distinct(lines.order_id.filter(mask), mode="only_valid").as_py()
    answer.net_amount = lines.signed.total(used) - lines.refunded.total(used)
    # A cancelled order is not a sale, but the file covers its day.
    days = lines.times.day[used | np.isin(lines.reason.astype(str), ("cancelled_order", "not_a_sale"))]
    answer.first_day, answer.last_day = days.min().astype(object), days.max().astype(object)
    answer.row_is = _row_is(lines)
    answer.currency = options.currency or _currency(lines)
    if lines.net.column == ORDERS_ONLY:
        answer.findings.note("amount", "none")
    elif lines.net.less:
        answer.findings.note("amount", "less", amount=lines.net.column, discount=lines.net.less)
    else:
        answer.findings.note("amount", amount=lines.net.column)


def _row_is(lines: Lines) -> str:
    row = lines.mapping.platform.row_is
    if row == "payment":
        return row
    return "line" if lines.orders.multi[lines.orders.code[lines.used]].any() else "order"


def _currency(lines: Lines) -> str | None:
    if "currency" in lines.mapping.at:
        column = text_of(lines.table, lines.mapping.at["currency"]).filter(pa.array(lines.used))
        found = {currency_of(word) for word in pc.unique(column.drop_null()).to_pylist()}
        return found.pop() if len(found) == 1 else None
    if len(lines.numbers.currencies) == 1:
        return next(iter(lines.numbers.currencies))
    words = re.split(r"[^A-Za-z]+", lines.net.column)
    return next((word for word in words if word in CODES), None) if not lines.numbers.currencies else None


def _rejections(answer: Answer, lines: Lines, table: Table | None = None) -> None:
    """The rejected rows by reason; samples are as in ``table``, where totals keep their values."""
    written = table if table is not None and table.rows == lines.table.rows else lines.table
    _ragged(answer, lines.table)
    rejected = np.flatnonzero(lines.reason != None)  # noqa: E711 an array is compared
    for why in sorted(set(lines.reason[rejected].tolist())):
        at = np.flatnonzero(lines.reason == why)
        sample = [
            " | ".join(str(column[i].as_py() or "") for column in written.columns)[:300]
            for i in at[:SAMPLE].tolist()
        ]
        where = np.zeros(lines.table.rows, bool)
        where[at] = True
        answer.rejected[why] = Rejected(len(at), lines.net.amounts.total(where), sample)
    unreadable = ("bad_date", "missing_date", "bad_number", "missing_amount", "missing_id")
    bad = {why: answer.rejected[why].count for why in unreadable if why in answer.rejected}
    if bad:
        answer.findings.warn("rejected_rows", rows=sum(bad.values()), reasons=bad)


def _ragged(answer: Answer, table: Table) -> None:
    if not table.ragged:
        return
    answer.rejected["ragged_row"] = Rejected(len(table.ragged), sample=table.ragged[:SAMPLE])
    answer.findings.warn("ragged_rows", rows=len(table.ragged))
