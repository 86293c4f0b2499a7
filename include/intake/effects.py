"""Apply status, type, refunds, currency and signs to the rows of a file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Asks, Findings, Question
from include.intake.currencies import currency_of
from include.intake.customers import ids_of
from include.intake.flags import is_yes
from include.intake.header_roles import other_statuses
from include.intake.mapping import AMOUNTS
from include.intake.money import CENT, Amounts, Bools, shown
from include.intake.numbers import signs_of
from include.intake.options import Options
from include.intake.rows import Lines, reject
from include.intake.samples import text_of
from include.intake.tables import compact
from include.intake.words import REASONS, effect_of, only_won, without_payments

RANK = {"count": 0, "return": 1, "refunded": 2, "drop": 3, "other": 4}
FEW_WORDS = 8  # a column with more values and no known one is not a status


def apply_effects(lines: Lines, options: Options, findings: Findings) -> None:
    """Reject rows that are not sales, make returns negative, subtract refunds, keep one currency."""
    effects = _effects(lines, findings)
    if lines.mapping.platform.strict_signs:
        _strict_signs(lines)
        effects[_starts_with_c(lines)] = "return"
    if lines.mapping.platform.own_payments:
        effects[(effects == "count") & (lines.net.amounts.units < 0)] = "other"
    lines.effects = effects
    amount_missing = np.isin(lines.reason.astype(str), ("None", "bad_number", "missing_amount", "missing_id"))
    for effect, why in REASONS.items():
        lines.reason[(effects == effect) & amount_missing] = why
    _flagged(lines, effects)
    returned = (effects == "return") | _negative_quantity(lines)
    units = lines.net.amounts.units
    lines.signed = Amounts(np.where(returned, -np.abs(units), units), lines.net.amounts.known)
    if returned.any():
        _payee(lines, returned)
    _refunds(lines, effects, options, findings)
    _currency(lines, options, findings)
    for why, code in (("cancelled_order", "cancelled_orders"), ("not_a_sale", "not_sales")):
        where = lines.reason == why
        if where.any():
            findings.warn(code, rows=int(where.sum()), money=lines.net.amounts.total(where))


def _negative_quantity(lines: Lines) -> Bools:
    """Rows with a negative quantity and a positive amount: the amount is what is given back."""
    quantity = lines.numbers.amounts.get("quantity")
    if quantity is None or lines.net.per_order or lines.mapping.platform.strict_signs:
        return np.zeros(lines.table.rows, bool)
    return quantity.known & (quantity.units < 0) & (lines.net.amounts.units > 0)


def _flagged(lines: Lines, effects: npt.NDArray[np.object_]) -> None:
    """Reject orders that a flag or a date marks as cancelled or as a test; a flag may mark refunded rows."""
    at = lines.mapping.at
    if "cancelled_at" in at:
        reject(lines.reason, _per_order(lines, _filled(lines, "cancelled_at")), "cancelled_order")
    if "is_cancelled" in at:
        reject(lines.reason, _per_order(lines, is_yes(lines.table, at["is_cancelled"])), "cancelled_order")
    if "is_refunded" in at:
        effects[is_yes(lines.table, at["is_refunded"]) & (effects == "count")] = "refunded"


def _effects(lines: Lines, findings: Findings) -> npt.NDArray[np.object_]:
    """The effect of each row's status and type; if they differ, the stronger one."""
    strength = np.zeros(lines.table.rows, "int64")
    own = {compact(word): effect for word, effect in lines.mapping.platform.words.items()}
    for role in ("kind", "status"):
        if role not in lines.mapping.at:
            continue
        column = _of_first_row(lines, text_of(lines.table, lines.mapping.at[role]))
        encoded = column.dictionary_encode()
        words = encoded.dictionary.to_pylist()
        default = lines.mapping.platform.default_word if role == "kind" else ""
        found = [effect_of(word, own, default, role=role) for word in words]
        if role == "kind" and not lines.mapping.platform.name:
            found = without_payments(words, found)
        if role == "status":
            found = only_won(words, found)
        name = lines.mapping.header(lines.table, role)
        if not any(found) and not 1 < len(words) <= FEW_WORDS:
            if words:
                findings.note("unused_column", column=name, words=tuple(words[:4]))
            continue
        index = np.asarray(encoded.indices.fill_null(len(words)))
        count = np.bincount(index, minlength=len(words) + 1)
        unknown = [i for i, effect in enumerate(found) if effect is None]
        if unknown:
            money = lines.net.amounts.total(np.isin(index, unknown))
            examples = {words[i]: int(count[i]) for i in unknown[:5]}
            findings.warn("unknown_words", column=name, words=examples, money=money)
        ranks = _ranks(found)[index]
        if role == "kind":  # the reversal of a document is a document with a negative amount
            ranks[(ranks == RANK["drop"]) & (lines.net.amounts.units < 0)] = RANK["return"]
        strength = np.maximum(strength, ranks)
    for at in other_statuses(lines.table, lines.mapping):
        column = _of_first_row(lines, text_of(lines.table, at)).dictionary_encode()
        effects = [effect_of(word, {}) for word in column.dictionary.to_pylist()]
        ranks = _ranks([effect if effect in ("drop", "refunded") else None for effect in effects])
        strength = np.maximum(strength, ranks[np.asarray(column.indices.fill_null(len(effects)))])
    return np.array(list(RANK), dtype=object)[strength]


def _ranks(effects: list[str | None]) -> npt.NDArray[np.int64]:
    """The rank of each word's effect, and that of a blank; an unknown word counts."""
    return np.array([RANK[effect or "count"] for effect in [*effects, None]], "int64")


def _of_first_row(lines: Lines, column: pa.Array) -> pa.Array:
    """Fill blank values with the value of the first row of their order that has one."""
    if column.null_count == 0 or "transaction_id" not in lines.mapping.at:
        return column
    first = np.full(lines.orders.size, -1, "int64")
    known = np.flatnonzero(np.asarray(pc.is_valid(column)))[::-1]
    first[lines.orders.code[known]] = known
    source = first[lines.orders.code]
    filled = pc.take(column, pa.array(np.where(source < 0, 0, source), mask=source < 0))
    return pc.coalesce(column, filled)


def _filled(lines: Lines, role: str) -> Bools:
    return np.asarray(pc.is_valid(text_of(lines.table, lines.mapping.at[role])))


def _per_order(lines: Lines, where: Bools) -> Bools:
    """All rows of the orders with at least one marked row."""
    marked = np.zeros(lines.orders.size, bool)
    marked[lines.orders.code[where]] = True
    return marked[lines.orders.code]


def _starts_with_c(lines: Lines) -> Bools:
    return np.asarray(pc.fill_null(pc.match_substring_regex(lines.order_id, "^[Cc]"), False))


def _strict_signs(lines: Lines) -> None:
    """Apply the rules of the UCI files: adjustments have no price, write-offs a negative quantity."""
    price, quantity = lines.numbers.decimals.get("unit_price"), lines.numbers.amounts.get("quantity")
    if price is None or quantity is None:
        return
    is_return = _starts_with_c(lines)
    reject(lines.reason, np.asarray(pc.fill_null(pc.less_equal(price, 0), False)), "price_not_positive")
    reject(lines.reason, is_return & (quantity.units >= 0), "return_not_negative")
    reject(lines.reason, ~is_return & (quantity.units <= 0), "quantity_not_positive")


def _payee(lines: Lines, returned: Bools) -> None:
    """On returns, take the customer from the column of the recipient."""
    names = [compact(name) for name in lines.table.header]
    wanted = lines.mapping.platform.payee_on_return.split("|")
    at = next((names.index(compact(name)) for name in wanted if name and compact(name) in names), None)
    if at is not None:
        ids, _ = ids_of(text_of(lines.table, at))
        lines.customer = pc.if_else(pa.array(returned), ids, lines.customer)


def _refunds(lines: Lines, effects: npt.NDArray[np.object_], options: Options, findings: Findings) -> None:
    """Subtract refunds, at most the order's amount; a refunded order without a refund amount counts zero."""
    orders, rows = lines.orders, lines.table.rows
    used = lines.used
    brought = np.zeros(orders.size, "int64")
    np.add.at(brought, orders.code[used], np.where(lines.signed.known, lines.signed.units, 0)[used])
    back = np.zeros(orders.size, "int64")
    given = np.zeros(orders.size, bool)
    column = lines.numbers.amounts.get("refund_amount")
    has_refunds = column is not None and bool((column.units[used] != 0).any())
    is_before = has_refunds and not _is_refund_included(lines, options)
    if column is not None and is_before and options.amount != "net":
        size = np.abs(column.units)
        top = np.zeros(orders.size, "int64")
        np.maximum.at(top, orders.code[used], size[used])
        total = np.zeros(orders.size, "int64")
        np.add.at(total, orders.code[used], size[used])
        repeated = np.ones(orders.size, bool)
        np.logical_and.at(repeated, orders.code[used], size[used] == top[orders.code[used]])
        back = np.where(repeated, top, total)
        given = back > 0
    full = np.zeros(orders.size, bool)
    full[orders.code[(effects == "refunded") & used]] = True
    if full.any() and options.amount != "net":
        by_row = (effects == "refunded") & used & ~given[orders.code]
        extra = np.zeros(orders.size, "int64")
        np.add.at(extra, orders.code[by_row], np.where(lines.signed.known, lines.signed.units, 0)[by_row])
        if lines.net.per_order:
            extra = np.where(full & ~given, brought, 0)
        back = back + np.maximum(extra, 0)
    back = np.minimum(back, np.maximum(brought, 0))
    if not back.any():
        return
    first = np.zeros(rows, bool)
    usable = np.flatnonzero(used)
    _, at = np.unique(orders.code[usable], return_index=True)
    first[usable[at]] = True
    lines.refunded = Amounts(np.where(first, back[orders.code], 0), np.ones(rows, bool))
    findings.note("refunds", orders=int((back > 0).sum()), money=lines.refunded.total())


def _is_refund_included(lines: Lines, options: Options) -> bool:
    """Whether net sales already exclude refunds; Asks unless other columns decide it."""
    at, amounts = lines.mapping.at, lines.numbers.amounts
    if lines.mapping.platform.name or options.amount in ("net", "gross") or "net_amount" not in at:
        return False
    name = lines.mapping.header(lines.table, "net_amount")
    if not compact(name).startswith("net"):
        return False
    refund = amounts["refund_amount"]
    net, gross = amounts["net_amount"], amounts.get("gross_amount")
    touched = refund.units != 0
    if gross is not None:
        discount = amounts.get("discount_amount", Amounts.zeros(lines.table.rows))
        rest = gross.units - np.abs(discount.units) - net.units
        for included, expected in ((False, 0), (True, np.abs(refund.units))):
            if (np.abs(rest - expected)[touched] <= CENT).mean() >= 0.9:
                return included
    less = net.total() - Amounts(np.abs(refund.units), refund.known).total()
    raise Asks(
        Question(
            "refund_included",
            f"column {name}: before or after the refunds in "
            f"{lines.mapping.header(lines.table, 'refund_amount')}?",
            name,
            {
                "net": f"after: {shown(net.total())} in total",
                "gross": f"before: about {shown(less)} in total",
            },
            "--amount",
        )
    )


def _currency(lines: Lines, options: Options, findings: Findings) -> None:
    """Keep one currency; Asks if the file has several and none is chosen."""
    if "currency" in lines.mapping.at:
        column = _of_first_row(lines, text_of(lines.table, lines.mapping.at["currency"]))
        name = lines.mapping.header(lines.table, "currency")
    elif len(lines.numbers.currencies) > 1:
        role = next(role for role in AMOUNTS if role in lines.mapping.at)
        column = signs_of(lines.table.columns[lines.mapping.at[role]])
        name = lines.mapping.header(lines.table, role)
    else:
        return
    encoded = column.dictionary_encode()
    codes = [currency_of(word) or word.strip().upper() for word in encoded.dictionary.to_pylist()]
    index = np.asarray(encoded.indices.fill_null(len(codes)))
    code = np.array([*codes, ""], dtype=object)[index]
    used = lines.used
    present = sorted({c for c in code[used].tolist() if c})
    if len(present) <= 1:
        return
    if options.currency in present:
        other = (code != options.currency) & (code != "")
        others = tuple(c for c in present if c != options.currency)
        findings.warn("other_currency", currencies=others)
        reject(lines.reason, other, "other_currency")
        return
    sums = {c: shown(lines.signed.total(used & (code == c))) for c in present}
    raise Asks(
        Question(
            "several_currencies",
            f"{lines.table.name}: amounts are in {', '.join(present)} and cannot be added",
            name,
            {c: f"only the rows in {c}: {total}" for c, total in sums.items()},
            "--currency",
        )
    )
