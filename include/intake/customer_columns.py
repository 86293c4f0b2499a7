"""Which columns may identify customers: not a ledger's account, not a type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow.compute as pc

from include.intake.concepts import concepts_of, role_of
from include.intake.datestyle import date_share
from include.intake.samples import SAMPLE_ROWS, sample_of, share_of
from include.intake.tables import Table, compact

FEWEST_ROWS = 10  # with one account: it is the firm's own
NOT_CUSTOMERS = frozenset(
    {"amount", "price", "quantity", "product", "status", "kind", "currency", "fee", "date"}
)


_OF_CUSTOMERS = re.compile(
    r"(?i)(?:(?:number|no\.?|count|#) of |total )?(?:orders|purchases|transactions)(?: count)?"
    r"|(?:orders|purchases)[ _]count|(?:total|lifetime)[ _](?:spent|spend|value|revenue|sales|orders)"
    r"|(?:ltv|clv|aov|average order value|avg\.? order value)"
    r"|(?:last|first)[ _](?:order|purchase|active|seen|visit)(?:[ _](?:date|at|on))?"
)


def lists_customers(table: Table, at: Mapping[str, int]) -> bool:
    """Whether a table has one row per customer, with sums of the customer's orders and no order id."""
    found = [name for name in table.header if _OF_CUSTOMERS.fullmatch(name.strip())]
    ids = [at[role] for role in ("customer_id", "customer_email", "customer_name") if role in at]
    order_id = at.get("transaction_id")
    if len(found) < 2 or not ids or (order_id is not None and table.header[order_id] not in found):
        return False
    return any(pc.count_distinct(table.columns[i]).as_py() >= 0.99 * table.rows for i in ids)


def check_account(table: Table, at: dict[str, int], customers: Sequence[str]) -> None:
    """Drop an account or a user that is not the customer: others have more values, or all rows have one."""
    own = at.get("customer_id")
    if own is not None and (better := _recurring(table, at, own)) is not None:
        at["customer_id"] = better
        return
    if own is None or not compact(table.header[own]).startswith(("account", "user", "gl")):
        return
    values = pc.count_distinct(table.columns[own]).as_py()
    others = [pc.count_distinct(table.columns[at[role]]).as_py() for role in customers[1:] if role in at]
    if max(others, default=FEWEST_ROWS * (values == 1 and table.rows >= FEWEST_ROWS)) > 3 * values:
        del at["customer_id"]


def _recurring(table: Table, at: dict[str, int], own: int) -> int | None:
    """Another id of customers that recurs, if the one with the known name is another one on each row."""
    if table.rows < FEWEST_ROWS or pc.count_distinct(table.columns[own]).as_py() < table.rows:
        return None
    taken = set(at.values())
    others = [i for i, name in enumerate(table.header) if i not in taken and role_of(name) == "customer_id"]
    return next((i for i in others if pc.count_distinct(table.columns[i]).as_py() < 0.9 * table.rows), None)


def may_name_customers(table: Table, at: int) -> bool:
    """Whether a column may contain customer ids: values that recur and are neither dates nor fractions."""
    values = sample_of(table, at)
    rows = min(table.rows, 2 * SAMPLE_ROWS)
    if concepts_of(table.header[at]) & NOT_CUSTOMERS and "customer" not in concepts_of(table.header[at]):
        return False
    if not 2 <= len(values) <= max(2, 0.9 * rows) or share_of(values, r"[.,]\d{1,2}$") > 0.3:
        return False
    return date_share(values) < 0.5 and len(values) >= 0.01 * rows
