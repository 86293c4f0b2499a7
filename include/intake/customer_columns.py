"""Which columns may identify customers: not a ledger's account, not a type."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from include.intake.concepts import concepts_of
from include.intake.datestyle import date_share
from include.intake.samples import SAMPLE_ROWS, sample_of, share_of
from include.intake.tables import Table, compact

NOT_CUSTOMERS = frozenset(
    {"amount", "price", "quantity", "product", "status", "kind", "currency", "fee", "date"}
)


def check_account(table: Table, at: dict[str, int], customers: Sequence[str]) -> None:
    """Drop an account or a user that is not the customer: another column has far more values."""
    own = at.get("customer_id")
    if own is None or not compact(table.header[own]).startswith(("account", "user", "gl")):
        return
    others = [pc.count_distinct(table.columns[at[role]]).as_py() for role in customers[1:] if role in at]
    if others and max(others) > 3 * pc.count_distinct(table.columns[own]).as_py():
        del at["customer_id"]


def may_name_customers(table: Table, at: int) -> bool:
    """Whether a column may contain customer ids: values that recur and are neither dates nor fractions."""
    values = sample_of(table, at)
    rows = min(table.rows, 2 * SAMPLE_ROWS)
    if concepts_of(table.header[at]) & NOT_CUSTOMERS and "customer" not in concepts_of(table.header[at]):
        return False
    if not 2 <= len(values) <= max(2, 0.9 * rows) or share_of(values, r"[.,]\d{1,2}$") > 0.3:
        return False
    return date_share(values) < 0.5 and len(values) >= 0.01 * rows
