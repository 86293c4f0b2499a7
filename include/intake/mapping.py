"""Map our columns to a file's columns: by option, by platform, by name, then by content."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from include.intake.answer import Asks, Findings, Question, Refused
from include.intake.concepts import role_of, says_gross, says_net, says_without_tax
from include.intake.currencies import CODES
from include.intake.customer_columns import check_account, lists_customers, may_name_customers
from include.intake.datestyle import date_share
from include.intake.equal_columns import use_paid_amounts
from include.intake.flags import checked_flags
from include.intake.header_roles import may_be_numbers, placed_by_words, quantity_candidates
from include.intake.headers import KNOWN, SYNONYMS
from include.intake.numbers import votes_of
from include.intake.options import Options
from include.intake.period_columns import period_columns
from include.intake.platforms import PLATFORMS, Platform, placed, recognise
from include.intake.questions import headerless, which_column
from include.intake.samples import sample_of, share_of
from include.intake.tables import Table, compact, last_of_path, variants

NUMBERS_OF_ORDERS = ("id", "number", "num", "no", "nr", "numero", "nummer", "numara", "numer", "ref")
AMOUNTS = ("net_amount", "order_amount", "unit_price", "gross_amount")
ROLES = (*SYNONYMS, "order_discount", "line_discount")
CUSTOMERS = ("customer_id", "customer_email", "customer_phone", "customer_name")
NAMELESS = Platform("", (), "")


@dataclass
class Mapping:
    """The positions of our columns in a table."""

    at: dict[str, int]
    platform: Platform = field(default=NAMELESS)
    stated: frozenset[str] = frozenset()  # columns named by --map

    def header(self, table: Table, role: str) -> str:
        """The file's name of one of our columns."""
        return table.header[self.at[role]]

    def names(self, table: Table) -> dict[str, str]:
        """Our columns and the file's, in the form of --map."""
        return {role: table.header[i] for role, i in self.at.items()}


def map_columns(table: Table, options: Options, findings: Findings) -> Mapping:
    """The mapping of a table; Refused or Asks if customer, date or amount cannot be mapped."""
    stated = _stated(table, options)
    platform = (recognise(table.header, PLATFORMS) if table.has_header else None) or NAMELESS
    if platform.refuse and not stated:
        raise Refused(*platform.refuse, "Give another file, or set its columns with --map")
    if not table.has_header and not {"occurred_at"} <= set(stated):
        raise headerless(table)
    if not stated and (periods := period_columns(table.header)):
        raise Refused(
            "columns_are_periods",
            f"{table.name}: {len(periods)} columns are periods ({', '.join(periods[:3])}): it has sums per "
            "period, and every figure needs the date of each order",
            "Export one row per order or line with its date, not a pivot table",
        )
    at = {**_by_name(table, platform, stated, findings), **stated}
    if not platform.name and not stated and lists_customers(table, at):
        raise Refused(
            "customers_not_orders",
            f"{table.name} lists customers with their number of orders or their spend, not orders",
            "Export the orders, one row per order or line with its date",
        )
    at = {**checked_flags(table, at), **stated}
    if set(stated) & set(AMOUNTS):
        at = {role: i for role, i in at.items() if role not in AMOUNTS or role in stated}
    if set(stated) & set(CUSTOMERS):
        at = {role: i for role, i in at.items() if role not in CUSTOMERS or role in stated}
    _check_duplicates(table, {role: i for role, i in at.items() if role not in stated})
    mapping = Mapping(at, platform, frozenset(stated))
    _place_date(table, mapping, findings)
    _place_customer(table, mapping, findings)
    _place_amount(table, mapping, options)
    _place_order(table, mapping)
    return mapping


def _stated(table: Table, options: Options) -> dict[str, int]:
    """The columns that --map names, by header or as #3."""
    found = {}
    names = [compact(name) for name in table.header]
    for role, header in options.mapping.items():
        if role not in ROLES:
            raise Refused(
                "bad_option",
                f"--map {role}={header}: {role} is not a column",
                f"Use one of {', '.join(ROLES)}",
            )
        if header.startswith("#") and header[1:].isdigit() and 0 < int(header[1:]) <= len(table.header):
            found[role] = int(header[1:]) - 1
        elif header in table.header:
            found[role] = table.header.index(header)
        elif compact(header) in names:
            found[role] = names.index(compact(header))
        else:
            raise Refused(
                "bad_option",
                f"--map {role}={header}: {table.name} has no such column; it has "
                f"{', '.join(table.header[:20])}",
                "Name one of these, or #3 for the third column",
            )
    return found


def _by_name(table: Table, platform: Platform, stated: dict[str, int], findings: Findings) -> dict[str, int]:
    at = placed(platform, table.header)
    forms = [_forms(name, platform) for name in table.header]
    used = {*at.values(), *stated.values()}
    for role, synonyms in SYNONYMS.items():
        if role in at or role in stated or role in platform.ignore:
            continue
        if platform.name and role in CUSTOMERS and role not in platform.customer:
            continue
        for name in synonyms:
            if name == "id" and role == "customer_id" and _names_customer(forms):
                continue  # beside a customer's name or address, id is the order's
            found = [
                i
                for i, own in enumerate(forms)
                if name in own and i not in used and (role not in AMOUNTS or may_be_numbers(table, i))
            ]
            if found:
                at[role] = _preferred(table, role, found)
                used.add(at[role])
                break
    if platform.name:
        return at
    at |= placed_by_words(table, at, used, set(stated))
    return at


def _preferred(table: Table, role: str, found: list[int]) -> int:
    """Of several columns with one meaning, the amount that is without tax: ``Total (excl. VAT)``."""
    if role not in AMOUNTS:
        return found[0]
    first = table.header[found[0]]
    alike = {
        i for i, name in enumerate(table.header) if says_without_tax(name) and _is_alike(name, first, role)
    }
    stated = [i for i in sorted({*found, *alike}) if says_without_tax(table.header[i])]
    net = [i for i in found if says_net(table.header[i])]
    return (stated or net or [i for i in found if not says_gross(table.header[i])] or found)[0]


def _is_alike(name: str, other: str, role: str) -> bool:
    """Whether a header may mean the same as another one: a field of the same path, or another order total."""
    path, field = name.rpartition("/")[0], last_of_path(name) or name
    if path != other.rpartition("/")[0]:
        return False
    if role == "order_amount":
        return role_of(field) in ("order_amount", "net_amount")
    return bool(path) and role_of(field) == role


def _forms(name: str, platform: Platform) -> tuple[str, ...]:
    """The names that a header may be known by. The last field of a path counts if the whole has no name."""
    if platform.name:
        return (compact(name),)
    own = tuple(map(compact, variants(name, CODES)))
    last = last_of_path(name)
    return (*own, compact(last)) if last and not KNOWN & set(own) else own


def _names_customer(forms: list[tuple[str, ...]]) -> bool:
    """Whether a header names the customer other than by id."""
    others = {name for role in CUSTOMERS[1:] for name in SYNONYMS[role]}
    return any(name in others for own in forms for name in own)


def _check_duplicates(table: Table, at: dict[str, int]) -> None:
    """Refuse two different columns with the same name if the name is used."""
    names = [compact(name) for name in table.header]
    for role, i in at.items():
        for j, name in enumerate(names):
            if j != i and name == names[i] and not table.columns[i].equals(table.columns[j]):
                raise Refused(
                    "duplicate_header",
                    f"{table.name}: column {table.header[i]!r} occurs twice with different values "
                    f"(#{i + 1} and #{j + 1})",
                    f"Select one with --map {role}=#{i + 1}, or remove the other",
                )


def _place_date(table: Table, mapping: Mapping, findings: Findings) -> None:
    at = mapping.at
    if "occurred_at" in mapping.stated:
        return
    names = [compact(name) for name in table.header]
    candidates = [at["occurred_at"]] if "occurred_at" in at else []
    candidates += [
        names.index(n) for n in SYNONYMS["occurred_at"] if n in names and names.index(n) not in candidates
    ]
    for i in candidates:
        if _is_date(table, i, serials=True):
            at["occurred_at"] = i
            return
    taken = {i for role, i in at.items() if role != "occurred_at"}
    found = [i for i in range(len(names)) if i not in taken and _is_date(table, i, serials=False)]
    if len(found) == 1:
        at["occurred_at"] = found[0]
        findings.note("date_by_content", column=table.header[found[0]])
        return
    if found:
        raise Asks(
            which_column("occurred_at", "which_date", "which column is the date of the order", table, found)
        )
    named = f"; column {table.header[candidates[0]]} contains no dates" if candidates else ""
    raise Refused(
        "no_date",
        f"{table.name}: no column contains the date of an order{named}. "
        f"Columns: {', '.join(table.header[:20])}",
        "Export the date of each order, or set its column with --map occurred_at=COLUMN",
    )


def _is_date(table: Table, at: int, *, serials: bool) -> bool:
    values = sample_of(table, at)
    if not len(values):
        return False
    if serials:
        from include.intake.dates import parts_of

        return float(parts_of(values).valid.mean()) >= 0.5
    return date_share(values) >= 0.9


def _place_customer(table: Table, mapping: Mapping, findings: Findings) -> None:
    at = mapping.at
    for role in CUSTOMERS:
        if role in at and role not in mapping.stated and not len(sample_of(table, at[role])):
            del at[role]
    if "customer_id" not in mapping.stated and not mapping.platform.name:
        check_account(table, at, CUSTOMERS)
    if any(role in at for role in CUSTOMERS):
        if set(at) & set(CUSTOMERS) == {"customer_name"}:
            findings.warn("customer_by_name", column=mapping.header(table, "customer_name"))
        return
    taken = set(at.values())
    free = [i for i in range(len(table.header)) if i not in taken]
    mails = [i for i in free if share_of(sample_of(table, i), r"^[^@\s]+@[^@\s]+\.[^@\s]+$") > 0.8]
    if len(mails) == 1:
        at["customer_email"] = mails[0]
        return
    possible = [] if mapping.platform.name else [i for i in free if may_name_customers(table, i)]
    if possible:
        raise Asks(
            which_column(
                "customer_id", "which_customer", "which column identifies the customer", table, possible
            )
        )
    raise Refused(
        "no_customer",
        f"{table.name}: no column identifies the customer of an order. "
        f"Columns: {', '.join(table.header[:20])}",
        "Export a customer id or an e-mail address, or set its column with --map customer_id=COLUMN",
    )


def _place_amount(table: Table, mapping: Mapping, options: Options) -> None:
    at = mapping.at
    for role in AMOUNTS:
        if role in at and role not in mapping.stated and not len(sample_of(table, at[role])):
            del at[role]
    if not mapping.platform.name and not mapping.stated & set(AMOUNTS):
        use_paid_amounts(table, at)
    if set(at) & {*AMOUNTS, "quantity"} == {"unit_price"} and not options.price:
        _ask_quantity(table, mapping)
    if any(role in at for role in AMOUNTS) or options.amount == "none":
        return
    taken = set(at.values())
    numeric = []
    for i in range(len(table.header)):
        if i not in taken and len(values := sample_of(table, i)):
            votes = votes_of(values)
            if votes.point + votes.comma + votes.ambiguous > 0 and votes.invalid == 0:
                numeric.append(i)
    question = which_column(
        "net_amount", "no_amount", "no column has a known name for the amount", table, numeric
    )
    choices = {**question.choices, "--amount none": "count orders only, without money"}
    raise Asks(
        Question("no_amount", question.text, None, choices, "--map net_amount=COLUMN or --amount none")
    )


def _ask_quantity(table: Table, mapping: Mapping) -> None:
    possible = quantity_candidates(table, mapping.at) if "unit_price" not in mapping.stated else []
    if possible:
        price = mapping.header(table, "unit_price")
        text = f"column {price} is a price: which column is its quantity"
        question = which_column("quantity", "which_quantity", text, table, possible)
        choices = {**question.choices, "--price total": f"none: {price} is the amount of the line"}
        raise Asks(Question("which_quantity", question.text, price, choices, "--map quantity=COLUMN"))


def _place_order(table: Table, mapping: Mapping) -> None:
    """Use a column called id or number as the order id if it is not the customer and ids have one day."""
    names = [compact(name) for name in table.header]
    i = next((names.index(name) for name in NUMBERS_OF_ORDERS if name in names), None)
    if "transaction_id" in mapping.at or i is None or i in mapping.at.values():
        return
    column, day = table.columns[i], table.columns[mapping.at["occurred_at"]]
    ids = pc.count_distinct(column).as_py()
    pairs = pa.table({"id": column, "day": day}).filter(pc.is_valid(column)).group_by(["id", "day"])
    if ids > 1 and pairs.aggregate([]).num_rows == ids:
        mapping.at["transaction_id"] = i
