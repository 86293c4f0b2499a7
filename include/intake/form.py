"""The form of a firm's files: what was decided on the first file, and whether a later file keeps to it.

A form is ``include.firms.Understood``, a part of the firm's row. A later file is read by the form's columns
and styles. Its own values must not contradict them: another header, date order, number style, currency or
amount is ``Changed``, with the old and the new value. A file without evidence is read by the form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.compute as pc

from include.firm_source import FileOptions, Understood
from include.intake.answer import Asks, Findings, Refused
from include.intake.columns import NUMBERS
from include.intake.currencies import currency_of
from include.intake.dates import Parts, parts_of
from include.intake.formats import read_tables
from include.intake.full_names import with_full_name
from include.intake.group_rows import with_groups
from include.intake.lines import check_share
from include.intake.mapping import Mapping, map_columns
from include.intake.numbers import Votes, votes_of
from include.intake.options import Options
from include.intake.reading import Reading, joined
from include.intake.repeated_orders import lines_of_files
from include.intake.rows import Lines
from include.intake.samples import text_of
from include.intake.tables import Table, compact

ENOUGH = 0.98  # of the dates must be days in the order of the form
AMOUNT_QUESTIONS = ("which_amount", "discount_included", "refund_included")
ONCE = ", once per order"


class Changed(Refused):
    """A file is not written as the form says; ``what`` names the old and the new value."""

    def __init__(self, file: str, what: str, old: object, new: object) -> None:
        """``what``: header, date order, number style, currency, amount or platform."""
        super().__init__("changed_form", f"{file}: the {what} was {old} and now is {new}", "")


def options_of(
    given: FileOptions | None,
    mapping: dict[str, str] | None,
    *,
    timezone: str,
    form: Understood | None = None,
) -> Options:
    """The options of ``inspect`` for a firm's files: of its row and, for a later file, of the form."""
    options = given or FileOptions()
    found = Options(
        mapping=mapping or {},
        encoding=options.encoding,
        delimiter={"tab": "\t", "\\t": "\t"}.get(options.delimiter or "", options.delimiter),
        sheet=options.sheet,
        has_header=options.header,
        date_order=options.date_order,
        decimal_mark=options.decimal_mark,
        currency=options.currency,
        timezone=timezone,
        amount=options.amount,
        price=options.price,
        repeated_orders=options.repeated_orders,
    )
    if form is None:
        return found
    return dataclasses.replace(
        found,
        mapping=form.columns,
        date_order=form.date_order if form.date_order in ("dmy", "mdy", "ymd") else found.date_order,
        decimal_mark=form.decimal_mark or found.decimal_mark,
    )


def form_of_reading(path: Path, reading: Reading, options: Options) -> Understood:
    """The form of a file that ``inspect`` has read."""
    assert reading.lines is not None
    with TemporaryDirectory(prefix="firmament-read-") as scratch:
        table = joined(read_tables(path, options, Path(scratch)), Findings())
    return form_of(table, reading.lines, options)


def form_of(table: Table, lines: Lines, options: Options) -> Understood:
    """The form of a table that was read: its header, columns and styles."""
    mapping = lines.mapping
    columns = {
        role: name if table.header.count(name) == 1 else f"#{i + 1}"
        for role, i in mapping.at.items()
        for name in [lines.table.header[i]]
    }
    dates = _date_orders(table, mapping)
    currencies = currencies_of(lines)
    return Understood(
        header=table.header,
        columns=columns,
        platform=mapping.platform.name or None,
        date_order=_order_of(table, lines) if dates else None,  # type: ignore[arg-type]
        decimal_mark=_decimal_mark(table, mapping, options),  # type: ignore[arg-type]
        currency=options.currency or (min(currencies) if len(currencies) == 1 else None),
        amount=_amount(lines),
    )


def lines_by_form(
    table: Table, forms: Sequence[Understood], options: FileOptions | None, *, timezone: str, currency: str
) -> Lines:
    """The lines of a later file of the firm; Changed when no form fits, Asks when a value is ambiguous.

    ``currency`` is the firm's. A table without rows gives lines without rows.
    """
    fitting = [form for form in forms if _has_header(table, form)]
    if not fitting:
        raise Changed(table.name, "header", *_headers(forms[-1].header, table.header))
    failures: list[Changed] = []
    found: list[Lines] = []
    for form in fitting:
        try:
            found.append(_lines_by(table, form, options, timezone=timezone, currency=currency))
        except Changed as changed:
            failures.append(changed)
    if not found:
        raise failures[-1]
    first, *others = found
    if all(_are_equal(first, other) for other in others):
        return first
    raise Refused(
        "two_forms",
        f"{table.name}: two forms of the firm's row fit this file and read it differently "
        f"({_difference(fitting)}), and no value of it decides",
        "Export it again with dates such as 2025-02-13 and amounts such as 1234.50",
    )


def _are_equal(one: Lines, other: Lines) -> bool:
    """Whether two readings of a table give the same days and amounts."""
    same_days = np.array_equal(one.times.day, other.times.day, equal_nan=True)
    return same_days and np.array_equal(one.signed.units, other.signed.units)


def _difference(forms: Sequence[Understood]) -> str:
    """The styles in which forms differ."""
    names = ("date_order", "decimal_mark", "currency", "amount")
    values = {name: list(dict.fromkeys(str(getattr(form, name)) for form in forms)) for name in names}
    return "; ".join(f"{name} {' or '.join(found)}" for name, found in values.items() if len(found) > 1)


def has_header(table: Table, forms: Sequence[Understood]) -> bool:
    """Whether the table has the header of one of the forms."""
    return any(_has_header(table, form) for form in forms)


def currencies_of(lines: Lines) -> frozenset[str]:
    """The currencies of the used rows: of the currency column, else of the signs beside amounts."""
    at = lines.mapping.at.get("currency")
    if at is None:
        return lines.numbers.currencies
    words = pc.unique(text_of(lines.table, at).filter(lines.used).drop_null()).to_pylist()
    return frozenset(currency_of(word) or word.strip().upper() for word in words)


def _lines_by(
    table: Table, form: Understood, given: FileOptions | None, *, timezone: str, currency: str
) -> Lines:
    options = options_of(given, None, timezone=timezone, form=form)
    whole, findings = with_full_name(with_groups(table)), Findings()
    mapping = map_columns(whole, options, findings)
    platform = mapping.platform.name or None
    if platform != form.platform:
        raise Changed(table.name, "platform", form.platform or "unknown", platform or "unknown")
    orders = _date_orders(whole, mapping)
    if orders and form.date_order and form.date_order not in orders:
        old = f"{form.date_order} (column {mapping.header(whole, 'occurred_at')})"
        raise Changed(table.name, "date order", old, f"{' or '.join(orders)}: {_example(whole, mapping)}")
    mark = _decimal_mark(whole, mapping, Options())
    if mark and form.decimal_mark and mark != form.decimal_mark:
        raise Changed(table.name, "number style", f"decimal mark {form.decimal_mark}", f"decimal mark {mark}")
    lines = _answered(whole, mapping, options, form)
    expected = form.currency or currency
    found = currencies_of(lines)
    if found and (expected not in found or (len(found) > 1 and not options.currency)):
        raise Changed(table.name, "currency", expected, " and ".join(sorted(found)))
    if not _is_same_amount(lines, form.amount):
        raise Changed(table.name, "amount", form.amount, _amount(lines))
    check_share(lines)
    return lines


def _answered(table: Table, mapping: Mapping, options: Options, form: Understood) -> Lines:
    """The lines; a question about the amount is answered by the choice that gives the form's amount."""
    if form.amount == "orders only":
        options = dataclasses.replace(options, amount="none")
    price = mapping.at.get("unit_price")
    if (
        price is not None
        and not options.price
        and form.amount == table.header[price]
        and "quantity" in mapping.at
    ):
        options = dataclasses.replace(options, price="total")
    try:
        return lines_of_files(table, mapping, options, Findings())
    except Asks as asks:
        if asks.question.code not in AMOUNT_QUESTIONS or options.amount:
            raise
        for value in asks.question.choices:
            chosen = dataclasses.replace(options, amount=value)
            try:
                lines = lines_of_files(table, mapping, chosen, Findings())
            except Asks:
                continue
            if _amount(lines) == form.amount:
                return lines
        raise


def _has_header(table: Table, understood: Understood) -> bool:
    if not table.has_header:
        return tuple(table.header) == tuple(understood.header)
    names = sorted(map(compact, table.header))
    if table.name.lower().endswith((".json", ".jsonl", ".ndjson")):
        # A field that no record has is not in the header.
        wanted = {compact(name) for name in understood.columns.values()}
        return {compact(name) for name in understood.header} >= set(names) or wanted <= set(names)
    return names == sorted(map(compact, understood.header))


def _headers(old: Sequence[str], new: Sequence[str]) -> tuple[str, str]:
    """Both headers as text: what was lost and what is new, or the whole if most is different."""
    had, has = {compact(name) for name in old}, {compact(name) for name in new}
    lost = [name for name in old if compact(name) not in has]
    added = [name for name in new if compact(name) not in had]
    if had & has and (lost or added):
        names = ", ".join(lost or added)
        return (
            f"{'with' if lost else 'without'} {names}",
            f"with {', '.join(added)}" if added else f"without {names}",
        )
    return ", ".join(old)[:300], ", ".join(new)[:300]


def _parts(table: Table, mapping: Mapping) -> tuple[Parts, np.ndarray] | None:
    """The parts of the written dates, and which need an order; None for a typed or an empty column."""
    at = mapping.at["occurred_at"]
    if at in table.typed:
        return None
    parts = parts_of(pc.unique(text_of(table, at).drop_null()))
    if not parts.valid.any():
        return None
    return parts, parts.valid & ~parts.fixed & ~parts.named & ~parts.is_ready


def _date_orders(table: Table, mapping: Mapping) -> tuple[str, ...]:
    """The orders in which the dates are days; (): nothing is written as text, so any form fits."""
    found = _parts(table, mapping)
    if found is None:
        return ()
    parts, need = found
    if not need.any():
        if (parts.valid & parts.fixed).any():
            return ("ymd",)
        return ("words",) if parts.named.any() else ("numbers",)
    orders = ("dmy", "mdy", "ymd") if (~parts.wide_c[need]).any() else ("dmy", "mdy")
    left = tuple(o for o in orders if (~np.isnat(parts.day(o)[need])).mean() >= ENOUGH)
    return left or ("mixed",)


def _order_of(table: Table, lines: Lines) -> str | None:
    """The order in which the dates of the lines were read."""
    orders = _date_orders(table, lines.mapping)
    column = text_of(table, lines.mapping.at["occurred_at"])
    at = np.flatnonzero(np.asarray(pc.is_valid(column)) & ~np.isnat(lines.times.day))[:200_000]
    parts = parts_of(column.take(at))
    need = parts.valid & ~parts.fixed & ~parts.named & ~parts.is_ready & ~parts.has_offset
    if len(orders) == 1 or not need.any():
        return orders[0] if orders[0] != "mixed" else None
    days = lines.times.day[at][need]
    return max(orders, key=lambda order: int((parts.day(order)[need] == days).sum()))


def _example(table: Table, mapping: Mapping) -> str:
    """A date that shows the order: with a day above 12, if there is one."""
    values = pc.unique(text_of(table, mapping.at["occurred_at"]).drop_null())
    parts = parts_of(values)
    telling = np.flatnonzero(parts.valid & ((parts.a > 12) | (parts.b > 12)))
    return str(values[int(telling[0]) if len(telling) else 0].as_py())


def _decimal_mark(table: Table, mapping: Mapping, options: Options) -> str | None:
    """The decimal mark of the amounts as written; None if none shows it or both are used."""
    roles = [r for r in NUMBERS if r in mapping.at and r != "quantity" and mapping.at[r] not in table.typed]
    votes = sum((votes_of(table.columns[mapping.at[role]]) for role in roles), Votes())
    if bool(votes.point) != bool(votes.comma):
        return "." if votes.point else ","
    if votes.ambiguous and not votes.point and options.decimal_mark:
        return options.decimal_mark
    return None


def _amount(lines: Lines) -> str:
    """What the net amount is: the column or the product, and whether it counts once per order."""
    several = bool(lines.orders.multi[lines.orders.code[lines.used]].any())
    return lines.net.what + (ONCE if lines.net.per_order and several else "")


def _is_same_amount(lines: Lines, old: str) -> bool:
    """Whether the amount is that of the form; ``once`` says nothing where no order has several lines."""
    new = _amount(lines)
    if new == old or not old:
        return True
    several = bool(lines.orders.multi[lines.orders.code[lines.used]].any())
    if not several:
        old = old.removesuffix(ONCE)
    elif old.endswith(ONCE) != new.endswith(ONCE) and lines.mapping.platform.name == "":
        # The form has seen no order of several lines, or this file shows the opposite.
        return False
    base, _, less = old.removesuffix(ONCE).partition(" less ")
    new_base, _, new_less = new.removesuffix(ONCE).partition(" less ")
    if base != new_base:
        return False
    discount = lines.numbers.amounts.get("discount_amount")
    has_discount = discount is not None and bool((discount.units[lines.used] != 0).any())
    return less == new_less or not less or not has_discount
