"""Convert columns to types: each column has one type, decided by all of its values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Asks, Findings, Question
from include.intake.concepts import is_in_cents
from include.intake.currencies import NO_SUBUNIT, currency_of
from include.intake.dates import parts_of
from include.intake.datestyle import decide
from include.intake.mapping import Mapping
from include.intake.money import UNIT, Amounts
from include.intake.numbers import Votes, ascii_of, parse, votes_of
from include.intake.options import Options
from include.intake.samples import sample_of, text_of
from include.intake.tables import Table

NUMBERS = (
    "quantity", "returned_quantity", "unit_price", "net_amount", "order_amount", "gross_amount",
    "discount_amount", "tax_amount", "shipping_amount", "tip_amount", "refund_amount", "order_discount",
    "line_discount",
)  # fmt: skip
_RATE = re.compile(r"(?i)%|percent|pct|prozent|pourcent|porcentaje|percentuale|\brate\b|taux|oran|satz\b")
_UNIT = r"^(-?\d[\d.,]*) ?[A-Za-z" + "\u00c0-\u024f" + r"]{1,10}\.?$"
ENOUGH_PLAIN = 5  # whole values without a mark
QUANTITIES = ("quantity", "returned_quantity")
Bools = npt.NDArray[np.bool_]


@dataclass
class Numbers:
    """The number columns of a table, and which of their values are not numbers."""

    amounts: dict[str, Amounts] = field(default_factory=dict)
    decimals: dict[str, pa.Array] = field(default_factory=dict)  # quantity and unit_price, for the product
    bad: dict[str, Bools] = field(default_factory=dict)
    currencies: frozenset[str] = frozenset()
    discount_rate: Amounts | None = None  # percent, where discounts are written as such

    def without(self, where: Bools) -> Numbers:
        """The numbers, unknown on some rows."""
        keep = pa.array(~where)
        return replace(
            self,
            amounts={
                r: Amounts(np.where(where, 0, a.units), a.known & ~where) for r, a in self.amounts.items()
            },
            decimals={role: pc.if_else(keep, column, None) for role, column in self.decimals.items()},
            bad={role: bad & ~where for role, bad in self.bad.items()},
        )


@dataclass
class Times:
    """The local day and second of every row."""

    day: npt.NDArray[np.datetime64]  # NaT if missing
    seconds: npt.NDArray[np.int64]
    blank: Bools
    has_time: bool
    has_offset: bool


def numbers_of(table: Table, mapping: Mapping, options: Options, findings: Findings) -> Numbers:
    """Parse all number columns; Asks if no value of the file decides the decimal mark."""
    roles = [role for role in NUMBERS if role in mapping.at]
    rates = None
    if "discount_amount" in roles:
        at = mapping.at["discount_amount"]
        rates = _percentages(table.columns[at], table.header[at])
    if rates is not None:
        roles.remove("discount_amount")
    votes = {
        role: Votes() if mapping.at[role] in table.typed else votes_of(table.columns[mapping.at[role]])
        for role in roles
    }
    numbers = Numbers(currencies=frozenset().union(*(v.currencies for v in votes.values())))
    numbers.discount_rate = rates
    money = Votes()
    for role in roles:
        money += votes[role]
    units = _minor_units(table, mapping, roles)
    for role in roles:
        mark = _mark(table, mapping, role, votes[role], money, options, findings)
        column = (
            _without_unit(table.columns[mapping.at[role]])
            if role in QUANTITIES
            else table.columns[mapping.at[role]]
        )
        decimals = parse(column, mark, scale=6 if role == "unit_price" else 4)
        if role not in QUANTITIES and is_in_cents(mapping.header(table, role)) and not votes[role].fractional:
            findings.note("cents", column=mapping.header(table, role))
            decimals = pc.multiply(decimals, pa.scalar(Decimal("0.01"))).cast(decimals.type, safe=False)
        if units is not None and role not in QUANTITIES:
            whole = decimals
            decimals = pc.multiply(decimals, units).cast(decimals.type, safe=False)
            if role == "net_amount":
                findings.warn(
                    "minor_units",
                    column=mapping.header(table, role),
                    sum=Amounts.of(whole).total(),
                    money=Amounts.of(decimals).total(),
                )
        if role in ("quantity", "unit_price", "returned_quantity"):
            numbers.decimals[role] = decimals
        if role != "unit_price":
            numbers.amounts[role] = Amounts.of(decimals)
        filled = pc.is_valid(ascii_of(column))
        numbers.bad[role] = np.asarray(pc.and_(filled, pc.is_null(decimals)))
    return numbers


def _without_unit(column: pa.Array) -> pa.Array:
    """Quantities without their unit: 2 Stk, 3 pcs, 4x."""
    return pc.replace_substring_regex(ascii_of(column), _UNIT, r"\1")


def _minor_units(table: Table, mapping: Mapping, roles: list[str]) -> pa.Array | None:
    """The value of each row's smallest unit, where the platform writes amounts in it; None: as written.

    An amount with a decimal mark shows that the file is not in the smallest unit.
    """
    digits = mapping.platform.minor_units
    if digits is None or "currency" not in mapping.at:
        return None
    texts = [text_of(table, mapping.at[role]).drop_null() for role in roles if role not in QUANTITIES]
    if not all(pc.all(pc.match_substring_regex(text, r"^-?\d+$")).as_py() in (True, None) for text in texts):
        return None
    encoded = text_of(table, mapping.at["currency"]).dictionary_encode()
    codes = [currency_of(word) or "" for word in encoded.dictionary.to_pylist()]
    known = {digits.get(code, 2) for code in codes} or {2}
    values = [Decimal(1).scaleb(-digits.get(code, 2)) for code in codes]
    values.append(Decimal(1).scaleb(-max(known)))  # a row without a currency
    index = encoded.indices.fill_null(len(codes))
    return pc.take(pa.array(values, pa.decimal128(5, 3)), index)


def _mark(
    table: Table, mapping: Mapping, role: str, own: Votes, money: Votes, options: Options, findings: Findings
) -> str:
    """The decimal mark for the ambiguous values of a column."""
    if mapping.at[role] in table.typed:
        return "."
    if options.decimal_mark:
        return options.decimal_mark
    if not own.ambiguous:
        if own.point and own.comma:
            findings.warn("mixed_numbers", column=mapping.header(table, role))
        return "."
    name = mapping.header(table, role)
    evidence = [(own, "own"), (money, "others")]
    column = table.columns[mapping.at[role]]
    if role == "quantity" and _all_thousands(column, money):
        evidence = evidence[:1]  # 1.000 beside 12,50: one piece with three decimals, or a thousand?
    for votes, why in evidence:
        if votes.point and not votes.comma:
            findings.note("number_style", f"point_{why}", column=name)
            return "."
        if votes.comma and not votes.point:
            findings.note("number_style", f"comma_{why}", column=name)
            return ","
        if votes.comma and votes.point:
            break
    currencies = _currencies(table, mapping, money)
    if (is_whole := _are_thousands(column)) or (currencies and currencies <= NO_SUBUNIT):
        codes = tuple(sorted(currencies))
        variant = "whole" if is_whole else "thousands"
        findings.note("number_style", variant, column=name, example=own.example, currencies=codes)
        return "." if "," in own.example else ","
    example = own.example.strip()
    as_point, as_comma = (parse(pa.array([example]), mark)[0].as_py() for mark in ".,")
    raise Asks(
        Question(
            "decimal_mark",
            f"column {mapping.header(table, role)}: {example} may be {as_point:,.2f} or "
            f"{as_comma:,.3f}; no value decides",
            mapping.header(table, role),
            {
                ".": f"the decimal mark is a point: {example} is {as_point.normalize():f}",
                ",": f"the decimal mark is a comma: {example} is {as_comma.normalize():f}",
            },
            "--decimal-mark",
        )
    )


def _percentages(column: pa.Array, header: str) -> Amounts | None:
    """Discounts in percent; None if neither the header nor most values say so."""
    texts = ascii_of(column)
    if _RATE.search(header):
        mark = "," if pc.any(pc.match_substring(texts, ",")).as_py() else "."
        rates = Amounts.of(parse(pc.replace_substring_regex(texts, " ?%$", ""), mark))
        top = int(np.abs(rates.units).max(initial=0))
        if top <= UNIT and not pc.any(pc.match_substring(texts, "%")).as_py():
            rates = Amounts(rates.units * 100, rates.known)  # 0.10 is 10 %
        return rates if top <= 100 * UNIT else None
    signs = pc.fill_null(pc.match_substring_regex(texts, r"^-?[\d.,]+ ?%$"), False)
    filled = len(texts) - texts.null_count
    if not filled or (pc.sum(signs).as_py() or 0) * 2 < filled:
        return None
    bare = pc.replace_substring_regex(texts, " ?%$", "")
    return Amounts.of(parse(bare, "," if pc.any(pc.match_substring(bare, ",")).as_py() else "."))


def _currencies(table: Table, mapping: Mapping, money: Votes) -> set[str]:
    """The currencies of the currency column and of the signs beside amounts."""
    at = mapping.at.get("currency")
    words = sample_of(table, at).to_pylist() if at is not None else []
    return set(money.currencies) | {code for word in words if (code := currency_of(word))}


def _are_thousands(column: pa.Array) -> bool:
    """Whether only values of 1000 and more have a mark: beside 950 and 12, 1,290 is a whole number."""
    values = pc.unique(ascii_of(column).drop_null())
    plain = values.filter(pc.match_substring_regex(values, r"^[^\d.,]*\d+[^\d.,]*$"))
    digits = pc.replace_substring_regex(plain, r"\D", "")
    return len(plain) >= ENOUGH_PLAIN and not pc.any(pc.greater(pc.utf8_length(digits), 3)).as_py()


def _all_thousands(column: pa.Array, money: Votes) -> bool:
    """Whether all quantities end in 000 after the group mark of the file's other numbers."""
    mark = r"\." if money.comma else ","
    values = pc.unique(ascii_of(column).drop_null())
    return bool(pc.all(pc.match_substring_regex(values, rf"^-?\d{{1,3}}{mark}000$")).as_py())


def times_of(table: Table, mapping: Mapping, options: Options, findings: Findings) -> Times:
    """The local day and time of every row, from one column or from a date and a time."""
    at = mapping.at["occurred_at"]
    column = text_of(table, at)
    blank = np.asarray(pc.is_null(column))
    encoded = column.dictionary_encode()
    values = encoded.dictionary
    parts = parts_of(values)
    others = [
        parts_of(sample)
        for i, name in enumerate(table.header)
        if i != at and i not in table.typed and (sample := _written_dates(table, i)) is not None
    ]
    decision = decide(
        mapping.header(table, "occurred_at"), values, parts, options.date_order, others, findings
    )
    day = parts.day(decision.order)
    seconds = np.where(parts.is_ready, _seconds(parts.ready), parts.seconds)
    if parts.has_offset.any() and not parts.has_offset[parts.valid].all():
        findings.warn("mixed_offsets")
    instants = parts.has_offset | np.full(len(day), mapping.platform.zone == "UTC")
    if options.timezone and instants.any():
        day, seconds = _in_zone(day, seconds, parts.offset, instants, options.timezone)
    elif parts.has_offset.any() and (parts.offset[parts.has_offset] != 0).any():
        findings.note("days_as_written")
    index = np.asarray(encoded.indices.fill_null(0), "int64")
    if not len(values):
        empty = np.full(len(column), np.datetime64("NaT"), "M8[D]")
        return Times(empty, np.zeros(len(column), "int64"), blank, False, False)
    days = np.where(blank, np.datetime64("NaT"), day[index])
    clock = seconds[index]
    has_time = bool(parts.has_time.any())
    if "time" in mapping.at and not has_time:
        clock, has_time = _clock(table, mapping.at["time"]), True
    return Times(days, clock, blank, has_time, bool(parts.has_offset.any()))


def _written_dates(table: Table, at: int) -> pa.Array | None:
    """All unique values of a column if its first values look like written dates, else None."""
    sample = sample_of(table, at)[:200]
    if (
        not len(sample)
        or not pc.any(pc.match_substring_regex(sample, r"^\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}")).as_py()
    ):
        return None
    if parts_of(sample, serials=False).valid.mean() < 0.9:
        return None
    return pc.unique(ascii_of(table.columns[at]).drop_null())


def _clock(table: Table, at: int) -> npt.NDArray[np.int64]:
    """Seconds of the day in a column of times; 0 if missing."""
    encoded = text_of(table, at).dictionary_encode()
    if not len(encoded.dictionary):
        return np.zeros(table.rows, "int64")
    dated = pc.binary_join_element_wise("2000-01-01", encoded.dictionary, " ")
    parts = parts_of(dated, serials=False)
    seconds = np.where(parts.valid, parts.seconds, 0)
    return np.where(
        np.asarray(encoded.indices.is_valid()), seconds[np.asarray(encoded.indices.fill_null(0))], 0
    )


def _seconds(ready: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    known = ~np.isnat(ready)
    whole = np.where(known, ready.astype("M8[s]").astype("int64"), 0)
    return whole % 86_400


def _in_zone(
    day: npt.NDArray[np.datetime64],
    seconds: npt.NDArray[np.int64],
    offset: npt.NDArray[np.int64],
    instants: Bools,
    zone: str,
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.int64]]:
    """Convert instants to local days and seconds of a zone; other times are unchanged."""
    known = instants & ~np.isnat(day)
    utc = day.astype("M8[s]").astype("int64") + seconds - offset * 60
    stamps = pa.array(np.where(known, utc, 0), pa.timestamp("s", "UTC")).cast(pa.timestamp("s", zone))
    local = np.asarray(pc.local_timestamp(stamps).cast(pa.int64()))
    local_day = (local // 86_400).astype("M8[D]")
    return np.where(known, local_day, day), np.where(known, local % 86_400, seconds)
