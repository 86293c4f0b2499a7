"""Orders that several files contain: read once if the files agree, else a question, or the option decides.

Files are compared by what counts: day, customer, product, quantity, amounts, and the effect of the status.
Sheets of one workbook are one file. The rule is that of ``source.options.repeated_orders`` of a firm.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Asks, Findings, Question
from include.intake.lines import lines_of
from include.intake.mapping import Mapping
from include.intake.messages import plain
from include.intake.money import Bools, shown
from include.intake.options import Options
from include.intake.rows import Lines
from include.intake.samples import text_of
from include.intake.tables import Table

COMPARED = ("product_id", "product_name", "quantity", "currency")


def lines_of_files(table: Table, mapping: Mapping, options: Options, findings: Findings) -> Lines:
    """The lines of a table of one or more files; Asks if files differ in an order and no option decides."""
    if table.members is None:
        return lines_of(table, mapping, options, findings)
    before = findings.copied()
    lines = lines_of(table, mapping, options, findings)
    found = _Versions(lines)
    if not found.orders:
        return lines
    keep = _decided(table, mapping, options, found, before) if found.disputed else found.all
    if keep.all():
        return lines
    findings.reset(before)
    if found.disputed:
        findings.warn("differing_orders", orders=len(found.disputed), ids=found.examples)
    else:
        findings.warn("same_orders", orders=found.orders, ids=found.examples)
    return lines_of(_only(table, keep), mapping, options, findings)


class _Versions:
    """The orders that several files contain, and the rows to keep in each reading."""

    def __init__(self, lines: Lines) -> None:
        """Compare the files' versions of each order."""
        assert lines.table.members is not None
        width = int(lines.table.members[1].max(initial=0)) + 1
        rows, files = np.divmod(np.unique(lines.table.members[0] * width + lines.table.members[1]), width)
        self.all = np.ones(lines.table.rows, bool)
        self.last = self.all.copy()
        self.disputed: list[int] = []
        self.examples: tuple[str, ...] = ()
        code = lines.orders.code[rows]
        # An order whose files all have each of its rows is read once already.
        pairs, size = np.unique(code * width + files), lines.orders.size
        file_counts = np.bincount(pairs // width, minlength=size)
        row_counts = np.bincount(lines.orders.code, minlength=size)
        several = np.flatnonzero(np.bincount(code, minlength=size) != file_counts * row_counts)
        self.orders = len(several)
        if not self.orders:
            return
        at = np.flatnonzero(np.isin(code, several))
        contents = _contents(lines, rows[at])
        versions: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for order, file, content, row in zip(
            code[at].tolist(), files[at].tolist(), contents, rows[at].tolist(), strict=True
        ):
            versions[order][file].append((content, row))
        for order, of_files in versions.items():
            self._compare(order, [of_files[file] for file in sorted(of_files)])
        shown_orders = self.disputed or several.tolist()
        first = [int(np.flatnonzero(lines.orders.code == order)[0]) for order in shown_orders[:3]]
        self.examples = tuple(lines.order_id[row].as_py() for row in first)

    def _compare(self, order: int, versions: list[list[tuple[int, int]]]) -> None:
        seen: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for version in versions:
            seen.setdefault(tuple(sorted(content for content, _ in version)), version)
        if len(seen) > 1:
            self.disputed.append(order)
        for keep, kept in ((self.all, [*seen.values()]), (self.last, [versions[-1]])):
            keep[[row for version in versions for _, row in version]] = False
            keep[[row for version in kept for _, row in version]] = True


def _contents(lines: Lines, rows: np.ndarray) -> list[int]:
    """A number for each row: equal for rows that count alike."""
    at, take = lines.mapping.at, pa.array(rows)
    columns = [
        lines.times.day[rows].tolist(),
        lines.times.seconds[rows].tolist(),
        lines.customer.take(take).to_pylist(),
        lines.effects[rows].tolist(),
        *(text_of(lines.table, at[role]).take(take).to_pylist() for role in COMPARED if role in at),
        *(amounts.units[rows].tolist() for amounts in lines.numbers.amounts.values()),
    ]
    if (price := lines.numbers.decimals.get("unit_price")) is not None:
        columns.append(price.take(take).to_pylist())
    if "cancelled_at" in at:
        columns.append(pc.is_valid(text_of(lines.table, at["cancelled_at"]).take(take)).to_pylist())
    known: dict[tuple[object, ...], int] = {}
    return [known.setdefault(values, len(known)) for values in zip(*columns, strict=True)]


def _decided(table: Table, mapping: Mapping, options: Options, found: _Versions, before: Findings) -> Bools:
    """The rows of the reading that the option names; Asks if the readings differ and there is no option."""
    if options.repeated_orders:
        return found.last if options.repeated_orders == "last" else found.all
    figures = {}
    for name, keep in (("last", found.last), ("all", found.all)):
        figures[name] = _figures(lines_of(_only(table, keep), mapping, options, before.copied()))
    last, every = figures["last"], figures["all"]
    if last == every:
        return found.last
    raise Asks(
        Question(
            "repeated_orders",
            f"{plain(len(found.disputed))} orders are in several files and differ, such as "
            f"{', '.join(found.examples)}",
            None,
            {
                "last": f"the last file by name is right: {shown(last[0])} in total",
                "all": f"they are different orders, or parts of one: {shown(every[0])} in total",
            },
            "--repeated-orders",
        )
    )


def _figures(lines: Lines) -> tuple[Decimal, tuple[object, ...]]:
    """Net amount;  orders, customers, rows without a customer, first and last day."""
    used, mask = lines.used, pa.array(lines.used)
    ids, days = lines.customer.filter(mask), lines.times.day[used]
    return (
        lines.signed.total(used) - lines.refunded.total(used),
        (
            pc.count_distinct(lines.order_id.filter(mask)).as_py(),
            pc.count_distinct(ids).as_py(),
            ids.null_count,
            *((days.min(), days.max()) if len(days) else ()),
        ),
    )


def _only(table: Table, keep: Bools) -> Table:
    """The table with some of its rows."""
    rows, position = pa.array(np.flatnonzero(keep)), np.cumsum(keep) - 1
    return replace(
        table,
        columns=[column.take(rows) for column in table.columns],
        repeated=[(message, position[at[keep[at]]]) for message, at in table.repeated],
        members=None,
    )
